"""Summary reports become typed rows of their own, never disguised as dossiers; one is believed whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from tthc.domain.errors import FileRefused
from tthc.domain.period import ReportingPeriod
from tthc.domain.text import clean, fold, may_tell_of_a_person
from tthc.reference.layout import Layout
from tthc.reference.measures import COUNT
from tthc.staging.cell_address import Cells
from tthc.staging.find_unit import unit_told
from tthc.staging.parse import REFUSED, Meanings, Parsed
from tthc.staging.period_title import period_of
from tthc.staging.reader import Reading
from tthc.staging.report_checks import check_report
from tthc.staging.report_rows import Line, figures_of, report_of

ALL_FIELDS = "*"
KEY = ("sheet", "row_no", "calendar", "kind", "label", "unit_code", "field_name", "field_key")
_LONGEST_NAME = 300
_BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\u202a-\u202e\u2066-\u2069]")


def titles_of_file_name(file_name: str, layout: Layout) -> dict[str, str]:
    """What a layout finds in the name of a file. Raises FileRefused: MISSING_TITLE."""
    found = {}
    for name, pattern in layout.file_name.items():
        match = re.search(pattern, clean(file_name), re.IGNORECASE)
        if match is None:
            raise FileRefused("MISSING_TITLE", f"tên tệp không nêu «{name}» / the file's name does not tell it")
        found[name] = match.group(1).strip()
    return found


def parse_summary(readings: Sequence[Reading], layout: Layout, meanings: Meanings) -> Parsed:
    """Columns: those of KEY, then one for each count the file tells. In a report without fields both field columns
    are `*`. Displayed per cents are checked and not kept.

    The report is one statement: a cell, identity, total or section that fails refuses the whole file (FileRefused),
    with the cell. Only a row about a unit that nobody knows is refused by itself (UNKNOWN_UNIT).
    """
    (reading,) = readings
    cells = Cells(reading, layout)
    period = period_of(reading.titles["period"], layout.period_calendar)
    if period.start > meanings.night:
        raise FileRefused("PERIOD", "kỳ báo cáo chưa bắt đầu vào đêm nhận tệp / the period has not begun")
    report = report_of(reading, layout, cells)
    check_report(report, layout, cells)
    rows: list[dict[str, Any]] = []
    unknown: list[tuple[Any, ...]] = []
    told: dict[tuple[str, str, int], int] = {}
    for line in report.data:
        row = _row(line, reading, period, meanings, cells)
        if row["unit_code"] is None:
            unknown.append((0, line.sheet, line.row_no, _unit_column(line), "UNKNOWN_UNIT"))
            continue
        before = told.setdefault((row["unit_code"], row["field_key"], line.section), line.row_no)
        if before != line.row_no:
            where = cells.of("field_name" if "field_name" in line.names else _unit_column(line), line.row_no)
            raise FileRefused("REPEATED_ROW", f"{where}: đã nêu ở dòng {before} / told twice")
        rows.append(row)
    counts = [column.name for column in figures_of(layout) if column.measure and column.measure.kind == COUNT]
    columns = [*KEY, *(name for name in counts if name in reading.headings)]
    refused = pd.DataFrame(unknown, columns=list(REFUSED[:5])).reindex(columns=list(REFUSED))
    return Parsed(rows=pd.DataFrame(rows, columns=columns).assign(file_no=0), refused=refused, duplicates={})


def _row(line: Line, reading: Reading, period: ReportingPeriod, meanings: Meanings, cells: Cells) -> dict[str, Any]:
    of_row = {name: text for name, text in line.names.items() if name != "field_name"}
    on = min(period.end, meanings.night)
    unit_code = unit_told(of_row or reading.titles, meanings.places, on)
    if not of_row and meanings.places.is_province(meanings.province, reading.titles.get("unit_name", ""), on):
        unit_code = meanings.province  # the consolidated report: compared, never the figure
    if unit_code is None and not of_row:
        raise FileRefused("UNKNOWN_UNIT", "không xác định được đơn vị nêu trên biểu / the report's unit is not known")
    field_name = line.names.get("field_name", ALL_FIELDS)
    if "field_name" in line.names and (
        field_name in ("", ALL_FIELDS)
        or len(field_name) > _LONGEST_NAME
        or _BROKEN.search(field_name)
        or may_tell_of_a_person(field_name)
    ):
        where = cells.of("field_name", line.row_no)
        raise FileRefused("FIELD_NAME", f"{where}: tên lĩnh vực trống hoặc không dùng được / no name of a field")
    place = {"sheet": line.sheet, "row_no": line.row_no, "unit_code": unit_code}
    of_period = {"calendar": str(period.calendar), "kind": str(period.kind), "label": period.label}
    return {**place, **of_period, "field_name": field_name, "field_key": fold(field_name), **line.counts}


def _unit_column(line: Line) -> str:
    return "unit_name" if "unit_name" in line.names else "unit_code"
