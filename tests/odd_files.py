"""Workbooks taken apart and put together wrongly, and other files that are not what their names say. Nobody's files:
every one is made here, with synthetic persons only."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence

from exports import Row, table, workbook, xlsx_list

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504

Members = dict[str, bytes]


def members(content: bytes) -> Members:
    """The members of an archive in their order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Mapping[str, bytes] | Sequence[tuple[str, bytes]], *, zip64: bool = False) -> bytes:
    """An archive of these members; given as pairs, one name may come twice."""
    buffer = io.BytesIO()
    pairs = list(parts.items()) if isinstance(parts, Mapping) else list(parts)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in pairs:
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(content)
    return buffer.getvalue()


def changed(rows: Sequence[Row], change: Callable[[Members], object]) -> bytes:
    """A sound list with its members changed in place."""
    parts = members(xlsx_list(rows))
    change(parts)
    return packed(parts)


def with_part(rows: Sequence[Row], name: str, content: bytes) -> bytes:
    return changed(rows, lambda parts: parts.update({name: content}))


def edited(rows: Sequence[Row], old: str, new: str, part: str = SHEET) -> bytes:
    """A sound list with one place of a member's text changed; the place must be there."""
    parts = members(xlsx_list(rows))
    text = parts[part].decode()
    assert re.search(old, text), old
    parts[part] = re.sub(old, lambda _: new, text, count=1).encode()
    return packed(parts)


def inline(rows: Sequence[Row]) -> bytes:
    """A list whose texts stand in the cells, as many exporters write it: without shared strings and cell names."""
    lines = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
        for row in table(rows)
    )
    parts = members(workbook([["x"]]))
    del parts[STRINGS]
    parts["[Content_Types].xml"] = re.sub(
        rb'<Override PartName="/xl/sharedStrings.xml"[^>]*/>', b"", parts["[Content_Types].xml"]
    )
    parts["xl/_rels/workbook.xml.rels"] = re.sub(
        rb'<Relationship [^>]*sharedStrings.xml"/>', b"", parts["xl/_rels/workbook.xml.rels"]
    )
    parts[SHEET] = re.sub(rb"<sheetData>.*</sheetData>", f"<sheetData>{lines}</sheetData>".encode(), parts[SHEET])
    return packed(parts)


def sheet_of(data: str) -> bytes:
    """A workbook whose only sheet holds this sheetData, written as it is."""
    parts = members(workbook([["x"]]))
    parts[SHEET] = re.sub(rb"<sheetData>.*</sheetData>", b"<sheetData>" + data.encode() + b"</sheetData>", parts[SHEET])
    return packed(parts)
