"""A province's nightly exports in every layout, and beside each night the figures that are true after it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tthc.domain.errors import Misconfigured
from tthc.domain.working_days import working_index
from tthc.reference.manual import Indicator, read_indicators
from tthc.reference.units import read_places
from tthc.settings import settings
from tthc.simulation.dirt import seed_dirt
from tthc.simulation.exports import Seeded, write_exports
from tthc.simulation.province import SOURCES, Province, draw_province
from tthc.simulation.reports import REPORTS, STATISTICS, UnitCounts, write_reports
from tthc.simulation.stated import STATED, Statement, statements, true_statements, write_statement
from tthc.simulation.summaries import last_closed_quarter, write_form
from tthc.simulation.true_reports import true_reports
from tthc.simulation.truth import true_figures, true_form_06a

SUMMARIES = "tong_hop_06a_xlsx"
_FORMS = 5  # communes that also fill form 06a themselves


def default_start(today: date) -> date:
    """The first night when none is given: the last 14th, on which a reporting period closed."""
    closed = today.replace(day=14)
    return closed if closed <= today else (today.replace(day=1) - timedelta(days=1)).replace(day=14)


def simulate(
    *,
    province: str,
    dossiers: int,
    seed: int,
    start: date,
    nights: int,
    out: Path,
    dirty: bool = True,
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write `out/<night>/<source_id>/…` and `out/<night>/truth.json` for successive nights; the nights' directories.

    The first night exports every dossier known by then, a later one what is open or changed within 90 days. All of
    `dossiers` are known by the last night. The same arguments write the same bytes. Without `dirty` no row is
    broken, repeated or blank. A night simulated before is replaced; a night's directory that holds anything else
    raises Misconfigured. `truth.json` holds night, figures, form_06a, what the summary reports count, what units have
    stated themselves, and where the dirt lies, by file and row.
    """
    tell = progress or (lambda message: None)
    tell(f"drawing {dossiers} dossiers of province {province}")
    drawn = draw_province(settings(), province=province, dossiers=dossiers, seed=seed, start=start, nights=nights)
    dirt = seed_dirt(drawn, start) if dirty else None
    indicators = read_indicators(settings())
    stated = _stated(drawn, indicators, start, nights)
    written = []
    for night in (start + timedelta(days=offset) for offset in range(nights)):
        directory = out / night.isoformat()
        _clear(directory)
        tell(f"writing the exports of {night}")
        seeded = write_exports(directory, drawn, dirt, night, whole=night == start)
        tell(f"counting the truth of {night}")
        truth = _truth(drawn, night)
        _write_forms(directory / SUMMARIES, drawn, night, truth["form_06a"])
        truth["reports"] = _write_reports(directory, drawn, night)
        truth["stated"] = true_statements(stated, province, indicators, night)
        for one in stated:
            if one.on == night:
                write_statement(directory / STATED, one, indicators)
        text = json.dumps(truth | _told(seeded), ensure_ascii=False, separators=(",", ":"))
        (directory / "truth.json").write_text(text, encoding="utf-8")
        written.append(directory)
    return written


def _stated(drawn: Province, indicators: Mapping[str, Indicator], start: date, nights: int) -> list[Statement]:
    """Every form that units fill over the nights; some come on a later one, some after the last."""
    quarters = {last_closed_quarter(start + timedelta(days=offset)) for offset in range(nights)}
    units = read_places(replace(settings(), province=drawn.code)).units
    province = next((unit.unit_code, unit.full_name) for unit in units if unit.level == "province")
    return [
        one
        for quarter in sorted(quarters, key=lambda quarter: quarter.end)
        for one in statements(drawn.offices.values(), province, indicators, quarter, seed=drawn.seed, start=start)
    ]


def _clear(directory: Path) -> None:
    """Make way for a night: what an earlier simulation wrote goes, what somebody else put there is never touched."""
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / "truth.json").is_file():
        raise Misconfigured(f"{directory} holds files that are not a simulation's; choose another --out")
    for source in (*SOURCES, SUMMARIES, REPORTS, STATISTICS, STATED):
        for path in directory.glob(f"{source}/*"):
            path.unlink()


def _truth(province: Province, night: date) -> dict[str, Any]:
    """What is true after a night, from the newest clean state of every dossier known by then."""
    states = [state for life in province.lives if (state := life.state_on(night)) is not None]
    days = working_index(province.first_day, max(province.first_day, night), province.overrides)
    figures = true_figures(states, night, province=province.code, procedures=province.procedures, working_days=days)
    form = true_form_06a(states, night, province=province.code, procedures=province.procedures, working_days=days)
    return {
        "night": night.isoformat(),
        "province": province.code,
        "dossiers": len(states),
        "figures": figures,
        "form_06a": form,
    }


def _told(seeded: Seeded) -> dict[str, Any]:
    """Where the dirt lies, and how much of it by rule and file."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mention in seeded.dirt:
        counts[str(mention["rule_id"])][f"{mention['source_id']}/{mention['file']}"] += 1
    return {
        "rows": seeded.rows,
        "dirt": seeded.dirt,
        "dirt_counts": counts,
        "duplicates": seeded.duplicates,
        "blank_rows": seeded.blank_rows,
        "footers": seeded.footers,
    }


def _write_forms(directory: Path, province: Province, night: date, form: list[dict[str, Any]]) -> None:
    """Form II.06a of a few communes for the last closed quarter, as their dossiers of this night make it."""
    quarter = last_closed_quarter(night)
    names = {p.field_code: p.field_name for p in province.procedures.values() if p.field_code and p.field_name}
    of_unit: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in form:
        if row["period_calendar"] == quarter.calendar.value and row["period_label"] == quarter.label:
            of_unit[row["unit_code"]][row["field_code"]] = row
    communes = sorted(o.unit_code for o in province.offices.values() if o.level == "commune" and o.unit_code in of_unit)
    for unit_code in sorted(Random(f"{province.seed}/forms").sample(communes, k=min(_FORMS, len(communes)))):
        rows = of_unit[unit_code]
        directory.mkdir(parents=True, exist_ok=True)
        write_form(
            directory / f"{unit_code}.xlsx",
            unit_name=province.offices[unit_code].name_on(quarter.end),
            quarter=quarter,
            rows=[(names.get(code, code), row) for code, row in sorted(rows.items()) if code != "*"],
            total=rows["*"],
            night=night,
        )


def _write_reports(directory: Path, province: Province, night: date) -> list[dict[str, Any]]:
    """Summary reports of every unit for the last closed quarter; what they count, one row a unit."""
    quarter = last_closed_quarter(night)
    states = [state for life in province.lives if (state := life.state_on(night)) is not None]
    counted = true_reports(states, quarter, province.procedures)
    units = [
        UnitCounts(unit_code=code, unit_name=province.offices[code].name_on(quarter.end), counts=counted[code])
        for code in sorted(counted)
    ]
    write_reports(directory, units, quarter, night)
    period = {"period_calendar": quarter.calendar, "period_kind": quarter.kind, "period_label": quarter.label}
    return [{**period, "unit_code": unit.unit_code, "measures": dict(sorted(unit.counts.items()))} for unit in units]
