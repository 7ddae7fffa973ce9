"""Form II.06 and the list of procedures become typed rows of their own, never disguised as dossiers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd
import pyarrow as pa

from tthc.domain.errors import FileRefused
from tthc.domain.period import PeriodCalendar, ReportingPeriod, periods_containing
from tthc.domain.text import clean, fold
from tthc.reference.layouts import Layout
from tthc.staging.columns import parse_whole_numbers
from tthc.staging.parse import Meanings, Parsed, nothing_refused
from tthc.staging.reader import Reading

COUNTS = (
    "received_total", "received_online", "received_direct", "carried_over", "resolved_total", "resolved_early",
    "resolved_on_time", "resolved_late", "in_progress_total", "in_progress_in_time", "in_progress_overdue",
)  # fmt: skip
_DAYS = re.compile(r"(\d{1,2}/\d{1,2}/\d{4})\D+(\d{1,2}/\d{1,2}/\d{4})")
# whole → its parts, the identities I1 to I4 of the form
_IDENTITIES = (
    (("received_total",), ("received_online", "received_direct", "carried_over")),
    (("resolved_total",), ("resolved_early", "resolved_on_time", "resolved_late")),
    (("in_progress_total",), ("in_progress_in_time", "in_progress_overdue")),
    (("received_total",), ("resolved_total", "in_progress_total")),
)


def parse_summary(readings: Sequence[Reading], layout: Layout, meanings: Meanings) -> Parsed:
    """Columns: sheet, row_no, calendar, kind, label, unit_code, field_name, field_key and the eleven counts.

    The form is one statement: a cell or identity that fails refuses the whole file (FileRefused), with the row.
    """
    (reading,) = readings
    period = _period(reading.titles["period"])
    unit_code = meanings.places.choose(
        meanings.places.spans_of(reading.titles["unit_name"]), min(period.end, meanings.night)
    )
    if unit_code is None:
        raise FileRefused("UNKNOWN_UNIT", "không xác định được đơn vị nêu trên biểu / the form's unit is not known")
    table = reading.table
    rows = pd.DataFrame({"sheet": table.column("sheet").to_pandas(), "row_no": table.column("row_no").to_pandas()})
    for name, value in (("calendar", period.calendar), ("kind", period.kind), ("label", period.label)):
        rows[name] = str(value)
    rows["unit_code"] = unit_code
    rows["field_name"] = [clean(text) for text in table.column("field_name").to_pylist()]
    rows["field_key"] = [fold(text) for text in rows["field_name"]]
    for name in COUNTS:
        rows[name] = _counts(table.column(name), name, layout, rows["row_no"], reading)
    for whole, parts in _IDENTITIES:
        wrong = rows.loc[rows[list(whole)].sum(axis=1) != rows[list(parts)].sum(axis=1), "row_no"]
        if len(wrong):
            raise FileRefused(
                "IDENTITY", f"dòng {wrong.iloc[0]}: {whole[0]} khác tổng {' + '.join(parts)} / parts differ"
            )
    _check_totals(rows, reading, layout)
    return Parsed(rows=rows.assign(file_no=0), refused=nothing_refused(), duplicates={})


def _period(text: str) -> ReportingPeriod:
    """The reporting period with exactly the two days named. Raises FileRefused: PERIOD."""
    match = _DAYS.search(text)
    if match:
        first, last = (_day(part) for part in match.groups())
        for calendar in PeriodCalendar:
            for period in periods_containing(calendar, first) if first else ():
                if (period.start, period.end) == (first, last) and _names(period, text):
                    return period
    raise FileRefused("PERIOD", "kỳ báo cáo không khớp kỳ nào đã quy định / not a known reporting period")


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007  (a calendar day has no zone)
    except ValueError:
        return None


def _names(period: ReportingPeriod, text: str) -> bool:
    """A quarter named in words must be the quarter of the days."""
    named = re.match(r"quý\s+(iv|i{1,3}|[1-4])\s*/\s*(\d{4})", fold(text))
    if named is None:
        return True
    number = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}.get(named.group(1), named.group(1))
    return period.label == f"{named.group(2)}-Q{number}"


def _counts(cells: pa.ChunkedArray, name: str, layout: Layout, row_no: pd.Series, reading: Reading) -> pd.Series:
    texts = pd.Series([clean(text) or "0" for text in cells.to_pylist()], dtype=object)
    texts = texts.where(~texts.isin({"-", "–"}), "0")
    numbers, bad = parse_whole_numbers(texts, layout)
    if bad.any() or numbers.lt(0).any():
        where = row_no[bad | numbers.lt(0).fillna(False)].iloc[0]
        raise FileRefused(
            "NUMBER_FORMAT", f"dòng {where}, cột «{reading.headings[name]}»: số không đúng dạng / not a count"
        )
    return numbers.astype("int64")


def _check_totals(rows: pd.DataFrame, reading: Reading, layout: Layout) -> None:
    for total in reading.totals:
        for name in COUNTS:
            told, bad = parse_whole_numbers(pd.Series([clean(total.get(name, "")) or "0"], dtype=object), layout)
            if bad.any() or int(told.iloc[0]) != int(rows[name].sum()):
                raise FileRefused("TOTAL_MISMATCH", f"dòng tổng khác tổng các dòng ở cột «{reading.headings[name]}»")


def parse_catalogue(readings: Sequence[Reading], layout: Layout, meanings: Meanings) -> Parsed:
    """Columns: sheet, row_no, procedure_code, procedure_name, field_name, field_key; a malformed code refuses a row."""
    del layout, meanings
    (reading,) = readings
    table = reading.table
    rows = pd.DataFrame({"sheet": table.column("sheet").to_pandas(), "row_no": table.column("row_no").to_pandas()})
    for name in ("procedure_code", "procedure_name", "field_name"):
        rows[name] = [clean(text) for text in table.column(name).to_pylist()]
    rows["field_key"] = [fold(text) or None for text in rows["field_name"]]
    rows["file_no"] = 0
    repeated = rows.duplicated(["procedure_code", "procedure_name", "field_name"])
    rows = rows[~repeated].reset_index(drop=True)
    bad = ~rows["procedure_code"].str.fullmatch(r"\d\.\d{6}")
    refused = rows.loc[bad, ["file_no", "sheet", "row_no"]].assign(column="procedure_code", rule_id="CODE")
    return Parsed(rows=rows[~bad].reset_index(drop=True), refused=refused, duplicates={0: int(repeated.sum())})
