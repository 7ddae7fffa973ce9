"""An HTML table as text, as portals save it under the name .xls; a cell that spans rows or columns counts for each.

No network, no entities, no scripts: the page is only parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import lxml.html
import pyarrow as pa
from lxml import etree

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.staging.grid import Grid, find_header
from tthc.staging.inspect_workbook import MAX_COLUMNS, ROW_LIMITS
from tthc.staging.read_csv import text_of

_LINES = {"br", "hr", "p", "div", "li", "tr", "td", "th", "dt", "dd"}
_UNSEEN = {"script", "style", "template"}


def grid_of(path: Path, layout: Layout) -> Grid:
    """The one table that carries the layout's header. Raises FileRefused: ENCODING, HEADER, SEVERAL_SHEETS, EXTENT."""
    data, start = text_of(path, layout)
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", data[start:].decode())
    try:
        page = lxml.html.document_fromstring(text, parser=lxml.html.HTMLParser(no_network=True, huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise FileRefused("FILE_CORRUPT", "không đọc được trang HTML / the page cannot be read") from error
    folded = text.casefold()
    if folded.rfind("</table") <= max(folded.rfind(begins) for begins in ("<table", "<tr", "<td")):
        raise FileRefused("FILE_TRUNCATED", "bảng HTML không trọn vẹn / the table has no end")
    grids = []
    for table in page.iter("table"):
        rows = _rows(table)
        found = find_header(rows[: layout.header_within + layout.header_depth], layout)
        if found is not None:
            grids.append(_grid(rows, *found))
    if not grids:
        raise FileRefused("HEADER", "không bảng nào có dòng tiêu đề của mẫu này / no table has this layout's header")
    if len(grids) > 1:
        raise FileRefused("SEVERAL_SHEETS", "nhiều bảng cùng có tiêu đề này / several tables have this header")
    return grids[0]


def _grid(rows: list[list[str]], index: int, depth: int, header: list[str]) -> Grid:
    width = len(header)
    body = rows[index + depth :]
    ragged, lined, numbers = [], [], []
    for number, row in enumerate(body, start=index + depth + 1):
        filled = len(row) - next((at for at, cell in enumerate(reversed(row)) if cell), len(row))
        if filled > width:
            ragged.append(("", number, "RAGGED"))
        else:
            lined.append([*row, *[""] * (width - len(row))][:width])
            numbers.append(number)
    columns = [pa.array([row[at] for row in lined], pa.string()) for at in range(width)]
    return Grid(
        "", index + depth + 1, columns, rows[:index], header, index + depth, pa.array(numbers, pa.int32()), ragged
    )


def _rows(table: etree._Element) -> list[list[str]]:
    """The table as a rectangle of texts; row numbers are those of the table."""
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column → rows still to fill from above, text
    for line in _own(table, "tr"):
        row: list[str] = []
        cells = [cell for cell in line if cell.tag in {"td", "th"}]
        for cell in cells:
            _hang(row, hanging)
            text = " ".join((_text(cell) if len(cell) else cell.text or "").split())
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            for _ in range(across):
                if down > 1:
                    hanging[len(row)] = (down - 1, text)
                row.append(text)
            if len(row) > MAX_COLUMNS:
                raise FileRefused("EXTENT", "bảng quá rộng / the table is too wide")
        _hang(row, hanging)
        rows.append(row)
        if len(rows) > max(ROW_LIMITS):
            raise FileRefused("EXTENT", "bảng quá dài / the table is too long")
    return rows


def _text(cell: etree._Element) -> str:
    """What a reader sees in a cell: words on two lines are two words, and scripts and comments are none."""
    parts: list[str] = []
    for event, part in etree.iterwalk(cell, events=("start", "end", "comment", "pi")):
        if part.tag in _LINES:
            parts.append(" ")
        if event == "start" and part.tag not in _UNSEEN:
            parts.append(part.text or "")
        elif event != "start" and part is not cell:
            parts.append(part.tail or "")
    return "".join(parts)


def _hang(row: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    while len(row) in hanging:
        left, text = hanging.pop(len(row))
        if left > 1:
            hanging[len(row)] = (left - 1, text)
        row.append(text)


def _own(table: etree._Element, tag: str) -> Iterator[etree._Element]:
    """Rows of this table and not of one within it."""
    for row in table.iter(tag):
        if next(row.iterancestors("table")) is table:
            yield row


def _span(cell: etree._Element, name: str) -> int:
    text = cell.get(name, "1").strip()
    return min(max(int(text), 1), MAX_COLUMNS if name == "colspan" else max(ROW_LIMITS)) if text.isdecimal() else 1
