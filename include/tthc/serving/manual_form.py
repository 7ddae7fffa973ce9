"""The form in which a unit states what dossiers cannot tell: a workbook that our own layout `nhap_tay_xlsx` reads."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tthc.domain.period import ReportingPeriod, period_labelled
from tthc.reference.manual import Indicator, read_indicators
from tthc.reference.units import Unit, read_places
from tthc.serving import wording
from tthc.serving.figures import as_analyst, unit_of
from tthc.serving.workbooks import Book, checked_target, writing
from tthc.settings import Settings

TITLE = "BIỂU NHẬP TAY CÁC CHỈ TIÊU NGOÀI HỒ SƠ"
HEADINGS = (
    "STT", "Mã chỉ tiêu", "Chỉ tiêu", "Tử số là", "Mẫu số là", "Đếm bằng", "Tử số", "Mẫu số", "Đang ghi nhận",
    "Nguồn số liệu, minh chứng",
)  # fmt: skip
GUIDE = (
    "Chỉ nhập vào các ô màu vàng. Nhập số đếm nguyên, không nhập tỷ lệ phần trăm: hệ thống tự tính. Trong kỳ không có "
    "trường hợp nào: nhập 0 ở cả hai ô. Chưa có số liệu: để trống, chỉ tiêu được ghi là thiếu. Xóa ô đã điền sẵn là "
    "rút số đã báo cáo. Cột minh chứng ở lại trong tệp, không nạp vào hệ thống; không ghi tên, số giấy tờ của ai."
)
_WIDTHS = (5, 25, 36, 40, 40, 12, 11, 11, 14, 34)
_LAST = len(_WIDTHS) - 1
_NUMERATOR, _DENOMINATOR = HEADINGS.index("Tử số"), HEADINGS.index("Mẫu số")
_HEAD = 6  # counted from 0
_GREATEST = 1_000_000_000  # as staging/figures_told.py counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the form is about. `known`: indicator → (numerator, denominator) on record."""

    unit: Unit
    period: ReportingPeriod
    indicators: Sequence[Indicator]
    known: Mapping[str, tuple[int, int]]


def export(settings: Settings, *, unit: str, calendar: str, label: str, out: Path, made_at: datetime) -> int:
    """Write the form of a unit for any period, with what is on record filled in; returns how many lines it has.

    Raises Misconfigured for an unknown unit, calendar or period, and before `tthc init`.
    """
    target = checked_target(out)
    period = period_labelled(calendar, label)
    place = unit_of(read_places(settings).units, unit, settings.province, on=period.end)
    asked = [indicator for indicator in read_indicators(settings).values() if place.level in indicator.levels]
    with as_analyst(settings) as connection:
        known = _known(connection, place.unit_code, period)
    write(target, Form(unit=place, period=period, indicators=asked, known=known), made_at)
    return len(asked)


def write(target: Path | BytesIO, form: Form, made_at: datetime) -> None:
    """Raises OutsideSystemFailed."""
    with writing(target, title=f"{TITLE}, {form.unit.unit_code}, {form.period.label}", made_at=made_at) as book:
        sheet = book.sheet("Nhập tay", _WIDTHS, repeat=(_HEAD, _HEAD))
        _titles(book, sheet, form)
        book.head(sheet, _HEAD, HEADINGS)
        line, number = _HEAD + 1, 0
        for place, (section, asked) in enumerate(itertools.groupby(form.indicators, key=lambda one: one.section)):
            book.across(sheet, line, (0, _LAST), f"{chr(ord('A') + place)}. {section}", "section", 20)
            line += 1
            for indicator in asked:
                number += 1
                _row(book, sheet, line, number, indicator, form.known.get(indicator.id))
                line += 1
        _guard(book, sheet, _HEAD + 1, line - 1)


def _titles(book: Book, sheet: Any, form: Form) -> None:
    period = form.period
    title = wording.period_title(str(period.kind), period.label, period.start, period.end)
    book.across(sheet, 0, (0, _LAST), TITLE, "title", 26)
    book.across(sheet, 1, (0, _LAST), f"Đơn vị: {_office(form.unit)}", "centre", 18)
    book.across(sheet, 2, (0, _LAST), f"Mã đơn vị: {form.unit.unit_code}", "centre", 18)
    book.across(sheet, 3, (0, _LAST), f"Kỳ báo cáo: {title}", "centre", 18)
    book.across(sheet, 4, (0, _LAST), GUIDE, "plain", 50)


def _office(unit: Unit) -> str:
    name = unit.full_name
    return name if unit.level == "department" else f"Ủy ban nhân dân {name[:1].lower()}{name[1:]}"


def _row(book: Book, sheet: Any, line: int, number: int, one: Indicator, known: tuple[int, int] | None) -> None:
    counts = known or (None, None)
    on_record = f"{wording.count(known[0])} / {wording.count(known[1])}" if known else ""
    words = [(text, "text") for text in (one.id, one.title, one.numerator, one.denominator)]
    book.put_row(
        sheet,
        line,
        [
            (number, "middle"),
            *words,
            (one.counted, "middle"),
            *((count, "input_count") for count in counts),
            (on_record, "middle"),
            ("", "input_text"),
        ],
    )


def _guard(book: Book, sheet: Any, first: int, last: int) -> None:
    """Only the yellow cells can be filled, with whole numbers; a line that would be refused turns red at once."""
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.data_validation(
        first,
        _NUMERATOR,
        last,
        _DENOMINATOR,
        {
            "validate": "integer",
            "criteria": "between",
            "minimum": 0,
            "maximum": _GREATEST,
            "error_title": "Cần số đếm",
            "error_message": "Nhập số nguyên từ 0 trở lên, không nhập tỷ lệ phần trăm. Chưa có số liệu thì để trống.",
        },
    )
    numerator, denominator = (f"${chr(ord('A') + place)}{first + 1}" for place in (_NUMERATOR, _DENOMINATOR))
    wrong = f'=OR({numerator}>{denominator},({numerator}="")<>({denominator}=""))'
    options = {"type": "formula", "criteria": wrong, "format": book.style("wrong")}
    sheet.conditional_format(first, _NUMERATOR, last, _DENOMINATOR, options)


def _known(connection: sa.Connection, unit_code: str, period: ReportingPeriod) -> dict[str, tuple[int, int]]:
    rows = connection.execute(
        sa.text(
            "select metric_id, numerator, denominator from mart.manual_input "
            "where unit_code = :unit and period_calendar = :calendar and period_label = :label"
        ),
        {"unit": unit_code, "calendar": str(period.calendar), "label": period.label},
    )
    return {row.metric_id: (row.numerator, row.denominator) for row in rows}
