"""Builds the pages that data and code dictate, so that they cannot lag behind: definitions, data, commands, rules.

`python scripts/build_docs.py` writes them from `doc_templates/`; with `--check` it writes nothing, names every
page that is stale and ends with exit status 1.
"""

from __future__ import annotations

import ast
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import typer

from tthc.cli import app
from tthc.domain.period import PeriodCalendar, periods_of_year
from tthc.reference.counters import counters
from tthc.reference.index_766 import read_index_bands, read_index_components
from tthc.reference.kpis import EVER, TREATMENTS, Metric, edition, read_metrics
from tthc.reference.lists import Target, read_targets
from tthc.reference.manual import read_indicators
from tthc.reference.measures import COUNT, read_measures
from tthc.reference.questions import questions
from tthc.rollups import functions
from tthc.serving import wording
from tthc.serving.rule_catalogue import catalogue, outside
from tthc.settings import settings

CHECKOUT = Path(__file__).resolve().parents[1]
TEMPLATES = Path(__file__).with_name("doc_templates")
SERVING = CHECKOUT / "include" / "tthc" / "serving"
SPECIFICATION = CHECKOUT / "tests" / "spec"
FIRST = ("test_across_profiles.py", "test_worked_cases.py")
CASES = SERVING / "web" / "cases.json"
YEAR_SHOWN = 2026
_FUNCTION = re.compile(r"create function mart\.(\w+)\((.*?)\)\s+returns table \((.*?)\)\nlanguage", re.DOTALL)

# Column of schema mart → type. A column of one name has one type in every view.
TYPES = {
    "text": (
        "period_calendar period_kind period_label unit_level unit_code unit_name basis field_code field_name metric_id "
        "profile status definition_version target_id comparator source_document note province_code band source_id "
        "suite file_name file_sha256 verdict reason rule_id based_on group_code component_id state cause cause_ref "
        "measure measure_name counters report sheet every severity subject title kind event "
        "numerator_cell denominator_cell province_source_id province_report province_file_name nation_source_id "
        "nation_report nation_file_name "
        "numerator_counters denominator_counters no_due awaiting_supplement awaiting_payment when_withdrawn "
        "when_stopped compare refused supplements display citation assumption waiver submitted_by conflicts_with "
        "previous_label previous_remark last_year_label last_year_remark owner vi en why_vi why"
    ),
    "text[]": "flags previous_flags last_year_flags",
    "date": (
        "period_start period_end as_of day night due_on since until first_night last_night opened_on last_seen_on "
        "resolved_on valid_from valid_to province_night nation_night"
    ),
    "timestamp with time zone": "published_at reported_at snoozed_until submitted_at",
    "boolean": (
        "is_in_force is_current met ranked missing expected is_group is_newest is_interim conflict suppressed "
        "is_of_former_unit previous_comparable last_year_comparable"
    ),
    "integer": (
        "components_told components_missing "
        "position units_expected units_reported source_line rank rows_read rows_accepted rows_quarantined rows_dropped "
        "province_row_no nation_row_no rows_duplicate row_no working_days nights version minimum_count"
    ),
    "numeric(9,6)": "rate gap lower_bound upper_bound previous_rate last_year_rate",
    "numeric(9,4)": "previous_points last_year_points",
    "numeric(6,5)": "target_value",
    "numeric(6,3)": "points max_points max_points_told",
    "bigint": (
        "province_reported nation_reported rows_judged rows_failed incident_id group_id "
        "publication_id numerator denominator received_total received_online received_direct carried_over "
        "resolved_total resolved_early resolved_on_time resolved_late in_progress_total in_progress_in_time "
        "in_progress_overdue withdrawn stopped received open overdue due_within_3_working_days paused old_numerator "
        "old_denominator new_numerator new_denominator reported recomputed difference submission_id "
        "dossiers only_province only_nation in_both differing status_differs unit_differs procedure_differs "
        "received_differs due_differs finished_differs "
        "overdue_open in_progress previous_numerator previous_denominator last_year_numerator last_year_denominator "
        "submitted_numerator submitted_denominator current_numerator current_denominator"
    ),
}
TYPE_OF = {column: name for name, columns in TYPES.items() for column in columns.split()}


def pages() -> dict[Path, str]:
    """Every built page with the text it should have."""
    built = {
        "definitions": definitions(),
        "data-dictionary": data_dictionary(),
        "commands": commands(),
        "rules": rules(),
    }
    made = {CHECKOUT / "docs" / f"{name}.md": _filled(name, parts) for name, parts in built.items()}
    # the page /definitions of an installed product has no tests beside it
    return {**made, CASES: json.dumps(drawn_cases(), ensure_ascii=False, indent=1) + "\n"}


