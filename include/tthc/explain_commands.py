"""What people ask of figures and rows: where a figure comes from, where a row went, how a period stands up to a day."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from tthc.settings import settings
from tthc.terminal import AsJson, check_typed, night, show

_FIGURE = ("period_calendar", "period_label", "unit_code", "basis", "field_code", "metric_id", "profile")
_PARTS = ("in_numerator", "in_denominator")
_WEIGHED = (*_FIGURE, *_PARTS, "weight")
_SHOWN = 100  # dossiers of a figure that a terminal shows unless more are asked for


def explain(
    metric: Annotated[
        str | None,
        typer.Option(
            help="A metric, such as on_time; a column of form 06a or a measure of reports, such as received_total; a "
            "count of mart.source_difference; index_766, a group or component of it, such as 2.1."
        ),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit code, such as 18373, 42-SNV or 42.")] = None,
    period: Annotated[str | None, typer.Option(help="Such as 2026-03, 2026-Q1, 2026-H1, 2026-9M, 2026.")] = None,
    calendar: Annotated[str, typer.Option(help="VPCP_15_14 or CALENDAR.")] = "VPCP_15_14",
    profile: Annotated[str | None, typer.Option(help="TT01_06A, IDX766, DASH or *; default TT01_06A, else *.")] = None,
    basis: Annotated[str, typer.Option(help="as_reported or current_boundary.")] = "as_reported",
    field: Annotated[str, typer.Option(help="A field code or name; * is all.")] = "*",
    publication: Annotated[
        int | None, typer.Option(help="As published then: a number of mart.publication; default the current one.")
    ] = None,
    submitted: Annotated[
        int | None,
        typer.Option(min=0, help="As handed in: this version of `tthc submissions list`, 0 for the newest."),
    ] = None,
    file: Annotated[str | None, typer.Option(help="The other way round: a delivered file, by name or SHA-256.")] = None,
    row: Annotated[int | None, typer.Option(help="Row of that file, as numbered in it.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of that file; default any.")] = None,
    dossier: Annotated[str | None, typer.Option(help="Or a dossier, by its dossier_key.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Dossiers shown; 0 is all. Default 100, with --json all.")
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Dossiers passed over before the first one shown.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Where a figure comes from: its counts, then the dossiers behind it with file, sheet and row, and how many there
    are. With --file and --row: what became of that row, and every figure it is in; with --dossier: the rows that told
    it, and every figure it is in."""
    if dossier is not None and (metric, unit, period, file, row, sheet) == (None,) * 6:
        _explain_dossier(dossier, as_json)
        return
    if dossier is None and file is not None and row is not None and (metric, unit, period) == (None, None, None):
        _explain_row(file, row, sheet, as_json)
    elif metric and unit and period and (file, row, sheet, dossier) == (None,) * 4:
        shown = limit if limit is not None else 0 if as_json else _SHOWN
        if publication is not None and submitted is not None:
            raise typer.BadParameter("give --publication or --submitted, not both")
        key = (calendar, period, unit, basis, field, metric)
        _explain_figure(key, profile, as_json, (shown or None, offset), publication, submitted)
    else:
        raise typer.BadParameter(
            "give --metric, --unit and --period of a figure, or --file and --row of a row, or --dossier"
        )


def _explain_dossier(dossier: str, as_json: bool) -> None:
    from tthc import enquiries

    rows, found = enquiries.history_of(settings(), dossier)
    figures = _weighed(found)
    if as_json:
        print(json.dumps({"rows": rows, "figures": figures}, ensure_ascii=False, default=str, indent=1))
        return
    show(rows, False, "")
    show(figures, False, "it is in no figure")


