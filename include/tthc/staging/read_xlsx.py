"""Excel as text: real dates in one form, whole numbers without a decimal point, merged cells said of all they cover.

The table below the header is read column by column into Arrow. That is exact where a column holds cells of one kind;
a mapped column of several kinds (numbers among texts) sends the sheet through the slower reader, cell by cell.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc
import python_calamine

from tthc.domain.errors import FileRefused
from tthc.domain.text import blotted, may_tell_of_a_person
from tthc.reference.layout import Layout
from tthc.staging.grid import REAL_DATE, Grid, Listed, find_header, match_header, refuse_table_above
from tthc.staging.inspect_workbook import ROW_LIMITS, Look, look_into
from tthc.staging.workbook_parts import counts_from_1904, uncomputed_of_sheets, with_known_errors

logging.getLogger("fastexcel").setLevel(logging.ERROR)  # it tells of every empty column

_File = Path | io.BytesIO  # a workbook, or a copy of it in memory
_Cells = set[tuple[int, int]]
_READER_ERRORS = (python_calamine.CalamineError, fastexcel.FastExcelError)
_ERRORS = {"div0": "#DIV/0!", "na": "#N/A", "name": "#NAME?", "null": "#NULL!", "num": "#NUM!", "ref": "#REF!"}
_EXACT = 10**15  # Excel keeps fifteen digits of a number; a longer one is told as rounded, 4.2e+16
_HEAD_BYTES = 1 << 20
_SHEETS_TOLD = 5
_ROWS_COMPARED = 1000  # of a table, with the first rows of a sheet without a header
_ROW_END = re.compile(rb"</(\w+:)?row>")
_TEXTS = "xl/sharedStrings.xml"
_TEXT_END = re.compile(rb"</(\w+:)?si>|<(\w+:)?si\s*/>")
_POINTER = re.compile(rb"\bt=\"s\"[^<>]*><(?:\w+:)?v>(\d{1,9})<")
_OF_TEXTS = re.compile(rb"\bt\s*=\s*[\"']s[\"']")


def grids_of(path: Path, layout: Layout) -> tuple[list[Grid], int, list[str]]:
    """The sheets that carry the layout's header, one unless it says several, the number of hidden sheets unread, and
    the names of those passed over although they have a heading of it.

    A sheet named by a dossier or the number of a person is told by its place in the workbook.

    Raises FileRefused: what `look_into` raises, FILE_CORRUPT, HEADER, SEVERAL_SHEETS, SEVERAL_TABLES, ROW_LIMIT.
    """
    seen = Look() if layout.kind == "xls" else look_into(path)
    try:
        uncomputed = uncomputed_of_sheets(path, seen) if any(seen.uncomputed.values()) else {}
        try:
            sheets, hidden, found, headless = _sheets_of(path, layout, seen.merged, uncomputed)
        except _READER_ERRORS:
            other = None if layout.kind == "xls" else with_known_errors(path)
            if other is None:
                raise
            sheets, hidden, found, headless = _sheets_of(other, layout, seen.merged, uncomputed)
    except (*_READER_ERRORS, zipfile.BadZipFile) as error:
        raise FileRefused("FILE_CORRUPT", "sổ Excel hỏng / the workbook is damaged") from error
    grids = [grid for grid in found if _is_table(grid.header, layout)] or found
    names = {name: _told_name(name, number) for number, name in enumerate(sheets, start=1)}
    for name, rows in headless.items():
        if any(_goes_on(rows, grid, layout) for grid in grids):
            detail = (
                f"trang «{names[name]}» ghi tiếp bảng nhưng không có tiêu đề; chép các dòng đó vào trang có tiêu đề"
            )
            raise FileRefused("SEVERAL_SHEETS", f"{detail} / a sheet goes on with the table, without its header")
    passed_over = [names[grid.sheet] for grid in found if not any(grid is one for one in grids)]
    for grid in grids:
        grid.sheet = names[grid.sheet]
    if not grids:
        where = f"trong {layout.header_within} dòng đầu không trang nào có dòng tiêu đề của mẫu này"
        unseen = f"; sổ có {hidden} trang ẩn không đọc, nếu bảng ở đó thì bỏ ẩn trang" if hidden else ""
        raise FileRefused("HEADER", f"{where}{unseen} / no sheet has this layout's header")
    if len(grids) > 1 and not layout.several_sheets:
        told = ", ".join(f"«{grid.sheet}»" for grid in grids[:_SHEETS_TOLD])
        detail = f"nhiều trang cùng có bảng ({told}); chỉ giữ một trang, hoặc khai báo `sheet` trong layout"
        raise FileRefused("SEVERAL_SHEETS", f"{detail} / several tables")
    epoch_1904 = layout.kind == "xlsx" and counts_from_1904(path)
    for grid in grids:
        grid.epoch_1904 = epoch_1904
    return grids, hidden, passed_over


def _is_table(header: Sequence[str], layout: Layout) -> bool:
    """Whether a row names half of the columns a table must have: a sheet of counts beside the list, with a heading or
    two of it, is no second list."""
    required = {column.name for column in layout.columns if column.required}
    return 2 * len(required & match_header(header, layout).keys()) >= len(required)


def _goes_on(rows: Sequence[Sequence[str]], grid: Grid, layout: Layout) -> bool:
    """Whether a row says in two of the columns a table must have, where the table has them, what the table says there:
    then its sheet holds further rows."""
    required = {column.name for column in layout.columns if column.required} - {"dossier_code"}
    places = [place for name, place in match_header(grid.header, layout).items() if name in required]
    said = {place: set(grid.columns[place][:_ROWS_COMPARED].to_pylist()) - {""} for place in places}
    return any(sum(place < len(row) and row[place] in said[place] for place in places) > 1 for row in rows)


def _told_name(sheet: str, number: int) -> str:
    """The name of a sheet as it may be told; one that names a dossier or a person's number is told by its place."""
    return f"{blotted(sheet)} ({number})" if may_tell_of_a_person(sheet) else sheet


def _sheets_of(
    file: _File, layout: Layout, merged: bool, uncomputed: Mapping[str, _Cells]
) -> tuple[list[str], int, list[Grid], dict[str, list[list[str]]]]:
    """The names of all sheets, how many of them are hidden and unread, the tables of the others, and of those without
    the header the first rows."""
    # Merges stand behind the rows, so a workbook with merges is opened whole for its head.
    with _open(file if merged or layout.kind == "xls" else _first_rows(file, layout)) as head:
        tables = [meta for meta in head.sheets_metadata if meta.typ == python_calamine.SheetTypeEnum.WorkSheet]
        visible = [meta.name for meta in tables if meta.visible == python_calamine.SheetVisibleEnum.Visible]
        wanted = Listed([layout.sheet])
        names = [meta.name for meta in tables if meta.name in wanted] if layout.sheet else visible
        book = _Book(file, layout, uncomputed)
        heads = {name: _head(head, name, layout) for name in names}
        found = {name: book.grid_of_sheet(name, *begins) for name, begins in heads.items()}
    hidden = sum(meta.name not in {*visible, *names} for meta in tables)
    headless = {name: heads[name][0] for name, grid in found.items() if grid is None}
    return [meta.name for meta in tables], hidden, [grid for grid in found.values() if grid is not None], headless


def _open(file: _File) -> Any:
    if isinstance(file, io.BytesIO):
        file.seek(0)
    return python_calamine.load_workbook(file)


def _first_rows(path: _File, layout: Layout) -> _File:
    """A copy of the workbook whose sheets end after the rows in which a header may stand, and whose list of texts ends
    after those they hold: finding the header costs nothing then, however long the table is. The file itself where its
    rows cannot be told apart simply."""
    count, heads = layout.header_within + layout.header_depth, b""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(copy, "w") as short:
        entries = [entry for entry in whole.infolist() if entry.filename.endswith((".xml", ".rels"))]
        for entry in sorted(entries, key=lambda entry: entry.filename == _TEXTS):  # the list of texts last
            with whole.open(entry) as part:
                content = part.read(_HEAD_BYTES if entry.filename.startswith("xl/worksheets/") else -1)
            if entry.filename.startswith("xl/worksheets/"):
                ends = list(islice(_ROW_END.finditer(content), count))
                if len(ends) == count:
                    prefix = ends[-1].group(1) or b""
                    content = content[: ends[-1].end()] + b"</%bsheetData></%bworksheet>" % (prefix, prefix)
                elif len(content) == _HEAD_BYTES:
                    return path
                heads += content
            elif entry.filename == _TEXTS:
                content = _first_texts(content, heads)
            short.writestr(entry.filename, content)
    copy.seek(0)
    return copy


