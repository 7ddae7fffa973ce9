"""Form II.06a as a unit would fill it for a closed quarter, from the true counters of its dossiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter

from tthc.domain.period import PeriodCalendar, PeriodKind, ReportingPeriod, periods_of_year
from tthc.simulation.lists import MARK

# group heading, then heading and counter of each column; TT 01/2020/TT-VPCP
_GROUPS = (
    (
        "Số hồ sơ nhận giải quyết",
        (
            ("Tổng số", "received_total"),
            ("Trong kỳ: Trực tuyến", "received_online"),
            ("Trong kỳ: Trực tiếp, dịch vụ bưu chính", "received_direct"),
            ("Từ kỳ trước", "carried_over"),
        ),
    ),
    (
        "Số hồ sơ đã giải quyết",
        (
            ("Tổng số", "resolved_total"),
            ("Trước hạn", "resolved_early"),
            ("Đúng hạn", "resolved_on_time"),
            ("Quá hạn", "resolved_late"),
        ),
    ),
    (
        "Số hồ sơ đang giải quyết",
        (
            ("Tổng số", "in_progress_total"),
            ("Trong hạn", "in_progress_in_time"),
            ("Quá hạn", "in_progress_overdue"),
        ),
    ),
)
_ROMAN = ("I", "II", "III", "IV")
_HEADER_ROW = 4  # counted from 0


def last_closed_quarter(night: date) -> ReportingPeriod:
    """The newest quarter of the 15th-to-14th calendar that has ended by a night."""
    return max(
        (
            period
            for year in (night.year - 1, night.year, night.year + 1)
            for period in periods_of_year(PeriodCalendar.VPCP_15_14, year)
            if period.kind is PeriodKind.QUARTER and period.end <= night
        ),
        key=lambda period: period.end,
    )


def period_title(quarter: ReportingPeriod) -> str:
    """How a form names its quarter: "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"."""
    year, number = quarter.label.split("-Q")
    opens, closes = (f"{day.day}/{day.month}/{day.year}" for day in (quarter.start, quarter.end))
    return f"Quý {_ROMAN[int(number) - 1]}/{year} (từ ngày {opens} đến ngày {closes})"


def write_form(
    path: Path,
    *,
    unit_name: str,
    quarter: ReportingPeriod,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    total: Mapping[str, Any],
    night: date,
) -> None:
    """One workbook: titles, a header of two merged rows, the row of column numbers, a row a field, the total."""
    counters = [counter for _, columns in _GROUPS for _, counter in columns]
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"title": MARK, "created": datetime.combine(night, time(20))})
        centred = book.add_format(
            {"bold": True, "align": "center", "valign": "vcenter", "text_wrap": True, "border": 1}
        )
        sheet = book.add_worksheet("06a")
        sheet.write_string(0, 0, f"Biểu số II.06a/VPCP/KSTT – {MARK}")
        sheet.write_string(1, 0, f"Đơn vị: {unit_name}")
        sheet.write_string(2, 0, f"Kỳ báo cáo: {period_title(quarter)}")
        for place, heading in enumerate(("STT", "Lĩnh vực")):
            sheet.merge_range(_HEADER_ROW, place, _HEADER_ROW + 1, place, heading, centred)
        first = 2
        for group, columns in _GROUPS:
            sheet.merge_range(_HEADER_ROW, first, _HEADER_ROW, first + len(columns) - 1, group, centred)
            for offset, (heading, _) in enumerate(columns):
                sheet.write_string(_HEADER_ROW + 1, first + offset, heading, centred)
            first += len(columns)
        sheet.write_row(_HEADER_ROW + 2, 0, [f"({number})" for number in range(1, first + 1)], centred)
        body = [(str(number), name, counts) for number, (name, counts) in enumerate(rows, start=1)]
        for offset, (number, name, counts) in enumerate([*body, ("", "Tổng số", total)]):
            line = _HEADER_ROW + 3 + offset
            sheet.write_string(line, 0, number)
            sheet.write_string(line, 1, name)
            sheet.write_row(line, 2, [counts[counter] for counter in counters])
