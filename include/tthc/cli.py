"""The same steps from a terminal: `tthc …`.

Exit status: 0 all well; 1 ran, but a file was held or rejected or a figure withheld; 2 wrong usage or configuration;
3 an outside system failed.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tthc.cli_db import db
from tthc.cli_export import export
from tthc.cli_repair import files, quarantine
from tthc.cli_sources import sources
from tthc.cli_submissions import submissions
from tthc.domain.errors import TthcError
from tthc.explain_commands import compare, explain
from tthc.incident_commands import incidents, messages, watchdog
from tthc.settings import settings
from tthc.terminal import AsJson, check_typed
from tthc.terminal import night as _night
from tthc.terminal import rows as _rows
from tthc.terminal import say as _say
from tthc.terminal import show as _show

if TYPE_CHECKING:
    from tthc.pipeline import Outcome

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
summaries = typer.Typer(no_args_is_help=True, help="Summary reports beside what the dossiers give.")
layout = typer.Typer(no_args_is_help=True, help="Layouts: what an export looks like.")
for name, group in (
    ("files", files),
    ("quarantine", quarantine),
    ("export", export),
    ("incidents", incidents),
    ("submissions", submissions),
    ("summaries", summaries),
    ("sources", sources),
    ("messages", messages),
    ("layout", layout),
    ("db", db),
):
    app.add_typer(group, name=name)
app.command()(watchdog)
app.command()(explain)
app.command()(compare)

_UNITS_SHOWN = 5
_INTERRUPTED = 130  # what typer makes of Ctrl-C


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"tthc {version('tthc')}")
        raise typer.Exit


@app.callback()
def tthc(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Nightly figures about administrative procedures (thủ tục hành chính), explainable down to the row."""


@app.command()
def init() -> None:
    """Create or migrate the warehouse and load include/reference (and TTHC_REFERENCE)."""
    from tthc import pipeline

    pipeline.init(settings())
    _say("the warehouse is ready")


@app.command()
def load(
    drop: Annotated[Path, typer.Option(help="A folder with one folder a source: DIR/<source_id>/<files>.")],
    as_of: Annotated[str | None, typer.Option(help="The night, yyyy-mm-dd; default today in Việt Nam.")] = None,
    as_json: AsJson = False,
) -> None:
    """Land, stage, load, roll up and publish the files of a drop folder.

    Running it again changes nothing; a killed run is completed by running it again.
    """
    from tthc import pipeline

    outcome = pipeline.run(settings(), drop, _night(as_of), say=_say)
    _tell(outcome, {}, as_json)
    if not outcome.files:
        _say(f"no file waits in {drop}: those of a source lie in {drop}/<source_id>/")
    if outcome.needs_a_person or _is_withheld():
        raise typer.Exit(1)


