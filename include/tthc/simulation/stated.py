"""What units of a simulated province state themselves: a form a unit and quarter, and the figures true of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter

from tthc.domain.period import ReportingPeriod
from tthc.reference.manual import Indicator
from tthc.simulation.lists import MARK
from tthc.simulation.offices import Office
from tthc.simulation.summaries import period_title

STATED = "nhap_tay"
_COMMUNES, _DEPARTMENTS = 10, 2  # that fill the form
_WAITS = (0, 0, 0, 1, 2)  # nights between the end of the quarter, or the first night, and the form
_SILENT = 0.15  # of the lines of a form; assumed, as every share here
_HEADINGS = ("STT", "Mã chỉ tiêu", "Chỉ tiêu", "Tử số", "Mẫu số", "Đang ghi nhận")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The form of one unit for one quarter: indicator → numerator and denominator, or nothing; `on`: the night it
    comes."""

    unit_code: str
    unit_name: str
    quarter: ReportingPeriod
    on: date
    counts: Mapping[str, tuple[int, ...]]

    def filled(self, night: date) -> list[tuple[str, tuple[int, ...]]]:
        """The lines that state something, if the form has come by a night."""
        return [(name, pair) for name, pair in self.counts.items() if pair] if self.on <= night else []


def statements(
    offices: Iterable[Office],
    province: tuple[str, str],
    indicators: Mapping[str, Indicator],
    quarter: ReportingPeriod,
    *,
    seed: int,
    start: date,
) -> list[Statement]:
    """What a few communes, departments and the province (code, name) state of a quarter, whatever the night."""
    rng = Random(f"{seed}/stated/{quarter.label}")
    of_level: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for office in offices:
        if office.open_on(quarter.end):
            of_level[office.level].append((office.unit_code, office.name_on(quarter.end)))
    chosen = [("province", province)]
    for level, most in (("commune", _COMMUNES), ("department", _DEPARTMENTS)):
        known = sorted(of_level[level])
        chosen += [(level, unit) for unit in sorted(rng.sample(known, k=min(most, len(known))))]
    return [
        Statement(
            unit_code=code,
            unit_name=name,
            quarter=quarter,
            on=max(start, quarter.end) + timedelta(days=rng.choice(_WAITS)),
            counts=dict(_counts(rng, [one.id for one in indicators.values() if level in one.levels])),
        )
        for level, (code, name) in chosen
    ]


def _counts(rng: Random, asked: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name in asked:
        whole = rng.choice((0, 8, 24, 60, 140))
        part = round(whole * rng.betavariate(8, 1))
        yield name, () if rng.random() < _SILENT else (part, whole)


def true_statements(
    stated: Iterable[Statement], province: str, indicators: Mapping[str, Indicator], night: date
) -> list[dict[str, Any]]:
    """Figures made of the forms that have come by a night, as truth.json tells figures: of each unit, and the sum of
    the province where the indicator sums up. Counts of 0 over 0 are stated and belong here."""
    told: dict[tuple[ReportingPeriod, str, str], list[int]] = {}
    for one in stated:
        for name, (numerator, denominator) in one.filled(night):
            for unit in {one.unit_code, province} if indicators[name].summed else {one.unit_code}:
                cell = told.setdefault((one.quarter, unit, name), [0, 0])
                cell[:] = [cell[0] + numerator, cell[1] + denominator]
    return [
        {
            "period_calendar": quarter.calendar, "period_kind": quarter.kind, "period_label": quarter.label,
            "unit_code": unit, "field_code": "*", "metric_id": name, "profile": "*",
            "numerator": numerator, "denominator": denominator,
        }
        for (quarter, unit, name), (numerator, denominator) in sorted(
            told.items(), key=lambda item: (item[0][0].label, *item[0][1:])
        )
    ]  # fmt: skip


def write_statement(directory: Path, one: Statement, indicators: Mapping[str, Indicator]) -> None:
    """The form as the unit sends it back, empty lines included."""
    directory.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(directory / f"{one.unit_code}.xlsx"), {"in_memory": True}) as book:
        book.set_properties({"title": MARK, "created": datetime.combine(one.on, time(20))})
        sheet = book.add_worksheet("Nhập tay")
        titles = (MARK, f"Đơn vị: {one.unit_name}", f"Mã đơn vị: {one.unit_code}")
        for line, text in enumerate((*titles, f"Kỳ báo cáo: {period_title(one.quarter)}")):
            sheet.write_string(line, 0, text)
        sheet.write_row(5, 0, _HEADINGS)
        for number, (name, pair) in enumerate(one.counts.items(), start=1):
            sheet.write_row(5 + number, 0, [number, name, indicators[name].title, *pair])
