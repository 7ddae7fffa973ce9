"""Bytes become rows of text: every cell a layout asks for, numbered by sheet and row, personal columns left behind.

Runs in a child process of its own (`reader_process`), so it imports neither pandas nor a database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tthc.domain.errors import FileRefused
from tthc.domain.text import clean, fold
from tthc.reference.layouts import Layout
from tthc.staging import read_csv, read_json, read_xlsx
from tthc.staging.grid import Grid, heading_key, match_header
from tthc.staging.inspect import look

_NUMBERING = re.compile(r"^\(?\d{1,3}\)?(?:\s*=.*)?$")


@dataclass(slots=True)
class Reading:
    """One file as text.

    `table`: one row a data row, with `sheet`, `row_no` and a string column for each mapped canonical column.
    `dropped`: (sheet, row, reason) of rows that are no data. `ragged`: the same for rows that cannot be lined up.
    `header`: every heading in its order. `totals`: rows the form itself calls a total. `titles`: what a layout looks
    for above the table.
    """

    table: pa.Table
    rows_read: int
    header_row: int
    header: list[str] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dropped: list[tuple[str, int, str]] = field(default_factory=list)
    ragged: list[tuple[str, int, str]] = field(default_factory=list)
    totals: list[dict[str, str]] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)


def read(path: Path, layout: Layout) -> Reading:
    """Read one file by its layout. Raises FileRefused with a reason code when it cannot be trusted."""
    look(path, layout.kind)
    if layout.kind == "json":
        return _reading_of_records(path, layout)
    return _reading_of_grid((read_csv if layout.kind == "csv" else read_xlsx).grid_of(path, layout), layout)


def _reading_of_grid(grid: Grid, layout: Layout) -> Reading:
    positions = match_header(grid.header, layout)
    unlisted = _unlisted(grid.header, layout)
    missing = [column for column in layout.columns if column.required and column.name not in positions]
    if missing:
        names = ", ".join(f"«{column.headings[0]}»" for column in missing)
        detail = f"thiếu cột bắt buộc {names} / required columns are missing"
        raise FileRefused("MISSING_COLUMN", detail, tuple(clean(text) for text in grid.header))
    columns = [pc.utf8_normalize(column, form="NFC") for column in grid.columns]
    count = len(columns[0])
    numbers = (
        grid.row_numbers
        if grid.row_numbers is not None
        else pa.array(range(grid.first_row, grid.first_row + count), pa.int32())
    )
    reading = Reading(
        table=pa.table({}),
        rows_read=count + len(grid.ragged),
        header_row=grid.header_row,
        header=[clean(text) for text in grid.header],
        headings={name: clean(grid.header[position]) for name, position in positions.items()},
        unlisted=unlisted,
        absent=[column.name for column in layout.columns if column.name not in positions],
        dropped=[row for row in grid.ragged if row[2] == "BLANK"],
        ragged=[row for row in grid.ragged if row[2] != "BLANK"],
        titles=_titles(grid.titles, layout),
    )
    keep = _set_aside(columns, numbers, grid, layout, positions, reading)
    reading.table = pa.table(
        {
            "sheet": pa.array([grid.sheet] * count, pa.string()),
            "row_no": numbers,
            **{name: columns[position] for name, position in positions.items()},
        }
    ).filter(keep)
    return reading


def _unlisted(header: Sequence[str], layout: Layout) -> list[str]:
    """Headings no list of the layout names. Raises FileRefused when two headings mean one column."""
    keys = [heading_key(text) for text in header]
    listed = {heading_key(text) for text in (*layout.ignored, *layout.personal)}
    for column in layout.columns:
        wanted = {heading_key(heading) for heading in column.headings}
        hits = [clean(header[position]) for position, key in enumerate(keys) if key in wanted]
        if len(hits) > 1:
            names = ", ".join(f"«{hit}»" for hit in hits)
            raise FileRefused("DUPLICATE_COLUMN", f"nhiều cột cùng nghĩa {column.name}: {names} / one meaning twice")
        listed |= wanted
    return [clean(text) for text, key in zip(header, keys, strict=True) if key and key not in listed]


def _titles(rows: list[list[str]], layout: Layout) -> dict[str, str]:
    lines = [clean(cell) for row in rows for cell in row if cell.strip()]
    lines += [clean(" ".join(row)) for row in rows]
    found = {}
    for name, pattern in layout.titles.items():
        match = next((match for line in lines if (match := re.match(pattern, line, re.IGNORECASE))), None)
        if match is None:
            raise FileRefused("MISSING_TITLE", f"không thấy dòng «{name}» phía trên bảng / a title line is missing")
        found[name] = match.group(1).strip()
    return found


def _set_aside(
    columns: list[pa.Array],
    numbers: pa.Array,
    grid: Grid,
    layout: Layout,
    positions: dict[str, int],
    reading: Reading,
) -> pa.Array:
    """Mask of the data rows; blank, numbering, repeated-header and total rows are noted in `reading`."""
    count = len(numbers)
    totals = {fold(word) for word in layout.total_words}
    lead = columns[: min(3, len(columns))]
    # Only rows that look odd are examined one by one: a required cell empty, a total word, the header again.
    odd = pc.equal(pa.array(range(count), pa.int32()), 0)
    for column in layout.columns:
        if column.required:
            odd = pc.or_(odd, pc.equal(pc.utf8_trim_whitespace(columns[positions[column.name]]), ""))
    words = "|".join(re.escape(word) for word in layout.total_words)
    for cells in lead:
        odd = pc.or_(odd, pc.match_substring_regex(cells, f"^\\s*(?:{words})", ignore_case=True))
    first = next(iter(positions.values()))
    odd = pc.or_(odd, pc.equal(pc.utf8_lower(columns[first]), pc.utf8_lower(pa.scalar(grid.header[first]))))
    keep = [True] * count
    header_keys = [fold(text) for text in grid.header]
    for index in pc.indices_nonzero(odd).to_pylist():
        cells = [column[index].as_py() for column in columns]
        filled = [cell for cell in cells if cell.strip()]
        reason = ""
        if not filled:
            reason = "BLANK"
        elif index == 0 and len(filled) > 2 and all(_NUMBERING.match(cell.strip()) for cell in filled):
            reason = "COLUMN_NUMBERS"
        elif [fold(cell) for cell in cells] == header_keys:
            reason = "REPEATED_HEADER"
        elif any(fold(cell).rstrip(" :") in totals for cell in cells[: len(lead)]):
            reason = "TOTAL_ROW"
            reading.totals.append({name: cells[position] for name, position in positions.items()})
        if reason:
            keep[index] = False
            reading.dropped.append((grid.sheet, numbers[index].as_py(), reason))
    return pa.array(keep, pa.bool_())


def _reading_of_records(path: Path, layout: Layout) -> Reading:
    records, odd = read_json.records_of(path)
    headings = {*layout.ignored, *layout.personal, *(name for column in layout.columns for name in column.headings)}
    nested = {name.partition(".")[0] for name in headings if "." in name}
    records = [read_json.opened(record, nested) for record in records] if nested else records
    fields = {name for record in records for name in record}
    listed = {heading for column in layout.columns for heading in column.headings}
    missing = [c.headings[0] for c in layout.columns if c.required and records and not fields & set(c.headings)]
    if missing:
        detail = f"thiếu trường bắt buộc {', '.join(missing)} / required fields are missing"
        raise FileRefused("MISSING_COLUMN", detail, tuple(sorted(fields)))
    skipped = set(odd)
    numbers = [number for number in range(1, len(records) + len(odd) + 1) if number not in skipped]
    cells = {c.name: [read_json.text_of(record, c) for record in records] for c in layout.columns}
    return Reading(
        table=pa.table(
            {
                "sheet": pa.array([""] * len(records), pa.string()),
                "row_no": pa.array(numbers, pa.int32()),
                **{name: pc.utf8_normalize(pa.array(texts, pa.string()), form="NFC") for name, texts in cells.items()},
            }
        ),
        rows_read=len(records) + len(odd),
        header_row=0,
        header=sorted(fields),
        headings={c.name: c.headings[0] for c in layout.columns if fields & set(c.headings)},
        unlisted=sorted(fields - listed - {*layout.ignored, *layout.personal}),
        absent=[c.name for c in layout.columns if records and not fields & set(c.headings)],
        ragged=[("", number, "JSON_SHAPE") for number in odd],
    )
