"""What units state themselves: reads the forms of manual input and computes their rows of mart.kpi, by "What units state
themselves" of docs/definitions.md alone."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from python_calamine import CalamineWorkbook

from independent_counters import Period
from independent_places import PROVINCE, Boundary
from independent_rows import REFERENCE

SOURCE = "nhap_tay"


@dataclass(frozen=True)
class Statement:
    """A line of a form: numerator and denominator, or None where it is empty; `shown`: as on record by its form."""

    unit: str
    start: date
    end: date
    indicator: str
    pair: tuple[int, int] | None
    shown: bool


@cache
def indicators() -> dict[str, dict[str, str]]:
    with (REFERENCE / "manual_indicators.csv").open(encoding="utf-8", newline="") as file:
        return {row["indicator"]: row for row in csv.DictReader(file)}


def statements(content: bytes, level_of: Callable[[str, date], str]) -> list[Statement]:
    """The lines of one form that are not refused."""
    known, found = indicators(), []
    unit, start, end, at = "", date.min, date.min, dict[str, int]()
    for line in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python():
        first = str(line[0])
        if first.startswith("Mã đơn vị:"):
            unit = first.split(":")[1].strip()
        elif first.startswith("Kỳ báo cáo:"):
            days = re.findall(r"(\d+)/(\d+)/(\d{4})", first)
            start, end = (date(int(year), int(month), int(day)) for day, month, year in days)
        elif "Mã chỉ tiêu" in line:
            at = {str(name): column for column, name in enumerate(line)}
        elif at and (asked := known.get(str(line[at["Mã chỉ tiêu"]]))):
            told = [line[at[name]] for name in ("Tử số", "Mẫu số")]
            pair = None if told == ["", ""] else (int(told[0]), int(told[1]))
            if level_of(unit, end) in asked["levels"].split() and (pair is None or pair[0] <= pair[1]):
                found.append(Statement(unit, start, end, asked["indicator"], pair, bool(line[at["Đang ghi nhận"]])))
    return found


Order = tuple[date, str]  # night, file name


def on_record(told: Iterable[tuple[Order, Statement]]) -> list[Statement]:
    """Of each unit, period and indicator the newest filled line, unless a later empty line took it back."""
    lines: dict[tuple[str, date, date, str], list[tuple[Order, Statement]]] = defaultdict(list)
    for order, one in told:
        lines[one.unit, one.start, one.end, one.indicator].append((order, one))
    found = []
    for same in lines.values():
        filled = [(order, one) for order, one in same if one.pair is not None]
        if filled:
            (night, name), newest = max(filled, key=lambda line: line[0])
            later = [(order, one) for order, one in same if one.pair is None and order > (night, name)]
            if not any(one.shown or order[1] == name for order, one in later):
                found.append(newest)
    return found


@dataclass
class _Sum:
    numerator: int
    denominator: int
    flags: set[str]
    units: set[str]


Key = tuple[Period, str, str, str]  # period, unit, basis, indicator


def stated(
    told: Iterable[tuple[Order, Statement]], spans: Iterable[Period], boundary: Boundary
) -> dict[Key, tuple[_Sum, bool]]:
    """The figures stated, and whether each is a sum over units."""
    known = indicators()
    by_days = {(period.start, period.end): period for period in spans}
    sums: dict[Key, _Sum] = {}
    lacking: set[Key] = set()

    def add(key: Key, one: Statement, flags: set[str], unit: str) -> None:
        assert one.pair
        held = sums.setdefault(key, _Sum(0, 0, {"manual_input"}, set()))
        held.numerator, held.denominator = held.numerator + one.pair[0], held.denominator + one.pair[1]
        held.flags |= flags
        held.units.add(unit)

    for one in on_record(told):
        period, end = by_days[one.start, one.end], one.end.isoformat()
        is_summed = known[one.indicator]["summed"] == "true"
        for basis, home, flags, above in boundary.places(one.unit, end, end, None):
            if is_summed:
                add((period, home, basis, one.indicator), one, flags, home)
                add((period, PROVINCE, basis, one.indicator), one, above, home)
            else:
                add((period, one.unit, basis, one.indicator), one, {"not_summed"} if flags else set(), one.unit)
        if is_summed:
            without = boundary.lacking(one.unit, end, None)
            lacking |= {(period, unit, "current_boundary", one.indicator) for unit in without}
    for key in lacking & sums.keys():
        sums[key].flags.add("split_unit")
    return {key: (held, key[1] == PROVINCE and known[key[3]]["summed"] == "true") for key, held in sums.items()}


def units_asked(indicator: str, units: Iterable[Mapping[str, str]], cut: date) -> int:
    """How many units an indicator that sums up is asked of."""
    levels, day = indicators()[indicator]["levels"].split(), cut.isoformat()
    return sum(unit["level"] in levels and unit["valid_from"] <= day <= (unit["valid_to"] or "9999") for unit in units)


def row(held: _Sum, is_sum: bool, indicator: str, asked: int, is_interim: bool) -> dict[str, Any]:
    """The cells of mart.kpi that are not those of its period and unit."""
    expected, heard = (asked, len(held.units)) if is_sum else (1, 1)
    return {
        "numerator": held.numerator, "denominator": held.denominator, "flags": sorted(held.flags),
        "units_expected": expected, "units_reported": heard, "definition_version": indicators()[indicator]["version"],
        "status": "interim" if is_interim else "provisional" if heard < expected else "final",
    }  # fmt: skip
