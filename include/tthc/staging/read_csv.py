"""CSV as text: declared encodings, the delimiter that finds the header, rows with a wrong number of cells set aside."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import mmap
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.staging.at_once import at_once, processors
from tthc.staging.careful_csv import LOOK_AHEAD, cut_at, ends_with_delimiter, read_carefully, strictly
from tthc.staging.composed import composed, is_composed
from tthc.staging.grid import FoundHeader, Grid, find_header, known_headings, left_behind, refuse_table_above
from tthc.staging.inspect_workbook import MAX_COLUMNS

_Bytes = bytes | mmap.mmap  # of a file, or of its text in another encoding

_PEEK = 64 * 1024
_PIECE = 1 << 22  # bytes of a file that are read at a time, at most; much smaller ones cost more than they spare
_BLOCK = _PIECE >> 2  # bytes of them that Arrow cuts into lines and cells at a time
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_CUT = {"unexpected end of data", "truncated data"}  # what Python says of half a character at the end
_LINE_END, _RETURN, _QUOTE = b'\n\r"'


def text_of(path: Path, layout: Layout) -> tuple[_Bytes, int]:
    """The file as UTF-8 bytes, and where its text begins. A byte-order mark decides; else the first declared encoding
    that reads every byte."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    start, line, encodings = 0, 1, [name for name in layout.encodings if name != "utf-16"]
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encodings = ["utf-16"]
    elif data[:3] == codecs.BOM_UTF8:
        start, encodings = len(codecs.BOM_UTF8), ["utf-8"]
    if encodings != ["utf-16"] and data[-2:] == b"\0\0":
        detail = "tệp kết thúc bằng các byte 0, phần cuối đã mất khi ghi hoặc truyền; hãy xuất và gửi lại"
        raise FileRefused("FILE_TRUNCATED", f"{detail} / zeros stand where the end of the file should")
    for encoding in encodings:
        if encoding == "utf-8" and _is_utf8(data):
            return data, start
        try:
            text = data[start:].decode(encoding)
        except UnicodeDecodeError as error:
            line = data[: start + error.start].count(b"\n") + 1
            if encodings in (["utf-8"], ["utf-16"]) and error.reason in _CUT:
                raise cut_at(line) from error
            continue
        if encoding != "utf-8":
            return text.encode(), 0
    where = f"bảng mã không phải {', '.join(layout.encodings)}, từ dòng {line}; hãy xuất lại bằng UTF-8"
    raise FileRefused("ENCODING", f"{where} / not in a declared encoding")


def _is_utf8(data: _Bytes) -> bool:
    """Checked without making a text of it. Text of another width, read as bytes, is one quarter zeros or more."""
    if data[:_PEEK].count(b"\0") * 4 > len(data[:_PEEK]):
        return False
    whole = pa.py_buffer(data)
    return all(at_once(lambda piece: _is_utf8_piece(whole[slice(*piece)]), _pieces(data, 0)))