def _first_texts(texts: bytes, cells: bytes) -> bytes:
    """The list of shared texts up to the last one that some cells point at; all of it where that is not plain."""
    pointers = [int(number) for number in _POINTER.findall(cells)]
    ends = list(islice(_TEXT_END.finditer(texts), max(pointers, default=0) + 1))
    if len(pointers) != len(_OF_TEXTS.findall(cells)) or len(ends) <= max(pointers, default=0):
        return texts
    prefix = ends[-1].group(1) or ends[-1].group(2) or b""
    return texts[: ends[-1].end()] + b"</%bsst>" % prefix


_Merges = list[tuple[tuple[int, int], tuple[int, int]]]


def _head(workbook: Any, name: str, layout: Layout) -> tuple[list[list[str]], _Merges]:
    """The first rows as text, merged cells filled, and where cells are merged."""
    sheet = workbook.get_sheet_by_name(name)
    count = layout.header_within + layout.header_depth
    rows = sheet.to_python(skip_empty_area=False, nrows=count)
    head = [[_text(cell, layout.decimal) for cell in row] for row in rows]
    merges = sheet.merged_cell_ranges or []
    _fill_merges(head, merges)
    return head, merges


class _Book:
    """One workbook below its headers: `fast` gives columns of one kind, `exact` cells."""

    def __init__(self, file: _File, layout: Layout, uncomputed: Mapping[str, _Cells]) -> None:
        self._file, self._layout, self._uncomputed = file, layout, uncomputed
        self._fast = fastexcel.read_excel(file.getvalue() if isinstance(file, io.BytesIO) else str(file))

    def grid_of_sheet(self, name: str, head: list[list[str]], merges: _Merges) -> Grid | None:
        found = find_header(head, self._layout)
        if found is None:
            return None
        index, depth, header = found
        refuse_table_above(head, index, self._layout)
        first = index + depth
        columns = self._columns(name, first, header)
        if first + len(columns[0]) in ROW_LIMITS:
            height = first + len(columns[0])
            raise FileRefused("ROW_LIMIT", f"bảng dừng đúng ở dòng {height}, có thể bị cắt / cut at the row limit")
        _tell_uncomputed(columns, self._uncomputed.get(name, ()), first)
        _fill_down(columns, merges, first, set(match_header(header, self._layout).values()))
        header = [*header, *[""] * (len(columns) - len(header))]  # cells beside the table, below its header
        return Grid(name, first + 1, columns, head[:index], header, first)

    def _columns(self, name: str, first: int, header: Sequence[str]) -> list[pa.Array]:
        mapped = match_header(header, self._layout)
        self._decimals = {
            place: column.decimal for name, place in mapped.items() if (column := self._layout.column(name)) is not None
        }
        free: dict[str | int, Any] = {place: "string" for place in range(len(header)) if place not in mapped.values()}
        options: dict[str, Any] = {"header_row": None, "skip_rows": first}
        try:
            sheet = self._fast.load_sheet(
                name, **options, schema_sample_rows=None, dtypes=free, dtype_coercion="strict"
            )
            batch, errors = sheet.to_arrow_with_errors()
            places = [info.absolute_index for info in sheet.selected_columns]
            texts = [_texts(column, self._decimal(place)) for place, column in zip(places, batch.columns, strict=True)]
        except fastexcel.InvalidParametersError:  # nothing stands below the header
            return [pa.array([], pa.string()) for _ in header]
        except (fastexcel.UnsupportedColumnTypeCombinationError, fastexcel.CalamineCellError):
            sheet = self._fast.load_sheet(name, **options, dtypes="string")
            _, errors = sheet.to_arrow_with_errors()
            places = [info.absolute_index for info in sheet.selected_columns]
            texts = self._cell_by_cell(name, first, places)
        columns = [pa.array([""] * len(texts[0]), pa.string())] * max(len(header), max(places) + 1)
        for place, column in zip(places, texts, strict=True):
            columns[place] = column
        return _with_errors(columns, errors, places)

    def _decimal(self, place: int) -> str:
        return self._decimals.get(place) or self._layout.decimal

    def _cell_by_cell(self, name: str, first: int, places: Sequence[int]) -> list[pa.Array]:
        """The same by the kind of every single cell, a few thousand rows at a time."""
        with _open(self._file) as workbook:
            rows = islice(workbook.get_sheet_by_name(name).iter_rows(), first, None)
            parts: list[list[pa.Array]] = []
            while block := list(islice(rows, 4096)):
                columns = zip(places, zip(*block, strict=True), strict=True)
                parts.append([_array(cells, self._decimal(place)) for place, cells in columns])
        return [pa.concat_arrays(pieces) for pieces in zip(*parts, strict=True)]


