"""Manual input becomes typed statements: of one unit and period, a numerator and a denominator for each indicator.

A row whose two cells are empty states nothing; it takes back what its form shows as on record, or what an earlier file
of the same name said. Which word counts is decided where figures are made (rollups/sql/82_manual_told.sql).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from tthc.domain.errors import FileRefused
from tthc.domain.text import clean
from tthc.reference.layout import Layout
from tthc.reference.manual import Indicator
from tthc.staging.figures_told import count_of, is_nothing
from tthc.staging.find_unit import unit_told
from tthc.staging.parse import REFUSED, Meanings, Parsed
from tthc.staging.period_title import period_of
from tthc.staging.reader import Reading

COLUMNS = (
    "file_no", "sheet", "row_no", "dossier_key", "calendar", "kind", "label", "unit_code", "unit_level", "indicator",
    "numerator", "denominator", "on_record",
)  # fmt: skip
_COUNTS = ("numerator", "denominator")
_PERCENT = re.compile(r"-?[0-9]+(?:[.,][0-9]+)? ?%|-?[0-9]{1,3}[.,](?!0+$)[0-9]{1,2}|-?[01][.,](?!0+$)[0-9]+")


def parse_manual(readings: Sequence[Reading], layout: Layout, meanings: Meanings) -> Parsed:
    """Columns: COLUMNS; counts may be missing. A cell or row that cannot be understood refuses its row; a title that
    names no unit or no period, or a period still to come, refuses the file (FileRefused)."""
    (reading,) = readings
    period = period_of(reading.titles["period"], layout.period_calendar)
    if period.start > meanings.night:
        raise FileRefused("PERIOD", "kỳ báo cáo chưa bắt đầu vào đêm nhận tệp / the period has not begun")
    if period.end < layout.earliest:
        raise FileRefused("PERIOD", f"kỳ báo cáo trước {layout.earliest:%d/%m/%Y} / the period lies too far back")
    unit_code, level = _unit(reading.titles, meanings, min(period.end, meanings.night))
    of_period = {"calendar": str(period.calendar), "kind": str(period.kind), "label": period.label}
    rows: list[dict[str, Any]] = []
    refused: list[tuple[Any, ...]] = [(0, *row[:2], "", row[2], None, unit_code) for row in reading.ragged]
    for cells in reading.table.to_pylist():
        place = (cells["sheet"], cells["row_no"])
        told = clean(cells["indicator"]).casefold()
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, "|".join(("manual", *of_period.values(), unit_code, told))))
        counts, faults = _counts(cells, layout)
        if told not in meanings.indicators:
            faults = {"indicator": "INDICATOR_UNKNOWN"}
        refused += [(0, *place, column, rule, key, unit_code) for column, rule in faults.items()]
        if not faults:
            on_record = bool(clean(cells.get("on_record") or ""))
            values = (0, *place, key, *of_period.values(), unit_code, level, told, *counts, on_record)
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(_COUNTS, "Int64"))
    said = frame.duplicated([name for name in COLUMNS if name not in ("sheet", "row_no")])
    return Parsed(
        rows=frame[~said].reset_index(drop=True),
        refused=pd.DataFrame(refused, columns=list(REFUSED)),
        duplicates={0: int(said.sum())},
    )


def prepared(frame: pd.DataFrame, indicators: Mapping[str, Indicator]) -> pd.DataFrame:
    """The statements with the helper columns the suite `manual_row` looks at."""
    numerator, denominator = (frame[name].isna() for name in _COUNTS)
    asked = [
        level in indicators[name].levels for name, level in zip(frame["indicator"], frame["unit_level"], strict=True)
    ]
    return frame.assign(
        lacks_numerator=(numerator & ~denominator).astype("int64"),
        lacks_denominator=(denominator & ~numerator).astype("int64"),
        not_asked=(~pd.Series(asked, index=frame.index, dtype=bool) & ~numerator).astype("int64"),
    )


def _unit(titles: Mapping[str, str], meanings: Meanings, on: date) -> tuple[str, str]:
    """(code, level) of the unit that both title lines mean on a day."""
    places = meanings.places
    if places.is_province(titles.get("unit_code", ""), titles.get("unit_name", ""), on):
        return meanings.province, "province"
    said = {unit_told({name: titles.get(name, "")}, places, on) for name in ("unit_code", "unit_name")}
    code = said.pop()
    if code is None or said:  # a form copied from another unit's tells two
        raise FileRefused("UNKNOWN_UNIT", "không xác định được đơn vị nêu trên biểu / the form's unit is not known")
    return code, next(unit.level for unit in places.units if unit.unit_code == code)


def _counts(cells: Mapping[str, Any], layout: Layout) -> tuple[list[int | None], dict[str, str]]:
    counts: list[int | None] = []
    faults: dict[str, str] = {}
    for name in _COUNTS:
        text = clean(cells[name] or "")
        nothing = is_nothing(text, layout)
        counts.append(None if nothing else count_of(text, layout))
        if not nothing and counts[-1] is None:
            faults[name] = _fault(text)
    return counts, faults


def _fault(text: str) -> str:
    if text.startswith("#"):
        return "CELL_ERROR"
    if _PERCENT.fullmatch(text):
        return "PERCENT_TYPED"
    return "RANGE" if re.fullmatch(r"[-−] ?[0-9][0-9.]*", text) else "NUMBER_FORMAT"