def _is_utf8_piece(data: pa.Buffer) -> bool:
    offsets = pa.py_buffer((0).to_bytes(8, "little") + data.size.to_bytes(8, "little"))
    try:
        pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, data]).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _pieces(data: _Bytes, start: int) -> list[tuple[int, int]]:
    """(first byte, byte after the last) of parts that end with a line; no character of UTF-8 lies in two of them."""
    pieces = []
    count = -(-(len(data) - start) // _PIECE)
    if count > 1:  # every processor gets as many of them
        count += -count % processors()
    size = -(-(len(data) - start) // max(count, 1))
    while start < len(data):
        end = data.find(b"\n", start + size) + 1 or len(data)
        pieces.append((start, end))
        start = end
    return pieces


def grid_of(path: Path, layout: Layout) -> Grid:
    """Raises FileRefused: ENCODING, FILE_TRUNCATED, HEADER, EXTENT, SEVERAL_TABLES."""
    data, start = text_of(path, layout)
    if data.find(b"\n") < 0 <= data.find(b"\r"):
        data = data[:].replace(b"\r", b"\n")
    named = data[start : start + 4].lower() == b"sep="
    if named:
        start = data.find(b"\n", start) + 1 or len(data)
    delimiter, rows, found = _best_delimiter(data[start : start + _PEEK], layout)
    if found is None:
        where = f"trong {layout.header_within} dòng đầu không có dòng tiêu đề của mẫu này"
        raise FileRefused("HEADER", f"{where} / no header row of this layout")
    index, depth, header = found
    refuse_table_above(rows, index, layout, int(named))
    if len(header) > MAX_COLUMNS:
        raise FileRefused("EXTENT", f"bảng có hơn {MAX_COLUMNS} cột / more than {MAX_COLUMNS} columns")
    body = _after_rows(data, start, delimiter, index + depth)
    first_row = index + depth + 1 + named
    grid = Grid("", first_row, [], rows[:index], header, first_row - 1)
    if len(data) - body < _PEEK and not data[body:].strip(b"\r\n"):
        grid.columns = [pa.array([], pa.string())] * len(header)
        grid.row_numbers = pa.array([], pa.int32())
        grid.ragged = [("", first_row + row, "BLANK") for row in range(data[body:].count(b"\n"))]
    else:
        table = _Table(data, _Form(delimiter, len(header)), left_behind(header, layout), _pieces(data, body), first_row)
        grid.columns, grid.row_numbers, grid.unread = table.columns(), table.row_numbers(), table.unread
        grid.composed = True
        grid.padded = frozenset(table.padded())
        grid.ragged = [("", number, reason) for part in table.parts for number, reason in part.odd]
    return grid


def _best_delimiter(peek: bytes, layout: Layout) -> tuple[str, list[list[str]], FoundHeader | None]:
    """The delimiter by which most headings are found, the first rows cut by it, and the header among them."""
    text = peek.decode(errors="ignore")
    best: tuple[int, str, list[list[str]], FoundHeader | None] = (-1, ",", [], None)
    for delimiter in [one for one in layout.delimiters if one in text] or layout.delimiters[:1]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = list(itertools.islice(reader, layout.header_within + layout.header_depth))
        found = find_header(rows, layout)
        hits = known_headings(found[2], layout) if found else 0
        if hits > best[0]:
            best = (hits, delimiter, rows, found)
    return best[1:]


def _after_rows(data: _Bytes, start: int, delimiter: str, count: int) -> int:
    """Offset of the byte after the first `count` records, which may hold quoted line ends."""
    used = 0

    def lines() -> Iterator[str]:
        nonlocal used
        for match in _LINE.finditer(data[start : start + 2 * _PEEK]):
            used = match.end()
            yield match.group().decode(errors="replace")

    reader = csv.reader(lines(), delimiter=delimiter)
    for _ in range(count):
        next(reader, None)
    return start + used


@dataclass(frozen=True, slots=True)
class _Form:
    """How a line becomes cells."""

    delimiter: str
    width: int

    @property
    def names(self) -> list[str]:
        return [f"c{at}" for at in range(self.width)]


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of some bytes of a file. `table` lacks the columns left behind if every line is a row, and was `plain`
    to read. `numbers`: those of its rows in the file, `end`: the one after the last. `padded`: positions of rows with
    too few cells, `odd`: (number, reason) of what is no row."""

    piece: tuple[int, int]
    table: pa.Table
    plain: bool
    numbers: pa.Array
    end: int
    padded: Sequence[int] = ()
    odd: Sequence[tuple[int, str]] = ()


class _Table:
    """A table read in parts: by Arrow where every line is a row, line by line where quotes do not add up, cells hold
    line ends, or rows have too many or too few cells. Raises FileRefused FILE_TRUNCATED."""

    def __init__(
        self, data: _Bytes, form: _Form, left: set[int], pieces: list[tuple[int, int]], first_row: int
    ) -> None:
        self.data, self.form, self.left, self.width = data, form, left, form.width
        self.parts: list[_Part] = []
        tables = self._plainly(pieces)
        none = all(table is None for table in tables)
        if none and self._ends_with_delimiter(pieces):  # it adds a column without a heading or a cell
            self.form, self.left = _Form(form.delimiter, form.width + 1), left | {form.width}
            tables = self._plainly(pieces)
        waiting = list(zip(pieces, tables, strict=True))[::-1]
        while waiting:
            piece, table = waiting.pop()
            if table is not None:
                numbers = pa.array(np.arange(first_row, first_row + table.num_rows, dtype=np.int32))
                part = _Part(piece, table, True, numbers, first_row + table.num_rows)
            else:
                while (found := self._carefully(piece, first_row)) is None:  # its last row ends in the next piece
                    piece = (piece[0], waiting.pop()[0][1])
                part = found
            self.parts.append(part)
            first_row = part.end

    def _plainly(self, pieces: list[tuple[int, int]]) -> list[pa.Table | None]:
        """None where a line is not a row. One processor looks at the letters while the others read: numpy on several
        of them waits for the interpreter more than it works."""

        def look() -> list[bool]:
            letters = np.frombuffer(self.data, np.uint8)
            return [is_composed(letters[slice(*piece)]) for piece in pieces]

        def read(piece: tuple[int, int]) -> pa.Table | None:
            try:
                return _piece(self.data, piece, self.form, self.left)
            except pa.ArrowInvalid:
                return None

        work: list[Callable[[], Any]] = [look, *(partial(read, piece) for piece in pieces)]
        plain, *tables = at_once(lambda one: one(), work)
        return [table and (table if as_is else composed(table)) for as_is, table in zip(plain, tables, strict=True)]

    def _ends_with_delimiter(self, pieces: list[tuple[int, int]]) -> bool:
        found = False
        for begin, end in pieces:
            ends = ends_with_delimiter(self.data[begin:end], self.form.delimiter, self.form.width)
            if ends is False:
                return False
            found |= bool(ends)
        return found

    def _carefully(self, piece: tuple[int, int], first_row: int) -> _Part | None:
        begin, end = piece
        below = self.data[end : _after_lines(self.data, end, LOOK_AHEAD)]
        read = read_carefully(self.data[begin:end], below, self.form.delimiter, self.form.width, first_row)
        if read.goes_on:
            return None
        table = composed(pa.table(read.columns, self.form.names))
        numbers = pa.array(np.array(read.numbers, np.int32) + np.int32(first_row))
        odd = [(first_row + row, why) for row, why in read.odd]
        return _Part(piece, table, False, numbers, first_row + read.rows, read.padded, odd)

    def columns(self) -> list[pa.ChunkedArray | pa.Array]:
        kept = [name for at, name in enumerate(self.form.names) if at not in self.left]
        read = pa.concat_tables(part.table.select(kept) for part in self.parts)
        empty = pa.nulls(sum(part.table.num_rows for part in self.parts))
        names = self.form.names[: self.width]
        return [empty if at in self.left else read[name] for at, name in enumerate(names)]

    def padded(self) -> Iterator[int]:
        """Positions of rows with too few cells."""
        begin = 0
        for part in self.parts:
            yield from (begin + at for at in part.padded)
            begin += part.table.num_rows

    def row_numbers(self) -> pa.Array:
        return pa.concat_arrays([part.numbers for part in self.parts])

    def unread(self, rows: Sequence[int]) -> dict[int, pa.Array]:
        """The cells of some rows, in ascending order, in the columns left behind."""
        names = [self.form.names[at] for at in sorted(self.left)]
        found = [pa.table([pa.array([], pa.string())] * len(names), names)]
        begin = 0
        for part in self.parts:
            here = [row - begin for row in rows if begin <= row < begin + part.table.num_rows]
            begin += part.table.num_rows
            if here:
                others = set(range(self.form.width)) - self.left
                table = _piece(self.data, part.piece, self.form, others) if part.plain else part.table
                found.append(table.select(names).take(here))
        together = pa.concat_tables(found)
        return {at: together[self.form.names[at]] for at in self.left}


def _after_lines(data: _Bytes, start: int, count: int) -> int:
    """Offset of the byte after some lines, or of the end."""
    for _ in range(count):
        start = data.find(b"\n", start) + 1 or len(data)
    return start


def _piece(data: _Bytes, piece: tuple[int, int], form: _Form, left: set[int]) -> pa.Table:
    """The rows of one part, without some columns. Raises ArrowInvalid where a line is not a row, so no cell can go on
    in the next part."""
    begin, end = piece
    quotes = data.find(b'"', begin, end) >= 0 and _quotes(data, piece, form)
    table = _read(pa.py_buffer(data)[begin:end], form, left, quoted=quotes > 0)
    if quotes:
        lines = _count(data, piece, _LINE_END) + (data[end - 1] != _LINE_END)
        last = data[data.rfind(b"\n", begin, end - 1) + 1 or begin : end]
        if lines != table.num_rows or quotes % 2 or not _is_closed(last, form):
            raise pa.ArrowInvalid("quotes")
    return table


def _quotes(data: _Bytes, piece: tuple[int, int], form: _Form) -> int:
    """How many quotes stand in a piece. Raises ArrowInvalid where one stands within a cell: Arrow leaves it out."""
    begin, end = piece
    letters = np.full(end - begin + 2, _LINE_END, np.uint8)
    letters[1:-1] = np.frombuffer(data, np.uint8)[begin:end]
    count = 0
    for at in range(0, end - begin, _PEEK):
        block = letters[at : at + _PEEK + 2]
        quotes = block == _QUOTE
        edges = quotes | (block == ord(form.delimiter)) | (block == _LINE_END) | (block == _RETURN)
        if (quotes[1:-1] > (edges[:-2] | edges[2:])).any():
            raise pa.ArrowInvalid("quotes")
        count += int(np.count_nonzero(quotes[1:-1]))
    return count


def _count(data: _Bytes, piece: tuple[int, int], letter: int) -> int:
    """How often a letter of ASCII stands in a piece; many times as fast as counting in Python, and beside others."""
    begin, end = piece
    letters = np.frombuffer(data, np.uint8)[begin:end]
    return sum(int(np.count_nonzero(letters[at : at + _PEEK] == letter)) for at in range(0, end - begin, _PEEK))


def _is_closed(line: bytes, form: _Form) -> bool:
    """Whether the last line of a part ends outside of quotes: Arrow would end an open cell there without a word."""
    cells = strictly(line.decode().rstrip("\r\n"), form.delimiter) if b'"' in line else ()
    return cells is not None and (not cells or len(cells) == form.width)


def _read(data: pa.Buffer, form: _Form, left: set[int], *, quoted: bool) -> pa.Table:
    names = form.names
    return pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=_BLOCK),
        parse_options=pacsv.ParseOptions(
            delimiter=form.delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=[name for at, name in enumerate(names) if at not in left],
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )
