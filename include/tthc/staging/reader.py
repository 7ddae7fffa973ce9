"""Bytes become rows of text: every cell a layout asks for, numbered by sheet and row, personal columns left behind.

Runs in a child process of its own (`reader_process`), so it imports neither pandas nor a database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tthc.domain.errors import FileRefused
from tthc.domain.text import clean, shown
from tthc.reference.layout import Layout
from tthc.staging import legacy_encodings, read_csv, read_html, read_json, read_xlsx
from tthc.staging.composed import composed
from tthc.staging.drift import SAMPLE, Suggestion, suggest
from tthc.staging.grid import LEAD, Grid, Listed, heading_key, keys_of, letters, match_header
from tthc.staging.inspect import look
from tthc.staging.row_kinds import kinds_of

# How the lines above a table begin, by what they tell.
_TITLES = {"unit_code": "Mã đơn vị: …", "unit_name": "Đơn vị: …", "period": "Kỳ báo cáo: …"}

legacy_encodings.register()


@dataclass(slots=True)
class Reading:
    """One file as text.

    `table`: one row a data row, with `sheet`, `row_no` and a string column for each mapped canonical column.
    `dropped`: (sheet, row, reason) of rows that are no data. `ragged`: the same for rows that cannot be lined up.
    `header`: every heading in its order. `totals`: rows the form itself calls a total; under "" the number of rows one
    claims. `titles`: what a layout looks for above the table. `vanished`: usual columns the file lacks though it has
    most of them. `suggestions`: which absent columns unlisted headings may be. `claims`: (rows a total row says its
    sheet has, rows it has). `hidden_sheets`: how many sheets nobody sees and nobody read. `passed_over`: names
    of sheets that have too few of the headings.
    """

    table: pa.Table
    rows_read: int
    header_row: int
    header: list[str] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    dropped: list[tuple[str, int, str]] = field(default_factory=list)
    ragged: list[tuple[str, int, str]] = field(default_factory=list)
    totals: list[dict[str, str]] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    suggestions: list[Suggestion] = field(default_factory=list)
    claims: list[tuple[int, int]] = field(default_factory=list)
    hidden_sheets: int = 0
    passed_over: list[str] = field(default_factory=list)
    epoch_1904: bool = False


def read(path: Path, layout: Layout) -> Reading:
    """Read one file by its layout. Raises FileRefused with a reason code when it cannot be trusted."""
    look(path, layout.kind)
    if layout.kind in {"json", "ndjson"}:
        return _reading_of_records(path, layout)
    if layout.kind in {"xlsx", "xls"}:
        grids, hidden, passed_over = read_xlsx.grids_of(path, layout)
        reading = _together([_reading_of_grid(grid, layout) for grid in grids], layout)
        reading.hidden_sheets, reading.passed_over = hidden, passed_over
        return reading
    return _reading_of_grid((read_html if layout.kind == "html" else read_csv).grid_of(path, layout), layout)


def _together(readings: Sequence[Reading], layout: Layout) -> Reading:
    """Sheets of one workbook as one reading; what only some sheets have is empty in the others."""
    whole = readings[0]
    if any(reading.titles != whole.titles for reading in readings) and layout.feed == "dossier":
        for reading in readings:
            _say_in_rows(reading)
    if len(readings) > 1:
        whole.table = pa.concat_tables([reading.table for reading in readings], promote_options="default")
    for reading in readings[1:]:
        if reading.titles != whole.titles:
            raise FileRefused("SEVERAL_SHEETS", "các trang khác nhau ở phần tiêu đề / the sheets' titles differ")
        whole.rows_read += reading.rows_read
        whole.headings = reading.headings | whole.headings
        whole.header += [heading for heading in reading.header if heading not in whole.header]
        for name in ("unlisted", "vanished", "suggestions"):
            mine = getattr(whole, name)
            mine += [text for text in getattr(reading, name) if text not in mine]
        whole.absent = [name for name in whole.absent if name in reading.absent]
        whole.dropped += reading.dropped
        whole.ragged += reading.ragged
        whole.totals += reading.totals
        whole.claims += reading.claims
    return whole


def _say_in_rows(reading: Reading) -> None:
    """Where each sheet has titles of its own, they are said of its rows."""
    for name, text in reading.titles.items():
        if name not in reading.table.column_names:
            reading.table = reading.table.append_column(name, pa.array([text] * reading.table.num_rows, pa.string()))
    reading.titles = {}


def _reading_of_grid(grid: Grid, layout: Layout) -> Reading:
    if not layout.columns:  # a file nobody knows yet: only its headings are asked for
        return Reading(pa.table({}), 0, grid.header_row, [shown(text) for text in grid.header])
    positions = match_header(grid.header, layout)
    unlisted = _unlisted(grid.header, layout, grid.header_row)
    header = [shown(text) for text in grid.header]
    absent = [column.name for column in layout.columns if column.name not in positions]
    samples = {heading: _sample(grid.columns[at]) for at, heading in enumerate(header) if heading in unlisted}
    suggestions = suggest(samples, absent, layout)
    missing = [column for column in layout.columns if column.required and column.name in absent]
    if missing:
        names = ", ".join(f"«{column.headings[0]}»" for column in missing)
        detail = f"dòng tiêu đề (dòng {grid.header_row}) thiếu cột bắt buộc {names} / required columns are missing"
        raise FileRefused("MISSING_COLUMN", detail, tuple(header), tuple(suggestions))
    # Nothing else is kept or compared.
    wanted = sorted({*positions.values(), *range(min(LEAD, len(grid.columns)))})
    columns = list(grid.columns)
    if not grid.composed:
        whole = composed(pa.table({str(place): columns[place] for place in wanted}))
        for place in wanted:
            columns[place] = whole[str(place)]
    count = len(columns[0])
    numbers = grid.row_numbers
    if numbers is None:
        numbers = pa.array(np.arange(grid.first_row, grid.first_row + count, dtype=np.int32))
    found = kinds_of(columns, grid, layout, positions)
    found.kinds |= dict.fromkeys(grid.padded - found.kinds.keys(), "RAGGED")
    cells = {name: columns[position] for name, position in positions.items()}
    for name, texts in found.sections.items():
        said = pa.array(texts, pa.string())
        blank = pc.equal(pc.utf8_trim_whitespace(cells[name]), "") if name in cells else None
        cells[name] = said if blank is None else pc.if_else(blank, said, cells[name])
    table = pa.table({"sheet": pa.repeat(grid.sheet, count), "row_no": numbers, **cells})
    nameless = [at for at, text in enumerate(header) if not text and at not in positions.values()]
    nameless = [] if "" in Listed((*layout.ignored, *layout.personal)) else nameless
    if found.kinds:
        kept = np.ones(count, bool)
        kept[list(found.kinds)] = False
        table = table.filter(pa.array(kept))
    unlisted += _nameless(grid, nameless, found.kinds)
    kinds = [(grid.sheet, numbers[index].as_py(), kind) for index, kind in found.kinds.items()]
    end = min((number for _, number, kind in kinds if kind == "AFTER_TABLE"), default=None)
    odd = [(*row[:2], "AFTER_TABLE") if end is not None and row[1] > end else row for row in grid.ragged]
    ragged = [row for row in (*odd, *kinds) if row[2] == "RAGGED"]
    dropped = [row for row in (*odd, *kinds) if row[2] != "RAGGED"]
    listed = count + len(grid.ragged) - len(dropped)
    return Reading(
        table=table,
        rows_read=count + len(grid.ragged),
        header_row=grid.header_row,
        header=header,
        headings={name: header[position] for name, position in positions.items()},
        unlisted=unlisted,
        absent=absent,
        vanished=_vanished(layout, absent),
        suggestions=suggestions,
        dropped=dropped,
        ragged=ragged,
        totals=found.totals,
        claims=[(int(total[""]), listed) for total in found.totals if total[""]],
        titles=_titles(grid.titles, layout),
        epoch_1904=grid.epoch_1904,
    )


def _sample(cells: pa.Array) -> list[str]:
    texts = pc.filter(cells, pc.not_equal(pc.utf8_trim_whitespace(cells), ""))[:SAMPLE]
    return [clean(text) for text in texts.to_pylist()]


def _vanished(layout: Layout, absent: Sequence[str]) -> list[str]:
    """Usual columns that are missing from a file which has most of them; a short form of export lacks most."""
    usual = [column for column in layout.columns if column.usual]
    gone = [column.headings[0] for column in usual if column.name in absent]
    return gone if len(gone) * 2 < len(usual) else []


def _unlisted(header: Sequence[str], layout: Layout, row: int = 0) -> list[str]:
    """Headings no list of the layout names; `row` is where they stand in a sheet. Raises FileRefused when two of them
    mean one column."""
    keys = [heading_key(text) for text in header]
    listed = Listed((*layout.ignored, *layout.personal))
    mapped: set[str] = set()
    for column in layout.columns:
        wanted = keys_of(column.headings)
        hits = [position for position, key in enumerate(keys) if key in wanted]
        if len(hits) > 1 and column.take is None:
            names = ", ".join((f"ô {letters(at)}{row} " if row else "") + f"«{shown(header[at])}»" for at in hits)
            detail = f"nhiều cột cùng nghĩa «{column.headings[0]}»: {names}; chỉ giữ một cột / one meaning twice"
            raise FileRefused("DUPLICATE_COLUMN", detail, tuple(map(shown, header)))
        mapped |= wanted
    known = {key for key in keys if key in mapped or key in listed}
    return [shown(text) for text, key in zip(header, keys, strict=True) if key and key not in known]


def _nameless(grid: Grid, places: Sequence[int], kinds: Mapping[int, str]) -> list[str]:
    """Columns without a heading in which data rows hold something; formats below a table hold nothing."""
    found = []
    for place in places:
        filled = pc.indices_nonzero(pc.not_equal(pc.utf8_trim_whitespace(grid.columns[place]), "")).to_pylist()
        if any(index not in kinds for index in filled):
            found.append(f"cột {letters(place)} không có tiêu đề")
    return found


def _titles(rows: list[list[str]], layout: Layout) -> dict[str, str]:
    lines = [clean(cell) for row in rows for cell in row if cell.strip()]
    lines += [clean(" ".join(row)) for row in rows]
    found = {}
    for name, pattern in layout.titles.items():
        match = next((match for line in lines if (match := re.match(pattern, line, re.IGNORECASE))), None)
        if match is None:
            line = f"không thấy dòng «{_TITLES.get(name, name)}» phía trên bảng"
            raise FileRefused("MISSING_TITLE", f"{line} / a title line is missing")
        found[name] = match.group(1).strip()
    return found


def _reading_of_records(path: Path, layout: Layout) -> Reading:
    found = read_json.records_of(path, layout)
    fields, count = sorted(found.fields), len(found.numbers)
    unlisted = _unlisted(fields, layout)
    header = [shown(name) for name in fields]
    called = {column.name: found.called(column) for column in layout.columns}
    absent = [column.name for column in layout.columns if count and not called[column.name]]
    suggestions = suggest({name: found.samples.get(name, []) for name in unlisted}, absent, layout)
    missing = [column.headings[0] for column in layout.columns if column.required and column.name in absent]
    if missing:
        detail = f"thiếu trường bắt buộc {', '.join(missing)} / required fields are missing"
        raise FileRefused("MISSING_COLUMN", detail, tuple(header), tuple(suggestions))
    texts = composed(pa.table({name: pa.array(cells, pa.string()) for name, cells in found.cells.items()}))
    return Reading(
        table=pa.table(
            {
                "sheet": pa.repeat("", count),
                "row_no": pa.array(found.numbers, pa.int32()),
                **{name: texts[name] for name in found.cells},
            }
        ),
        rows_read=count + len(found.odd),
        header_row=0,
        header=header,
        headings={name: shown(names[0]) for name, names in called.items() if names},
        unlisted=unlisted,
        absent=absent,
        vanished=_vanished(layout, absent),
        suggestions=suggestions,
        ragged=[("", number, "JSON_SHAPE") for number in found.odd],
    )