@app.command()
def fetch(
    source: Annotated[
        list[str], typer.Option(help="A source with a portal in sources.toml; several are fetched in turn.")
    ],
    as_of: Annotated[str | None, typer.Option(help="The night, yyyy-mm-dd; default today in Việt Nam.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch what portals deliver for a night, then load, roll up and publish it.

    A delivery that fails leaves the others alone and is an incident; running it again completes the night.
    Exit status 3 when a portal failed, 1 when a file was held or rejected.
    """
    from tthc import pipeline

    outcome, failed = pipeline.run_portals(settings(), source, _night(as_of), say=_say)
    failures = [
        {"source_id": source_id, "unit_code": one.unit_code, "reason": one.reason, "detail": one.detail}
        for source_id, one in failed
    ]
    _tell(outcome, {"failed": failures}, as_json)
    if failed:
        raise typer.Exit(3)
    if outcome.needs_a_person or _is_withheld():
        raise typer.Exit(1)


def _tell(outcome: Outcome, more: dict[str, Any], as_json: bool) -> None:
    facts = {
        "files": outcome.files,
        "rows_read": outcome.rows_read,
        "rows_accepted": outcome.rows_accepted,
        "rows_quarantined": outcome.rows_quarantined,
    }
    if as_json:
        print(json.dumps(facts | more, ensure_ascii=False))
        return
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(outcome.files.items()) if count)
    print(
        f"files: {told or 'none'}; rows: {outcome.rows_read} read, {outcome.rows_accepted} accepted, "
        f"{outcome.rows_quarantined} quarantined"
    )
    causes: dict[str, list[str]] = {}
    for failure in more.get("failed", ()):
        causes.setdefault("{source_id}, {reason}: {detail}".format_map(failure), []).append(failure["unit_code"])
    for cause, units in causes.items():
        shown = ", ".join(sorted(units)[:_UNITS_SHOWN]) + (" …" if len(units) > _UNITS_SHOWN else "")
        print(f"failed: {cause}; {len(units)} deliveries: {shown}")


def _is_withheld() -> bool:
    return bool(_rows("select 1 from mart.kpi where 'withheld' = any(flags) limit 1", {}))


@app.command()
def rollup(
    period: Annotated[str | None, typer.Option(help="Show this period afterwards, such as 2026-Q1.")] = None,
    full: Annotated[bool, typer.Option(help="Recompute even when nothing has moved.")] = False,
    as_known_on: Annotated[
        str | None, typer.Option(help="With --period: as known on that night, yyyy-mm-dd; nothing is published.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the figures of the newest night and publish what changed.

    With --period the figures of that period are shown: what was true as far as is known now, or, with --as-known-on,
    what was known on an earlier night.
    """
    from tthc import enquiries, pipeline

    check_typed(period=period)
    if as_known_on is not None:
        if period is None:
            raise typer.BadParameter("--as-known-on needs --period")
        _show(
            enquiries.figures_as_known(settings(), _night(as_known_on, "--as-known-on"), period),
            as_json,
            "no figure was known",
        )
        return
    publication_id = pipeline.publish(settings(), full=full)
    _say("figures unchanged" if publication_id is None else f"publication {publication_id} is current")
    if period is None and as_json:
        print(json.dumps({"publication_id": publication_id}))
    if period is not None:
        rows = _rows(
            "select period_calendar, period_kind, period_label, unit_code, basis, field_code, metric_id, profile, "
            "numerator, denominator, rate, flags from mart.kpi where period_label = :label and field_code = '*' "
            "order by period_calendar, unit_code, basis, metric_id, profile",
            {"label": period},
        )
        _show(rows, as_json, f"no figure of {period}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
) -> None:
    """Serve the web pages until interrupted; prints their address."""
    from tthc.serving.web.listen import serve_pages

    serve_pages(settings(), host, port, say=lambda address: print(address, flush=True))


@summaries.command("differences")
def summaries_differences(
    unit: Annotated[str | None, typer.Option(help="Only this unit, such as 18373 or 42-SNV.")] = None,
    period: Annotated[str | None, typer.Option(help="Only this period, such as 2026-03 or 2026-Q1.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every cell in which the newest report of a unit and period differs from its dossiers, the largest first."""
    from tthc.serving.figures import statement

    check_typed(unit=unit, period=period)
    rows = _rows(statement("differences").text, {"unit": unit, "period": period, "calendar": None})
    _show(rows, as_json, "no report differs from the dossiers of its unit and period")


@app.command()
def simulate(
    dossiers: Annotated[int, typer.Option(min=1, help="How many dossiers.")],
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Where to: DIR/<night>/<source_id>/… and DIR/<night>/truth.json.")
    ],
    province: Annotated[str, typer.Option(help="Province code.")] = "42",
    seed: Annotated[int, typer.Option(help="The same seed gives the same province.")] = 7,
    start: Annotated[str | None, typer.Option(help="The first night, yyyy-mm-dd.")] = None,
    nights: Annotated[int, typer.Option(min=1, help="How many successive nights.")] = 1,
) -> None:
    """Write a believable province of synthetic dossiers in every layout, with the true figures beside it."""
    from tthc.simulation.simulate import simulate as write

    written = write(
        province=province,
        dossiers=dossiers,
        seed=seed,
        start=_night(start, "--start"),
        nights=nights,
        out=out,
        progress=_say,
    )
    for path in written:
        print(path)


@layout.command("check")
def layout_check(
    file: Annotated[Path, typer.Argument(help="The export to look at.")],
    source: Annotated[str, typer.Option(help="The source it would come from, as in sources.toml.")],
    as_of: Annotated[str | None, typer.Option(help="The night, yyyy-mm-dd; default today in Việt Nam.")] = None,
    as_json: AsJson = False,
) -> None:
    """Dry run of one file: layout chosen, fate of every column, counts, first problems, a patch for drifted headings.

    Nothing is landed and no warehouse is needed.
    """
    from dataclasses import asdict

    from tthc.staging.layout_check import check_layout

    report = check_layout(settings(), file, source, _night(as_of))
    if as_json:
        print(json.dumps(asdict(report), ensure_ascii=False, indent=1))
    else:
        told = f" ({report.reason}: {report.detail})" if report.reason else ""
        print(f"layout {report.layout_id}, verdict {report.verdict}{told}")
        if len(report.layouts) > 1:
            _show([dict(asked) for asked in report.layouts], False, "")
        print(", ".join(f"{count} {name}" for name, count in report.counts.items()))
        _show([dict(column) for column in report.columns], False, "no headings were found")
        if report.problems:
            _show([dict(problem) for problem in report.problems], False, "")
        if report.suggestions:
            _show([dict(suggestion) for suggestion in report.suggestions], False, "")
        if report.patch:
            print(f"If the suggestions are right, save this beside the layout, as {report.patch_file}:\n")
            print(report.patch)
    if not report.verdict.startswith("loaded"):
        raise typer.Exit(1)


@layout.command("draft")
def layout_draft(
    file: Annotated[Path, typer.Argument(help="An export no layout knows yet.")],
    name: Annotated[str, typer.Option("--id", help="The id the layout, and its source, shall have.")],
) -> None:
    """A first layout for a file nobody knows yet, from its headings and cells: a person finishes what is marked ???.

    Nothing is landed or written; the draft is printed.
    """
    from tthc.staging.draft import draft_layout

    draft = draft_layout(settings(), file, name)
    print(f"# {draft.file}\n{draft.text}\n# In sources.toml:")
    print("\n".join(f"# {line}" for line in draft.source.splitlines()))
    print(f"# Then: tthc layout check FILE --source {name}")


def main() -> None:
    """Entry point: errors of ours become one sentence and their exit status, and so does an interruption."""
    try:
        app()
    except TthcError as error:
        print(f"tthc: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            print("tthc: interrupted; what was finished is kept, the same command completes the rest", file=sys.stderr)
        raise