def _filled(name: str, parts: dict[str, str]) -> str:
    text = (TEMPLATES / f"{name}.md").read_text(encoding="utf-8")
    for mark, part in parts.items():
        text = text.replace(f"{{{mark}}}", part)
    return text.replace("{contents}", _contents(text))


def _contents(text: str) -> str:
    """The headings of a page below its list of contents, as links; those of the third level behind their section."""
    sections: list[list[str]] = []
    for level, heading in re.findall(r"^(##|###) (.+)$", text.partition("{contents}")[2], re.MULTILINE):
        link = f"[{heading}](#{_anchor(heading)})"
        if level == "##":
            sections.append([link])
        else:
            sections[-1].append(link)
    return "\n".join(f"* {section}" + (f": {' · '.join(below)}" if below else "") for section, *below in sections)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def definitions() -> dict[str, str]:
    """Metrics, counters, periods, components of the index and what units state themselves, as tables."""
    shipped = replace(settings(), reference_overlay=None)
    metrics = read_metrics(shipped)
    shown = _table(
        ("metric", "profile", "version", "tiếng Việt", "numerator", "denominator", "source"),
        (
            (
                *(f"`{m.id}`", f"`{m.profile}`", f"{m.version}{_validity(m)}", m.title),
                *(_counters(m.numerator), _counters(m.denominator), m.citation),
            )
            for m in metrics
        ),
    )
    names = [name for name in TREATMENTS if name != "display"]
    treated = _table(
        ("metric", *names), ((f"`{m.id}` `{m.profile}`", *(getattr(m, name) for name in names)) for m in metrics)
    )
    assumed = _table(
        ("metric", "assumption"), ((f"`{m.id}` `{m.profile}`", m.assumption) for m in metrics if m.assumption)
    )
    counted = _table(("counter", "what it counts"), ((f"`{name}`", one.wording) for name, one in counters().items()))
    index = _table(
        ("group", "component", "tiếng Việt", "points", "metric", "share for all", "denominator 0 earns", "not for"),
        (
            (
                c.group_code,
                c.component_id,
                c.title,
                f"{c.max_points}",
                _metric(c.metric_id, c.profile),
                f"{c.full_at}",
                "no points" if c.points_at_zero is None else f"{c.points_at_zero}",
                ", ".join(c.not_for),
            )
            for c in read_index_components(shipped)
        ),
    )
    bands = _table(
        ("band (unverified)", "from this share of the points on"),
        ((band.band, f"{band.from_share}") for band in read_index_bands(shipped)),
    )
    manual = _table(
        ("indicator", "tiếng Việt", "numerator", "denominator", "asked of", "province", "source"),
        (
            (
                f"`{one.id}`",
                one.title,
                one.numerator,
                one.denominator,
                ", ".join(one.levels),
                "sum" if one.summed else "own",
                one.source,
            )
            for one in read_indicators(shipped).values()
        ),
    )
    measures = _table(
        ("measure", "tiếng Việt", "profile", "recomputed from dossiers"),
        (
            (f"`{m.id}`", m.title, f"`{m.profile}`" if m.profile else "", _counters(m.recomputed) or "not compared")
            for m in read_measures(shipped).values()
            if m.kind == COUNT
        ),
    )
    parts = {
        "targets": "\n\n".join(_targets(read_targets(shipped))),
        "treatments": treated,
        "assumptions": assumed,
        "cases": "\n\n".join(_cases()),
        "questions": "\n\n".join(_questions()),
        "metrics": shown,
        "counters": counted,
        "periods": _periods(),
        "index": index,
        "measures": measures,
    }
    parts |= {"manual": manual, "bands": bands}
    return {"version": edition(metrics), **parts}


def rules() -> dict[str, str]:
    """Every rule of the suites and of parsing as tables."""
    parts = {
        name: _table(
            ("rule", "severity", "what is wrong", "tiếng Việt", "cần là", "vì sao", "why", "source", "owner"),
            (
                (
                    f"`{rule.rule_id}`", rule.severity, "; ".join(rule.en[:3]) + (" …" if len(rule.en) > 3 else ""),
                    "; ".join(rule.vi[:3]) + (" …" if len(rule.vi) > 3 else ""), rule.expected_vi,
                    "; ".join(rule.why_vi), "; ".join(rule.why), rule.source, rule.owner,
                )
                for rule in found
            ),
        )
        for name, found in catalogue().items()
    }  # fmt: skip
    for about, entries in outside().items():
        parts[about] = _table(
            ("rule", "severity", "what is wrong", "tiếng Việt", "vì sao", "why", "owner"),
            (
                (f"`{one.rule_id}`", one.severity, one.en[0], one.vi[0], one.why_vi[0], one.why[0], one.owner)
                for one in entries
            ),
        )
    return parts


def _validity(metric: Metric) -> str:
    since = f" from {metric.valid_from:%d/%m/%Y}" if metric.valid_from != EVER[0] else ""
    return since + (f" to {metric.valid_to:%d/%m/%Y}" if metric.valid_to != EVER[1] else "")


def drawn_cases() -> list[dict[str, Any]]:
    """Every table that a test of tests/spec draws, under the sentence its name is, by file; those of `FIRST` first."""
    found = []
    for path in sorted(SPECIFICATION.glob("test_*.py"), key=lambda path: (path.name not in FIRST, path)):
        module = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: ast.literal_eval(line.value)
            for line in module.body
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
            for target in line.targets
            if isinstance(target, ast.Name)
        }
        tables = [
            _drawn_table(test.name, mark)
            for test in module.body
            if isinstance(test, ast.FunctionDef)
            for mark in test.decorator_list
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.drawn"
            and isinstance(mark.args[0], ast.Constant)
        ]  # fmt: skip
        if tables:
            title = " ".join((ast.get_docstring(module) or "").partition("\n\n")[0].split()).rstrip(".")
            found.append({"title": title, "title_vi": named["TITLE_VI"], "tables": tables})
    return found


def _drawn_table(name: str, mark: ast.Call) -> dict[str, Any]:
    more = {one.arg: ast.literal_eval(one.value) for one in mark.keywords}
    text = str(ast.literal_eval(mark.args[0]))
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return {
        "name": name.removeprefix("test_"),
        "title": f"{name.removeprefix('test_').replace('_', ' ').capitalize()}",
        "title_vi": more["vi"],
        "night": more.get("night"),
        "heading": lines[0],
        "rows": [line for line in lines[2:] if len(line) == len(lines[0])],
    }


def _cases() -> Iterator[str]:
    for group in drawn_cases():
        title, _, rest = group["title"].partition(": ")
        yield f"### {title}"
        yield f"{rest[0].upper()}{rest[1:]}."
        for table in group["tables"]:
            yield f"#### {table['title']}"
            if table["night"]:
                yield f"Seen on the night of {table['night']}."
            yield _table(table["heading"], ([cell.rpartition(" / ")[2] for cell in row] for row in table["rows"]))


def _questions() -> Iterator[str]:
    titles = {table["name"]: table["title"] for group in drawn_cases() for table in group["tables"]}
    for topic in questions():
        yield f"### {topic.title}"
        for one in topic.asked:
            drawn = f" Drawn: [{titles[one.drawn]}](#{_anchor(titles[one.drawn])})." if one.drawn else ""
            yield f"#### {one.question}"
            yield one.answer + drawn


def _targets(promised: Iterable[Target]) -> Iterator[str]:
    """A table for each plan: what it promises, in the order of its list."""
    for document, of_plan in groupby(promised, key=lambda target: target.document):
        targets = list(of_plan)
        yield f"**{document}**"
        units = sorted({target.unit_code or f"level {target.level_scope}, no unit of today" for target in targets})
        spans = sorted({f"{target.period_from:%d/%m/%Y}–{target.period_to:%d/%m/%Y}" for target in targets})
        yield f"Unit: {', '.join(units)}. Valid: {', '.join(spans)}."
        yield _table(
            ("line", "tiếng Việt", "metric", "target", "level", "note"),
            (
                (
                    f"{target.source_line}",
                    target.indicator,
                    f"`{target.metric_id}`" + (f" `{target.profile}`" if target.profile not in (None, "*") else ""),
                    wording.target(target.comparator, target.value),
                    target.level_scope,
                    target.ambiguity_note.rpartition(" / ")[2],
                )
                for target in targets
            ),
        )


def _metric(metric_id: str | None, profile: str | None) -> str:
    return f"`{metric_id}` `{profile}`" if metric_id else "missing"


def _counters(expression: str | None) -> str:
    words = expression.split(" ") if expression else []
    return " ".join({"+": "+", "-": "−"}.get(word, f"`{word}`") for word in words)


def _periods() -> str:
    spans = {
        (period.kind, period.label, period.calendar): f"{period.start:%d/%m/%Y} – {period.end:%d/%m/%Y}"
        for calendar in PeriodCalendar
        for period in periods_of_year(calendar, YEAR_SHOWN)
    }
    keys = dict.fromkeys((kind, label) for kind, label, _ in spans)
    return _table(
        ("period_kind", "period_label", *(f"`{calendar}`" for calendar in PeriodCalendar)),
        (
            (f"`{kind}`", f"`{label}`", *(spans[kind, label, calendar] for calendar in PeriodCalendar))
            for kind, label in keys
        ),
    )


