"""How every workbook that leaves the house looks, and that nothing in it can run: texts stay texts."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.settings import LOCAL

_A4 = 9
_LINE = 14.5  # points a line of text takes
_LONGEST_TEXT = 8_000  # Excel takes 32,767 letters a cell, and a cell of more would silently stay empty
# Dots between thousands whatever the reader's locale: a comma there would be read as a decimal comma.
_COUNT = '[>=1000000]#"."000"."000;[>=1000]#"."000;0'
_BASE = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
_FRAMED = _BASE | {"border": 1, "border_color": "#7F7F7F"}
_CELL = _FRAMED | {"text_wrap": True}
_NUMBER = _FRAMED | {"num_format": _COUNT, "align": "right", "indent": 1}
_STYLES: dict[str, dict[str, Any]] = {
    "title": _BASE | {"bold": True, "font_size": 14, "align": "center", "text_wrap": True},
    "centre": _BASE | {"align": "center", "text_wrap": True},
    "strong": _BASE | {"bold": True, "text_wrap": True},
    "plain": _BASE | {"text_wrap": True, "valign": "top"},
    "corner": _BASE | {"italic": True, "align": "right"},
    "corner_left": _BASE | {"bold": True},
    "note": _BASE | {"italic": True, "align": "center", "text_wrap": True},
    "head": _CELL | {"bold": True, "align": "center", "bg_color": "#DCE6F1"},
    "number": _CELL | {"italic": True, "align": "center", "font_size": 9},
    "text": _CELL | {"indent": 1},
    "middle": _CELL | {"align": "center"},
    "repair": _CELL | {"align": "center", "bold": True, "bg_color": "#FFF200"},
    "count": _NUMBER,
    "rate": _CELL | {"align": "right", "indent": 1},
    "total_text": _CELL | {"bold": True, "indent": 1},
    "total_middle": _CELL | {"bold": True, "align": "center"},
    "total_count": _NUMBER | {"bold": True},
    "total_rate": _CELL | {"bold": True, "align": "right", "indent": 1},
    "section": _CELL | {"bold": True, "indent": 1, "bg_color": "#F2F2F2"},
    "input_count": _NUMBER | {"locked": False, "bg_color": "#FFF9DB"},
    "input_text": _CELL | {"locked": False, "bg_color": "#FFF9DB"},
    "wrong": {"font_color": "#8E0000", "bg_color": "#FDECEA"},
    "good": _CELL | {"align": "center", "bold": True, "font_color": "#1B5E20", "bg_color": "#E8F5E9"},
    "bad": _CELL | {"align": "center", "bold": True, "font_color": "#8E0000", "bg_color": "#FDECEA"},
}


@dataclass(slots=True)
class Book:
    """A workbook being written. Every cell goes through `put`, which never writes a formula or a link."""

    file: Any
    _formats: dict[str, Any] = field(default_factory=dict)
    _widths: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def style(self, name: str) -> Any:
        if name not in self._formats:
            self._formats[name] = self.file.add_format(_STYLES[name])
        return self._formats[name]

    def sheet(self, name: str, widths: Sequence[float], *, repeat: tuple[int, int] | None = None) -> Any:
        """A sheet for A4 landscape, one page wide, with numbered pages; `repeat`: header rows of every page."""
        sheet = self.file.add_worksheet(name)
        self._widths[name] = tuple(widths)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.set_footer("&L&9&A&R&9Trang &P/&N")
        sheet.hide_gridlines(2)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        if repeat:
            sheet.repeat_rows(*repeat)
            sheet.freeze_panes(repeat[1] + 1, 0)
        return sheet

    def put(self, sheet: Any, row: int, column: int, value: str | int | None, style: str) -> None:
        if value is None or value == "":
            sheet.write_blank(row, column, None, self.style(style))
        elif isinstance(value, int):
            sheet.write_number(row, column, value, self.style(style))
        else:
            sheet.write_string(row, column, value[:_LONGEST_TEXT], self.style(style))

    def put_row(self, sheet: Any, row: int, cells: Sequence[tuple[str | int | None, str]]) -> None:
        """A row of a table, as high as its longest text needs."""
        widths = self._widths[sheet.get_name()]
        lines = max(math.ceil(len(str(value or "")) / width) for (value, _), width in zip(cells, widths, strict=False))
        sheet.set_row(row, _LINE * max(lines, 1) + 3)
        for column, (value, style) in enumerate(cells):
            self.put(sheet, row, column, value, style)

    def across(self, sheet: Any, row: int, columns: tuple[int, int], text: str, style: str, height: float = 0) -> None:
        """One text over several columns."""
        sheet.merge_range(row, columns[0], row, columns[1], "", self.style(style))
        self.put(sheet, row, columns[0], text, style)
        if height:
            sheet.set_row(row, height)

    def head(self, sheet: Any, row: int, headings: Sequence[str], height: float = 32) -> None:
        sheet.set_row(row, height)
        for column, heading in enumerate(headings):
            self.put(sheet, row, column, heading, "head")


@contextmanager
def writing(target: Path | BytesIO, *, title: str, made_at: datetime, row_by_row: bool = False) -> Iterator[Book]:
    """A workbook written to memory, or to a file that appears whole or not at all.

    `row_by_row` keeps memory flat at any length; rows must then be written in order. Raises OutsideSystemFailed.
    """
    if isinstance(target, BytesIO):
        with _open(target, title, made_at, row_by_row) as book:
            yield book
        return
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _open(str(unfinished), title, made_at, row_by_row) as book:
            yield book
        os.replace(unfinished, target)
    except OSError as error:
        raise OutsideSystemFailed(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


@contextmanager
def _open(target: str | BytesIO, title: str, made_at: datetime, row_by_row: bool) -> Iterator[Book]:
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": row_by_row,
        "in_memory": not row_by_row,
    }
    try:
        with xlsxwriter.Workbook(target, options) as file:
            file.set_properties({"title": title, "created": made_at.astimezone(LOCAL).replace(tzinfo=None)})
            yield Book(file)
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(str(error)) from error


def checked_target(target: Path) -> Path:
    """Where a workbook may go. Raises Misconfigured."""
    if target.suffix.lower() != ".xlsx" or target.is_dir():
        raise Misconfigured(f"--out must name a file that ends in .xlsx, not {str(target)!r}")
    if not target.parent.is_dir():
        raise Misconfigured(f"the folder {str(target.parent)!r} of --out does not exist")
    return target
