"""Form II.06/VPCP/KSTT of one unit and period as a workbook that our own layout `tong_hop_06a_xlsx` reads back.

Whatever is no figure stands above the table or in drawn boxes below it: a cell below the table would be read as a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from tthc.domain.text import sort_key
from tthc.serving import wording
from tthc.serving.figures import Period, Publication, UnitFigures
from tthc.serving.workbooks import Book, writing

FORM = "Biểu số II.06/VPCP/KSTT"
TITLE = "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI CƠ QUAN, ĐƠN VỊ TRỰC TIẾP GIẢI QUYẾT TTHC"
SOURCE = "Thông tư số 01/2020/TT-VPCP ngày 21/10/2020 của Bộ trưởng, Chủ nhiệm Văn phòng Chính phủ"
COUNTS = (
    "received_total", "received_online", "received_direct", "carried_over", "resolved_total", "resolved_early",
    "resolved_on_time", "resolved_late", "in_progress_total", "in_progress_in_time", "in_progress_overdue",
)  # fmt: skip

_WIDTHS = (5, 34, 14, 10, 12, 10, 15, 10, 10, 10, 13, 10, 10)
_LAST = len(_WIDTHS) - 1
_HEAD = 6  # the first of three header rows, counted from 0
_NUMBERING = (
    "(1)", "(2)", "(3)=(4)+(5)+(6)", "(4)", "(5)", "(6)", "(7)=(8)+(9)+(10)", "(8)", "(9)", "(10)", "(11)=(12)+(13)",
    "(12)", "(13)",
)  # fmt: skip
# first row, first column, last row, last column of each merged heading, counted from the first header row
_MERGED = (
    (0, 0, 2, 0, "STT"),
    (0, 1, 2, 1, "Lĩnh vực"),
    (0, 2, 0, 5, "Số hồ sơ nhận giải quyết"),
    (1, 2, 2, 2, "Tổng số"),
    (1, 3, 1, 4, "Trong kỳ"),
    (1, 5, 2, 5, "Từ kỳ trước"),
    (0, 6, 0, 9, "Số hồ sơ đã giải quyết"),
    (1, 6, 2, 6, "Tổng số"),
    (1, 7, 2, 7, "Trước hạn"),
    (1, 8, 2, 8, "Đúng hạn"),
    (1, 9, 2, 9, "Quá hạn"),
    (0, 10, 0, 12, "Số hồ sơ đang giải quyết"),
    (1, 10, 2, 10, "Tổng số"),
    (1, 11, 2, 11, "Trong hạn"),
    (1, 12, 2, 12, "Quá hạn"),
)


def write(
    target: Path | BytesIO,
    *,
    unit: UnitFigures,
    period: Period,
    publication: Publication,
    rows: Sequence[dict[str, Any]],
    differing: int = 0,
) -> None:
    """Write the form; `rows` as `figures.form_rows` gives them, `differing`: cells of the unit's reports that tell
    other figures. Raises OutsideSystemFailed."""
    fields = sorted((row for row in rows if row["field_code"] != "*"), key=lambda row: sort_key(row["field_name"]))
    total = next((row for row in rows if row["field_code"] == "*"), dict.fromkeys((*COUNTS, "withdrawn", "stopped"), 0))
    with writing(target, title=f"{FORM}, {unit.unit_name}, {period.label}", made_at=publication.published_at) as book:
        sheet = book.sheet("06a", _WIDTHS, repeat=(_HEAD, _HEAD + 3))
        _titles(book, sheet, unit, period, publication)
        _header(book, sheet)
        first = _HEAD + 4
        for offset, row in enumerate(fields):
            _row(book, sheet, first + offset, offset + 1, row["field_name"], row, "")
        _row(book, sheet, first + len(fields), None, "Tổng số", total, "total_")
        _below(sheet, first + len(fields) + 2, _notes(total, fields, unit, differing))


def office(unit: UnitFigures) -> str:
    """A unit as it signs: "Ủy ban nhân dân xã Tiên Điền"; departments by their own name."""
    name = unit.unit_name
    return name if unit.unit_level == "department" else f"Ủy ban nhân dân {name[:1].lower()}{name[1:]}"


def _titles(book: Book, sheet: Any, unit: UnitFigures, period: Period, publication: Publication) -> None:
    book.put(sheet, 0, 0, FORM, "corner_left")
    book.across(sheet, 0, (9, _LAST), "Đơn vị tính: số hồ sơ", "corner")
    book.across(sheet, 1, (0, _LAST), TITLE, "title", 24)
    book.across(sheet, 2, (0, _LAST), f"Đơn vị: {office(unit)}", "centre", 18)
    book.across(sheet, 3, (0, _LAST), f"Kỳ báo cáo: {period.title}", "centre", 18)
    stamp = (
        f"{unit.status_name}; số liệu tính đến hết ngày {wording.day(period.as_of)}; "
        f"đơn vị có dữ liệu: {unit.coverage}; lần công bố số {publication.publication_id}{period.edition}"
    )
    book.across(sheet, 4, (0, _LAST), stamp, "note", 18)


def _header(book: Book, sheet: Any) -> None:
    style = book.style("head")
    for top, left, bottom, right, heading in _MERGED:
        sheet.merge_range(_HEAD + top, left, _HEAD + bottom, right, heading, style)
    book.put(sheet, _HEAD + 2, 3, "Trực tuyến", "head")
    book.put(sheet, _HEAD + 2, 4, "Trực tiếp, dịch vụ bưu chính", "head")
    sheet.set_row(_HEAD + 2, 46)
    book.put_row(sheet, _HEAD + 3, [(number, "number") for number in _NUMBERING])


def _row(book: Book, sheet: Any, line: int, number: int | None, name: str, counts: dict[str, Any], bold: str) -> None:
    # a withheld row has no counts; a reader of the form then refuses it, as it should
    numbers = [(counts.get(counter, wording.WITHHELD), f"{bold}count") for counter in COUNTS]
    book.put_row(sheet, line, [(number, "middle"), (name, f"{bold}text"), *numbers])


def _notes(total: dict[str, Any], fields: Sequence[dict[str, Any]], unit: UnitFigures, differing: int) -> list[str]:
    notes = []
    if "withdrawn" in total:
        notes.append(
            f"Cột (9) gồm {wording.count(total['withdrawn'])} hồ sơ người nộp rút; "
            f"cột (12) gồm {wording.count(total['stopped'])} hồ sơ dừng xử lý."
        )
    told = {flag for row in (total, *fields) for flag in row.get("flags", ())}
    notes += [f"Số liệu {wording.FLAGS[flag]}." for flag in wording.FLAGS if flag in told]
    if unit.units_expected is not None and unit.units_reported != unit.units_expected:
        notes.append(f"Mới có {unit.coverage} đơn vị có dữ liệu; số tổng chưa đủ.")
    if differing:
        notes.append(
            f"Báo cáo tổng hợp về đơn vị khác số tính từ hồ sơ ở {wording.count(differing)} ô (trang Đối chiếu)."
        )
    notes.append("Hạn tính theo ngày: trả đúng ngày hẹn là đúng hạn.")
    return notes


def _below(sheet: Any, line: int, notes: Sequence[str]) -> None:
    """Notes, source and signatures as boxes drawn below the table."""
    text = "Ghi chú:\n" + "\n".join(f"– {note}" for note in notes) + f"\nBiểu mẫu: {SOURCE}."
    text += "\nNguồn số liệu: hồ sơ do các hệ thống một cửa xuất hằng đêm, tính theo từng hồ sơ."
    _box(sheet, line, 0, text, width=760, height=22 + 19 * (len(notes) + 2), align="left")
    below = line + 3 + len(notes)
    _box(sheet, below, 1, "NGƯỜI LẬP BIỂU\n(Ký, ghi rõ họ tên)", width=300, height=110, align="center")
    _box(sheet, below, 8, "THỦ TRƯỞNG ĐƠN VỊ\n(Ký, đóng dấu)", width=330, height=110, align="center")


def _box(sheet: Any, line: int, column: int, text: str, *, width: int, height: int, align: str) -> None:
    sheet.insert_textbox(
        line,
        column,
        text,
        {
            "width": width,
            "height": height,
            "font": {"name": "Times New Roman", "size": 11},
            "align": {"text": align, "vertical": "top"},
            "line": {"none": True},
            "fill": {"none": True},
        },
    )