def _tell_uncomputed(columns: list[pa.Array], cells: Iterable[tuple[int, int]], above: int) -> None:
    """Formulas without a result are told as failed ones; an empty cell would mean that nothing has happened yet, and
    readers end a sheet before rows that hold nothing else."""
    lacking = max([row + 1 - above for row, _ in cells], default=0) - len(columns[0])
    if lacking > 0:
        columns[:] = [pa.concat_arrays([column, pa.array([""] * lacking, pa.string())]) for column in columns]
    for place in {place for _, place in cells if place < len(columns)}:
        texts = columns[place].to_pylist()
        for row in (row - above for row, of in cells if of == place):
            if 0 <= row < len(texts) and not texts[row]:
                texts[row] = "#CALC!"
        columns[place] = pa.array(texts, pa.string())


def _fill_down(columns: list[pa.Array], merges: _Merges, above: int, mapped: set[int]) -> None:
    """A cell merged over several rows is said of each of them; a cell left empty is said of none."""
    count = len(columns[0])
    for place in mapped:
        spans = [(top - above, min(bottom - above, count - 1)) for (top, left), (bottom, _) in merges if left == place]
        spans = [(first, last) for first, last in spans if 0 <= first < last]
        if spans:
            texts = columns[place].to_pylist()
            for first, last in spans:
                texts[first : last + 1] = [texts[first]] * (last + 1 - first)
            columns[place] = pa.array(texts, pa.string())


def _fill_merges(head: list[list[str]], ranges: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    for (top, left), (bottom, right) in ranges:
        if top >= len(head) or (bottom - top) * (right - left) > 10_000:
            continue
        for row in range(top, min(bottom, len(head) - 1) + 1):
            for column in range(left, min(right, len(head[row]) - 1) + 1):
                head[row][column] = head[top][left]


def _with_errors(columns: list[pa.Array], errors: Any, places: Sequence[int]) -> list[pa.Array]:
    """Cells whose formula failed hold its error as text, so that nobody takes them for empty ones."""
    failed: dict[int, dict[int, str]] = {}
    for error in errors.errors if errors is not None else ():
        if re.search(r'String\("\s*"\)', error.detail):  # a formula that answers with an empty text
            continue
        row, column = error.offset_position
        told = re.search(r"Error\((\w+)\)", error.detail)
        failed.setdefault(places[column], {})[row] = _ERRORS.get(told.group(1).lower() if told else "", "#VALUE!")
    for place, cells in failed.items():
        texts = columns[place].to_pylist()
        for row, text in cells.items():
            texts[row] = text
        columns[place] = pa.array(texts, pa.string())
    return columns


def _texts(column: pa.Array, decimal: str) -> pa.Array:
    """A column of one kind as text; empty cells as empty text."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column = pc.if_else(column, "true", "false")
    elif pa.types.is_timestamp(kind) and column.null_count < len(column) and pc.min(column).as_py().year >= 1900:
        column = _dates(column)
    elif pa.types.is_floating(kind) and _all_whole(column):
        column = pc.cast(pc.cast(column, pa.int64()), pa.string())
    elif not pa.types.is_string(kind):
        column = _array(column.to_pylist(), decimal)
    return pc.fill_null(column, "")


def _all_whole(column: pa.Array) -> bool:
    greatest = pc.max(pc.abs(column)).as_py()
    return greatest is not None and greatest < _EXACT and pc.all(pc.equal(pc.floor(column), column)).as_py()


def _dates(column: pa.Array) -> pa.Array:
    """Moments to the nearest second, in the one form of real dates."""
    seconds = pc.floor_temporal(pc.add(column, pa.scalar(500, pa.duration("ms"))), unit="second")
    return pc.replace_substring(pc.cast(seconds.cast(pa.timestamp("s")), pa.string()), " ", "T")


def _array(cells: Sequence[Any], decimal: str) -> pa.Array:
    if set(map(type, cells)) == {str}:
        return pa.array(cells, pa.string())
    return pa.array([_text(cell, decimal) for cell in cells], pa.string())


def _text(cell: Any, decimal: str) -> str:
    if cell.__class__ is str:
        return str(cell)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell).replace(".", decimal)
    if isinstance(cell, datetime):
        if cell.year < 1900:  # a time of day without a date, which python-calamine gives as such
            return str(cell.time())
        rounded = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
        return rounded.strftime(REAL_DATE)
    if isinstance(cell, date):
        return datetime.combine(cell, time()).strftime(REAL_DATE)
    return str(cell)
