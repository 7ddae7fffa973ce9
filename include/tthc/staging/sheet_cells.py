"""Whether the cells of a sheet follow one another, so that none is stated twice, and how far they reach.

A reader lets the last statement of a cell win, and nobody would know of the other. Excel writes rows and cells in
ascending order and opens no file in which they are not.
"""

from __future__ import annotations

import re

import numpy as np

_TAG = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])([^>]*)>")
_ROW = re.compile(rb"\sr\s*=\s*[\"'](\d{1,19})[\"']")
_CELL = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]+)(\d+)[\"']")
_NAME = 11  # bytes of the longest name of a cell of a workbook, XFD1048576, and the quote behind it
_START = np.frombuffer(b' r="', np.uint8)
_ENDS_NAME = np.isin(np.arange(256), np.frombuffer(b" \t\r\n/>", np.uint8))  # of a tag, by its byte


class SheetCells:
    """Follows the cells of one sheet through its bytes; `rows` and `columns` tell how far any of them lies, `in_order`
    whether each follows the one before, `odd` (row, column), from 1, the first that does not."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.odd: tuple[int, int] | None = None
        self._rest = b""
        self._row = self._column = 0

    @property
    def in_order(self) -> bool:
        return self.odd is None

    def add(self, text: bytes) -> None:
        """The next bytes of the sheet."""
        text = self._rest + text
        end = text.rfind(b"<")
        text, self._rest = text[: max(end, 0)], text[max(end, 0) :]
        names = None if b":" in text and b":c" in text else _plain_names(text)
        if names is None:
            self._one_by_one(text)
        elif len(names[0]):
            rows, columns = names
            keys = rows * (1 << 15) + columns
            follows = keys > np.concatenate(([self._row * (1 << 15) + self._column], keys[:-1]))
            if self.in_order and not follows.all():
                at = int(np.argmin(follows))
                self.odd = int(rows[at]), int(columns[at])
            self._row, self._column = int(rows[-1]), int(columns[-1])
            self.rows, self.columns = max(self.rows, int(rows.max())), max(self.columns, int(columns.max()))

    def _one_by_one(self, text: bytes) -> None:
        """The same where rows or cells have no name, or their tags are written in another way."""
        for kind, attributes in _TAG.findall(text):
            if kind == b"row":
                name = _ROW.search(attributes)
                row, column = (int(name.group(1)) if name else self._row + 1), 0
            else:
                cell = _CELL.search(attributes)
                row, column = (self._row, self._column + 1) if cell is None else _place(*cell.groups())
            if self.in_order and (row, column) <= (self._row, self._column):
                self.odd = row, column
            self._row, self._column = row, column
            self.rows, self.columns = max(self.rows, row), max(self.columns, column)


def _plain_names(text: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """(rows, columns) of the cells, counted from 1; None where not all of them begin `<c r="A1"`."""
    data = np.frombuffer(text + b"\0" * (len(_START) + _NAME), np.uint8)
    starts = np.flatnonzero((data[:-1] == ord("<")) & (data[1:] == ord("c"))) + 2
    starts = starts[_ENDS_NAME[data[starts]]]
    if any((data[starts + place] != byte).any() for place, byte in enumerate(_START)):
        return None
    starts += len(_START)
    behind = np.ndarray((len(data) - _NAME + 1,), f"V{_NAME}", data, strides=(1,))  # of every byte, those from it on
    names = behind[starts].view(np.uint8).reshape(-1, _NAME)
    rows, columns = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int32)
    numbered, ended = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    for place, byte in enumerate(names.T):
        known = ended | (numbered & (byte == ord('"')))
        if place < 3:
            letter = (byte - np.uint8(ord("A")) < 26) & ~numbered
            columns = np.where(letter, columns * 26 + byte - (ord("A") - 1), columns)
            known |= letter
        if place:
            digit = (byte - np.uint8(ord("0")) < 10) & ~ended
            rows = np.where(digit, rows * 10 + byte - ord("0"), rows)
            numbered, ended = numbered | digit, ended | (numbered & (byte == ord('"')))
            known |= digit
        if not known.all():
            return None
        if ended.all():
            return rows, columns
    return None


def _place(letters: bytes, digits: bytes) -> tuple[int, int]:
    column = 0
    for letter in letters[:9].upper():
        column = column * 26 + letter - 64
    return int(digits[:20]), column
