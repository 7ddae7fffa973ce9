"""Excel as text: real dates in the layout's own date form, whole numbers without a decimal point, merges in headers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine

from tthc.domain.errors import FileRefused
from tthc.reference.layouts import Layout
from tthc.staging.grid import Grid, find_header
from tthc.staging.inspect import ROW_LIMITS


def grid_of(path: Path, layout: Layout) -> Grid:
    """The one sheet that carries the layout's header. Raises FileRefused: FILE_CORRUPT, HEADER, SEVERAL_SHEETS."""
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as workbook:
            visible = [
                meta.name
                for meta in workbook.sheets_metadata
                if meta.visible == python_calamine.SheetVisibleEnum.Visible
                and meta.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
            names = [layout.sheet] if layout.sheet else visible
            grids = [grid for name in names if (grid := _grid_of_sheet(workbook, name, layout)) is not None]
    except python_calamine.CalamineError as error:
        raise FileRefused("FILE_CORRUPT", "sổ Excel hỏng / the workbook is damaged") from error
    if not grids:
        raise FileRefused("HEADER", "không trang nào có dòng tiêu đề của mẫu này / no sheet has this layout's header")
    if len(grids) > 1:
        raise FileRefused("SEVERAL_SHEETS", "nhiều trang cùng có bảng; khai báo `sheet` trong layout / several tables")
    return grids[0]


def _grid_of_sheet(workbook: Any, name: str, layout: Layout) -> Grid | None:
    sheet = workbook.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    if len(rows) in ROW_LIMITS:
        raise FileRefused("ROW_LIMIT", f"bảng dừng đúng ở dòng {len(rows)}, có thể bị cắt / cut at the row limit")
    head = [[_text(cell, layout) for cell in row] for row in rows[: layout.header_within + layout.header_depth]]
    _fill_merges(head, sheet.merged_cell_ranges or [])
    found = find_header(head, layout)
    if found is None:
        return None
    index, depth, header = found
    body = rows[index + depth :]
    width = len(header)
    columns = [pa.array([_text(cell, layout) for cell in cells], pa.string()) for cells in zip(*body, strict=True)]
    if not columns:
        columns = [pa.array([], pa.string()) for _ in range(width)]
    return Grid(name, index + depth + 1, columns, head[:index], header, index + depth)


def _fill_merges(head: list[list[str]], ranges: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    for (top, left), (bottom, right) in ranges:
        if top >= len(head) or (bottom - top) * (right - left) > 10_000:
            continue
        for row in range(top, min(bottom, len(head) - 1) + 1):
            for column in range(left, min(right, len(head[row]) - 1) + 1):
                head[row][column] = head[top][left]


def _text(cell: Any, layout: Layout) -> str:
    if cell.__class__ is str:
        return str(cell)
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell).replace(".", layout.decimal)
    if isinstance(cell, datetime):
        rounded = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
        return rounded.strftime(layout.date_formats[0])
    if isinstance(cell, date):
        return datetime.combine(cell, time()).strftime(layout.date_formats[0])
    return str(cell)
