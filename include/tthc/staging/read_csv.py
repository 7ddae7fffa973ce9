"""CSV as text: declared encodings, the delimiter that finds the header, rows with a wrong number of cells set aside."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.staging.grid import Grid, find_header, match_header

_PEEK = 64 * 1024


def text_of(path: Path, layout: Layout) -> bytes:
    """The file as UTF-8 bytes. A byte-order mark decides; else the first declared encoding that reads every byte."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif data.startswith(b"\xef\xbb\xbf"):
        data, encodings = data[3:], ["utf-8"]
    else:
        encodings = [name for name in layout.encodings if name != "utf-16"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return data if encoding == "utf-8" else text.encode()
    raise FileRefused("ENCODING", f"bảng mã không phải {', '.join(layout.encodings)} / not in a declared encoding")


def grid_of(path: Path, layout: Layout) -> Grid:
    """Raises FileRefused: ENCODING, UNCLOSED_QUOTE, HEADER, NUL_BYTE."""
    data = text_of(path, layout)
    if b"\0" in data:
        raise FileRefused("NUL_BYTE", "tệp chứa byte 0 / the file holds zero bytes")
    if data.count(b'"') % 2:
        raise FileRefused("FILE_TRUNCATED", "dấu ngoặc kép không đóng, tệp có thể bị cắt / an unclosed quote")
    start = 0
    if data[:4].lower() == b"sep=":
        start = data.index(b"\n") + 1 if b"\n" in data else len(data)
    peek = data[start : start + _PEEK].decode(errors="ignore")
    best: tuple[int, str, list[list[str]]] = (-1, ",", [])
    for delimiter in layout.delimiters:
        rows = list(
            itertools.islice(
                csv.reader(io.StringIO(peek), delimiter=delimiter), layout.header_within + layout.header_depth
            )
        )
        found = find_header(rows, layout)
        hits = len(match_header(found[2], layout)) if found else 0
        if hits > best[0]:
            best = (hits, delimiter, rows)
    hits, delimiter, rows = best
    found = find_header(rows, layout)
    if found is None:
        raise FileRefused("HEADER", "không tìm thấy dòng tiêu đề của mẫu này / no header row of this layout")
    index, depth, header = found
    body = _after_rows(data, start, delimiter, index + depth)
    first_row = index + depth + 1 + (1 if start else 0)
    return _parse(data[body:], delimiter, header, first_row, rows[:index])


def _after_rows(data: bytes, start: int, delimiter: str, count: int) -> int:
    """Offset of the byte after the first `count` records, which may hold quoted line ends."""
    stream = io.BytesIO(data[start:])
    lines = (line.decode(errors="replace") for line in iter(stream.readline, b""))
    reader = csv.reader(lines, delimiter=delimiter)
    for _ in range(count):
        next(reader, None)
    return start + stream.tell()


def _parse(data: bytes, delimiter: str, header: list[str], first_row: int, titles: list[list[str]]) -> Grid:
    width = len(header)
    ragged: list[tuple[str, int, str]] = []

    def set_aside(row: pacsv.InvalidRow) -> str:
        cells = next(csv.reader([row.text], delimiter=delimiter), [])
        blank = not any(cell.strip() for cell in cells)
        ragged.append(("", first_row + row.number - 1, "BLANK" if blank else "RAGGED"))
        return "skip"

    names = [f"c{position}" for position in range(width)]
    if not data.strip():
        columns = [pa.array([], pa.string()) for _ in names]
        return Grid("", first_row, columns, titles, header, first_row - 1)
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise FileRefused("FILE_CORRUPT", "không đọc được bảng CSV / the table cannot be read") from error
    count = table.num_rows + len(ragged)
    skipped = {row_no for _, row_no, _ in ragged}
    numbers = [number for number in range(first_row, first_row + count) if number not in skipped] if skipped else None
    columns = [table.column(name).combine_chunks() for name in names]
    row_numbers = pa.array(numbers, pa.int32()) if numbers is not None else None
    return Grid("", first_row, columns, titles, header, first_row - 1, row_numbers, ragged)