def data_dictionary() -> dict[str, str]:
    """Every view of schema mart with its columns, types and the Vietnamese comments the warehouse carries."""
    with (SERVING / "mart" / "comments.csv").open(encoding="utf-8", newline="") as handle:
        comments = {row["object"]: row["comment"] for row in csv.DictReader(handle)}
    parts: list[str] = []
    for view, columns in views().items():
        parts += [
            f"## mart.{view}",
            f"{comments[view]}.",
            _table(
                ("column", "type", "ý nghĩa"),
                (
                    (f"`{column}`", _type_of(view, column), comments.get(f"{view}.{column}") or comments[f"*.{column}"])
                    for column in columns
                ),
            ),
        ]
    for name, arguments, columns in _FUNCTION.findall(functions.sql()):
        parts += [
            f"## mart.{name}({' '.join(arguments.split())})",
            f"{comments[f'{name}()']}.",
            _table(
                ("column", "type", "ý nghĩa"),
                (
                    (f"`{column}`", kind, comments.get(f"{name}().{column}") or comments[f"*.{column}"])
                    for column, kind in (one.split(maxsplit=1) for one in columns.split(","))
                ),
            ),
        ]
    return {"views": "\n\n".join(parts)}


def _type_of(view: str, column: str) -> str:
    if column not in TYPE_OF:
        raise SystemExit(f"scripts/build_docs.py does not know the type of mart.{view}.{column}; add it to TYPES")
    return TYPE_OF[column]


def views() -> dict[str, list[str]]:
    """View of schema mart → its columns in order, read from the texts of mart/views without a database."""
    texts = (path.read_text(encoding="utf-8") for path in sorted((SERVING / "mart" / "views").glob("*.sql")))
    script = re.sub(r"--[^\n]*", "", "\n".join(texts))
    found: dict[str, list[str]] = {}
    for name, body in re.findall(r"create view mart\.(\w+) as\b(.*?);", script, re.DOTALL):
        found[name] = list(_columns(body, found))
    return found


def _columns(query: str, known: dict[str, list[str]]) -> Iterator[str]:
    outer = _outer(query)
    chosen = re.search(r"\bselect\b(.*?)(?<!distinct )\bfrom\b", outer, re.DOTALL)
    assert chosen is not None, "a view selects something from somewhere"
    for item in chosen.group(1).split(","):
        words = item.split()
        alias = words[-1].split(".")
        if alias[-1] == "*":
            yield from known[alias[0]]
        else:
            yield alias[-1]


def _outer(query: str) -> str:
    """The query without what stands in parentheses."""
    depth, kept = 0, []
    for letter in query:
        depth += letter == "("
        if depth == 0:
            kept.append(letter)
        depth -= letter == ")"
    return "".join(kept)


def commands() -> dict[str, str]:
    """Every command of `tthc` with its options, as `--help` tells them."""
    leaves = _leaves(typer.main.get_command(app), ("tthc",))
    described = [part for path, command in leaves for part in _described(" ".join(path), command)]
    return {"commands": "\n\n".join(described)}


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, following in below.items():
        yield from _leaves(following, (*path, name))


def _described(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and "--help" not in p.opts]
    usage = " ".join([name, *(p.name.upper() for p in arguments), *(_usage(p) for p in options)])
    yield f"## {name}"
    yield re.sub(r"\s*\n\s*", " ", command.help.strip().replace("\n\n", "\0")).replace("\0", "\n\n")
    yield f"    {usage}"
    if explained := [(f"`{_spelled(p)}`", _help(p)) for p in (*arguments, *options) if p.help]:
        yield _table(("", ""), explained)


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.name.upper())
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _usage(option: Any) -> str:
    written = option.opts[0] if option.is_flag else f"{option.opts[0]} {option.name.upper()}"
    return written if option.required else f"[{written}]"


def _help(parameter: Any) -> str:
    shown = parameter.default
    wanted = not parameter.required and shown not in (None, False, "") and not callable(shown)
    return f"{parameter.help} Default: `{shown}`." if wanted else str(parameter.help)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write or check the pages; the exit status."""
    only_check, stale = "--check" in arguments, False
    for path, text in pages().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale, name = True, path.relative_to(CHECKOUT)
        if only_check:
            print(f"{name} is stale; run scripts/build_docs.py", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name} written")
    return int(stale and only_check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
