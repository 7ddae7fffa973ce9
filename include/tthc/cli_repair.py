"""`tthc files …` and `tthc quarantine …`: what was not let in, who has to repair it, and what a person decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tthc.settings import settings
from tthc.terminal import AsJson, By, Reason, rows, say, show
from tthc.terminal import night as night_of

files = typer.Typer(no_args_is_help=True, help="Files and what became of them.")
quarantine = typer.Typer(no_args_is_help=True, help="Rows that were refused, and why.")


@files.command("list")
def files_list(
    verdict: Annotated[str | None, typer.Option(help="Only this verdict, such as held or rejected.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every delivery with its verdict, newest night first."""
    from tthc.domain.errors import Misconfigured
    from tthc.serving.wording import VERDICTS

    if verdict is not None and verdict not in VERDICTS:
        raise Misconfigured(f"{verdict!r} is no verdict; there are {', '.join(VERDICTS)}")
    lines = rows(
        "select delivery_id, night, source_id, file_name, verdict, reason, detail, rows_read, rows_accepted, "
        "rows_quarantined, rows_dropped, rows_duplicate from core.delivery where "
        "(cast(:verdict as text) is null or verdict = :verdict) order by night desc, source_id, file_name",
        {"verdict": verdict},
    )
    show(lines, as_json, f"no file is {verdict}" if verdict else "no file was delivered yet")


@files.command("release")
def files_release(delivery_id: int, by: By, reason: Reason) -> None:
    """Let a held file in: its good rows are loaded and the figures published."""
    from tthc import pipeline

    pipeline.decide(settings(), delivery_id, release=True, by=by, reason=reason)
    pipeline.publish(settings())
    say(f"delivery {delivery_id} is loaded")


@files.command("refuse")
def files_refuse(delivery_id: int, by: By, reason: Reason) -> None:
    """Refuse a held file for good."""
    from tthc import pipeline

    pipeline.decide(settings(), delivery_id, release=False, by=by, reason=reason)
    say(f"delivery {delivery_id} is refused")


@quarantine.command("list")
def quarantine_list(
    all_: Annotated[bool, typer.Option("--all", help="Ended ones too, with how and when they ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Refused rows that are not repaired, one line a row with the first rule it failed; never a value of the row."""
    history = ", quarantine.state, quarantine.ended_at, quarantine.ended_by" if all_ else ""
    lines = rows(
        "select delivery.source_id, delivery.file_name as file, quarantine.sheet, quarantine.row_no, "  # noqa: S608  (columns from this code)
        "quarantine.column_name as column, quarantine.rule_id, quarantine.reason, quarantine.unit_code, "
        f"delivery.night{history} from core.quarantine join core.delivery using (delivery_id) "
        "where quarantine.ordinal = 1 and (:all or quarantine.state = 'open') "
        "order by delivery.night desc, delivery.source_id, delivery.file_name, quarantine.sheet, quarantine.row_no",
        {"all": all_},
    )
    show(lines, as_json, "no row is in quarantine")


@quarantine.command("export")
def quarantine_export(out: Annotated[Path, typer.Option(help="The folder to write into.", file_okay=False)]) -> None:
    """One workbook an owner of what is in quarantine: the cells to correct and what is expected, never a value."""
    from tthc import pipeline

    written = pipeline.write_quarantine(settings(), out)
    print("\n".join(map(str, written)) or "no row is in quarantine")


@quarantine.command("replay")
def quarantine_replay(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    night: Annotated[str | None, typer.Option(help="Only this night, yyyy-mm-dd.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge again what is in quarantine by changed rules, lists, corrections or layouts, and publish the figures.

    A corrected file is loaded like any other (`tthc load`); the rows it repairs leave quarantine by that. Exit status 1
    when the landing store has lost or changed a file, which is then named and left as it is.
    """
    from dataclasses import asdict

    from tthc import pipeline

    done = pipeline.replay(settings(), source, None if night is None else night_of(night, "--night"))
    publication_id = pipeline.publish(settings())
    pipeline.notify(settings())
    say("figures unchanged" if publication_id is None else f"publication {publication_id} is current")
    if as_json:
        print(json.dumps(asdict(done)))
    else:
        counts = asdict(done) | {"files_gone": len(done.files_gone)}
        print(", ".join(f"{count} {name}" for name, count in counts.items()))
    for name in done.files_gone:
        say(f"{name}: the landing store has lost or changed this file; load the same bytes again for its night")
    if done.files_gone:
        raise typer.Exit(1)