def _explain_row(file: str, row: int, sheet: str | None, as_json: bool) -> None:
    from tthc import enquiries

    found = enquiries.figures_of(settings(), file, row, sheet)
    if as_json:
        show(found, True, "")
        return
    about = [{name: line[name] for name in line if name not in (*_WEIGHED, "period_kind")} for line in found]
    for line in {str(line): line for line in about}.values():
        for name, value in line.items():
            if name not in ("definition_version", "publication_id") and value not in (None, []):
                print(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
    show(_weighed(found), False, "it is in no figure")


def _weighed(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures of a row, with the weight by which a split unit was divided where one was."""
    names = _WEIGHED if any(line["weight"] for line in found) else (*_FIGURE, *_PARTS)
    return [{name: line[name] for name in names} for line in found if line["metric_id"]]


def _explain_figure(
    key: tuple[str, ...],
    profile: str | None,
    as_json: bool,
    page: tuple[int | None, int],
    publication: int | None,
    submitted: int | None,
) -> None:
    from dataclasses import asdict

    from tthc import enquiries

    calendar, period, unit, *_, metric = key
    profiles = enquiries.what_is_known(settings()).profiles(metric)
    chosen = profile or ("TT01_06A" if "TT01_06A" in profiles else profiles[0] if len(profiles) == 1 else "*")
    asked = dict(zip(_FIGURE, (*key, chosen), strict=True))
    found = enquiries.explain(settings(), asked, *page, publication=publication, submitted=submitted)
    if as_json:
        print(json.dumps(asdict(found) | {"agrees": found.agrees}, ensure_ascii=False, default=str, indent=1))
        return
    figure = found.figure
    told = [
        f"{name} {figure[name]}" for name in ("points", "max_points_told", "max_points", "band") if figure.get(name)
    ]
    print(f"{found.title}, {figure.get('unit_name') or unit}, {period} ({calendar}{_dates(figure)})")
    if "points" in figure:
        print(f"{', '.join(told)}   [{found.formula[0]}]   {found.citation}")
    else:
        above, below = figure["numerator"], figure["denominator"]
        share = "" if below is None else f" / {below} = {figure['rate']}"
        meaning = " / ".join(f"[{part}]" for part in found.formula if part)
        print(f"{above}{share}   {meaning}   {found.citation}")
    version = figure.get("definition_version")
    print(
        f"publication {figure['publication_id']}, {f'definitions {version}, ' if version else ''}"
        f"flags {', '.join(figure.get('flags') or ()) or 'none'}"
    )
    if "points" in figure:
        show([{name: part[name] for name in _OF_A_PART} for part in found.parts], False, "")
        print("each can be explained by its metric and profile")
        return
    if figure["numerator"] is None:
        rules = f"figures of this night broke the rules {', '.join(found.withheld_by)}; " if found.withheld_by else ""
        print(
            f"withheld: {rules}behind it stand {found.total_numerator} / {found.total_denominator}; "
            "`tthc incidents list` names the units"
        )
    for line in _moved(found.dossiers + found.forms, unit):
        print(line)
    if not found.agrees:
        print(
            f"the rows below are {found.total_numerator} / {found.total_denominator}: lists of units, procedures or "
            "days, or the order of trust, have changed since it was published; `tthc rollup` publishes the new figures"
        )
    for row in found.beside:
        print("; ".join(f"{name} {value}" for name, value in row.items() if value is not None))
    if found.dossiers or not found.forms:
        show(_lines(found.dossiers, unit), False, "no dossier is behind it")
    if found.forms:
        show(_lines(found.forms, unit), False, "")
    shown, beyond = len(found.dossiers) + len(found.forms), page[1]
    if shown < found.total_rows:
        print(
            f"{shown} of {found.total_rows} rows, from number {beyond + 1} on; together they are "
            f"{found.total_numerator} / {found.total_denominator}. --offset shows the next, --limit 0 all"
        )


_OF_A_PART = (
    "group_code", "component_id", "metric_id", "profile", "numerator", "denominator", "points", "max_points", "state",
)  # fmt: skip


def _dates(figure: dict[str, Any]) -> str:
    if "period_start" not in figure:
        return ""
    until = figure.get("as_of")
    told = f", {figure['period_start']:%d/%m/%Y} – {figure['period_end']:%d/%m/%Y}"
    return (
        told + (f", as of {until:%d/%m/%Y}" if until else "") + (f", {figure['status']}" if "status" in figure else "")
    )


def _moved(rows: list[dict[str, Any]], unit: str) -> list[str]:
    """Which units rows named that were split, and the declared weight of the figure's unit."""
    weights = {row["reported_unit"]: row["weight"] for row in rows if row["weight"] is not None}
    return [
        f"of what {old} received, {unit} has the declared weight {weight:f} (unit_successions.csv): an estimate; every "
        "dossier is in one successor, whole"
        for old, weight in sorted(weights.items())
    ]


def _lines(rows: list[dict[str, Any]], unit: str) -> list[dict[str, Any]]:
    """Rows of mart.explain without what is the same in all of them and said above."""
    said = {"definition_version", "publication_id", "layout_version"}
    said |= {name for name in ("cells", "dossier_key", "weight") if not any(row[name] for row in rows)}
    said |= {"reported_unit"} if all(row["reported_unit"] == unit for row in rows) else set()
    said |= (
        {"numerator", "denominator"} if all(row["dossier_key"] for row in rows) else {"in_numerator", "in_denominator"}
    )
    return [{name: row[name] for name in row if name not in said} for row in rows]


def compare(
    unit: Annotated[str, typer.Option(help="Unit code, such as 18373, 42-SNV or 42.")],
    period: Annotated[str, typer.Option(help="Such as 2026-03, 2026-Q1, 2026-H1, 2026-9M, 2026.")],
    on: Annotated[
        str | None,
        typer.Option(help="The last day counted, yyyy-mm-dd; default the night published, or the period's end."),
    ] = None,
    calendar: Annotated[str, typer.Option(help="VPCP_15_14 or CALENDAR.")] = "VPCP_15_14",
    basis: Annotated[str, typer.Option(help="as_reported or current_boundary.")] = "as_reported",
    field: Annotated[str, typer.Option(help="A field code or name; * is all.")] = "*",
    as_json: AsJson = False,
) -> None:
    """Figures of a period up to a day, beside the same days of the period before and of last year."""
    from tthc import enquiries

    check_typed(unit=unit, period=period, calendar=calendar)
    rows = enquiries.figures_to_date(
        settings(), unit, period, None if on is None else night(on, "--on"), calendar, basis, field
    )
    if as_json or all(row["numerator"] is None for row in rows):
        show(rows if as_json else [], as_json, "no figure of this unit and period is published")
        return
    first = rows[0]
    flags = sorted({flag for row in rows for flag in row["flags"]})
    print(
        f"{unit}, {period} ({calendar}, {basis}): {first['period_start']:%d/%m/%Y} – {first['as_of']:%d/%m/%Y}, "
        f"{first['status']}, flags {', '.join(flags) or 'none'}"
    )
    for name, side in _SIDES.items():
        print(f"{name}: {_span(rows, side)}")
    show([_beside(row) for row in rows], False, "")


_SIDES = {"period before": "previous", "last year": "last_year"}


def _span(rows: list[dict[str, Any]], side: str) -> str:
    label, start, until = (rows[0][f"{side}_{name}"] for name in ("label", "start", "as_of"))
    if label is None:
        return "there is none of this kind"
    remarks = sorted({row[f"{side}_remark"] for row in rows if row[f"{side}_remark"]})
    told = f"; not compared: {'; '.join(remarks)}" if remarks else ""
    return f"{label}, {start:%d/%m/%Y} – {until:%d/%m/%Y}{told}"


def _beside(row: dict[str, Any]) -> dict[str, Any]:
    """A row of mart.kpi_to_date as people read it: counts, or a percentage with its counts, and the points between."""
    shown = {"metric": row["metric_id"], "profile": row["profile"], "this": _figure(row, "")}
    for name, side in _SIDES.items():
        points = row[f"{side}_points"]
        shown |= {name: _figure(row, f"{side}_"), f"points to {name}": "" if points is None else f"{points:+.2f}"}
    return shown


def _figure(row: dict[str, Any], side: str) -> str:
    above, below = row[f"{side}numerator"], row[f"{side}denominator"]
    if above is None:
        return "–"
    if below is None:
        return str(above)
    return f"{100 * row[f'{side}rate']:.2f} % ({above}/{below})" if below else f"{above}/{below}"
