"""CSV line by line, for what no plain reader may decide: lone quotes, line ends in cells, odd rows, a cut end.

A quote that opens no cell, or closes none, is a character like any other as long as its line has as many cells as the
header. So a stray quote in a name neither swallows the next row nor refuses its own.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from tthc.domain.errors import FileRefused

# Of one record: a quote that is still open then was none.
LOOK_AHEAD, _MAX_TEXT, _ROWS_END_IT = 200, 1 << 16, 3  # lines, letters, whole rows
_DOS_END = b"\x1a"  # what old systems write behind the last line
_BLOCK = 4096

csv.field_size_limit(1 << 26)


def cut_at(line: int) -> FileRefused:
    """The last row is not whole."""
    detail = f"dòng cuối (dòng {line}) bị cắt giữa chừng, tệp chưa trọn vẹn; hãy xuất và gửi lại"
    return FileRefused("FILE_TRUNCATED", f"{detail} / the last row is cut, the file is not whole")


@dataclass(frozen=True, slots=True)
class Carefully:
    """`numbers`: offsets of the rows that `columns` hold. `padded`: positions of those with too few cells, filled up
    with empty ones; what they are remains to be seen. `odd`: (offset, BLANK or RAGGED) of the others. `rows`: how many
    there are of both; a record counts as one row. `goes_on`: the last one ends behind the part it was read from.
    """

    columns: list[pa.Array]
    numbers: list[int]
    padded: list[int]
    odd: list[tuple[int, str]]
    rows: int
    goes_on: bool


def read_carefully(part: bytes, below: bytes, delimiter: str, width: int, first_row: int) -> Carefully:
    """The records that begin in a part of a file; its first row is `first_row` of the file.

    `below` are lines that follow the part, at least LOOK_AHEAD of them if there are so many; b"" where the file ends.
    Raises FileRefused FILE_TRUNCATED when the file's last record is short and nothing ends it.
    """
    lines = [line.removesuffix(b"\r") for line in part.split(b"\n")]
    whole = bool(below) or lines[-1] in (b"", _DOS_END)
    if whole:
        lines.pop()
    own = len(lines)
    lines += [line.removesuffix(b"\r") for line in below.removesuffix(b"\n").split(b"\n")] if below else []
    parts: list[list[pa.Array]] = [[pa.array([], pa.string())] * width]
    kept: list[list[str]] = []
    numbers: list[int] = []
    padded: list[int] = []
    odd: list[tuple[int, str]] = []
    at = row = 0
    while at < own:
        cells, used = _record(lines, at, delimiter, width, whole)
        if used == 0:
            raise cut_at(first_row + row)
        at += used
        if len(cells) == width:
            kept.append(cells)
            numbers.append(row)
        elif not any(cell.strip() for cell in cells):
            odd.append((row, "BLANK"))
        elif at >= own and not whole and len(cells) < width:
            raise cut_at(first_row + row)
        elif len(cells) < width:
            padded.append(len(numbers))
            kept.append([*cells, *[""] * (width - len(cells))])
            numbers.append(row)
        else:
            odd.append((row, "RAGGED"))
        row += 1
        if len(kept) == _BLOCK:
            parts.append(_columns(kept))
            kept = []
    if kept:
        parts.append(_columns(kept))
    columns = [pa.concat_arrays(pieces) for pieces in zip(*parts, strict=True)]
    return Carefully(columns, numbers, padded, odd, row, at > own)


def ends_with_delimiter(part: bytes, delimiter: str, width: int) -> bool | None:
    """Whether every line has one delimiter more than the header, at its end, but for lines that are too short; None
    where all are. Where only some have, a cell of theirs was cut in two."""
    mark, found = delimiter.encode(), None
    for line in part.split(b"\n"):
        if b'"' in line:
            cells = strictly(line.decode(), delimiter)
            if cells is None:
                return False
            count, last = len(cells) - 1, cells[-1]
        else:
            count, last = line.count(mark), line.rpartition(mark)[2].decode(errors="replace")
        if count == width and not last.strip():
            found = True
        elif count >= width - 1 and line.strip():
            return False
    return found


def _columns(rows: Sequence[Sequence[str]]) -> list[pa.Array]:
    return [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]


def _record(lines: Sequence[bytes], at: int, delimiter: str, width: int, whole: bool) -> tuple[list[str], int]:
    """The cells of the record that begins on a line, and how many lines it takes; none where it is cut."""
    text = lines[at].decode()
    if '"' not in text:
        return text.split(delimiter), 1
    cells = strictly(text, delimiter)
    if cells is not None and len(cells) == width:
        return cells, 1
    literal = _literally(text, delimiter)
    if cells is None:
        longer, used = _continued(lines, at, delimiter, width)
        # Two lines that are each a whole row are two rows, whatever quotes they hold.
        if longer is not None and not (len(literal) == width == lines[at + used - 1].decode().count(delimiter) + 1):
            return longer, used
        if at + 1 == len(lines) and not whole and literal[-1].startswith('"'):
            return [], 0
    return (literal if cells is None or len(literal) == width else cells), 1


def _continued(lines: Sequence[bytes], at: int, delimiter: str, width: int) -> tuple[list[str] | None, int]:
    """The cells of a record that goes on below because a quoted cell holds line ends, and its number of lines."""
    text, rows = lines[at].decode(), 0
    for end in range(at + 1, min(at + LOOK_AHEAD, len(lines))):
        following = lines[end].decode()
        rows += following.count(delimiter) == width - 1
        if rows == _ROWS_END_IT or len(text) > _MAX_TEXT:
            break
        text += "\n" + following
        if '"' in following and (cells := strictly(text, delimiter)) is not None:
            return (cells if len(cells) == width else None), end - at + 1
    return None, 0


def strictly(text: str, delimiter: str) -> list[str] | None:
    """The cells of one whole record, None where a quote is not closed or something follows a closed one."""
    try:
        rows = list(csv.reader(text.splitlines(keepends=True) or [""], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _literally(text: str, delimiter: str) -> list[str]:
    """The cells between delimiters; only a cell that is quoted as a whole, but for spaces behind, loses its quotes."""
    return [
        match.group(1).replace('""', '"') if (match := re.fullmatch(r'"((?:[^"]|"")*)" *', cell)) else cell
        for cell in text.split(delimiter)
    ]
