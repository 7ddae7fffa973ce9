"""Which part of a workbook's archive is which sheet, and the parts as they are."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from pathlib import Path

from lxml import etree

from tthc.domain.errors import FileRefused
from tthc.staging.inspect_workbook import Look, is_sheet

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FAILED = re.compile(rb"(\bt=\"e\"[^<>]*>(?:<(?:\w+:)?f\b[^<]*(?:</(?:\w+:)?f>)?)?<(?:\w+:)?v>)([^<]*)")
_ERRORS = {b"#DIV/0!", b"#N/A", b"#NAME?", b"#NULL!", b"#NUM!", b"#REF!", b"#VALUE!"}


def with_known_errors(path: Path) -> io.BytesIO | None:
    """A copy in which errors of formulas that readers do not know (#SPILL!, #ERROR!, Err:502) are known ones, #VALUE!;
    None where there are none."""

    def known(found: re.Match[bytes]) -> bytes:
        return found[0] if found[2] in _ERRORS else found[1] + b"#VALUE!"

    copy, mended = io.BytesIO(), False
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as other:
        for entry in whole.infolist():
            part = whole.read(entry)
            changed = _FAILED.sub(known, part) if is_sheet(entry) else part
            mended = mended or changed != part
            other.writestr(entry.filename, changed)
    return copy if mended else None


def part_of(path: Path, name: str) -> bytes:
    """A part by its name, whose case does not matter. Raises FileRefused FILE_CORRUPT when there is none."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.replace("\\", "/").lower() == name:
                return archive.read(member)
    raise FileRefused("FILE_CORRUPT", "sổ Excel thiếu một phần / a part of the workbook is missing")


def counts_from_1904(path: Path) -> bool:
    """Whether the workbook counts its days from 1904."""
    return re.search(rb"date1904\s*=\s*[\"'](?:1|true)[\"']", part_of(path, "xl/workbook.xml")) is not None


def uncomputed_of_sheets(path: Path, found: Look) -> dict[str, set[tuple[int, int]]]:
    """Sheet → its cells whose formulas have no result. Raises FileRefused FILE_CORRUPT."""
    cells = {part.replace("\\", "/").lower(): these for part, these in found.uncomputed.items()}
    try:
        related = etree.fromstring(part_of(path, "xl/_rels/workbook.xml.rels"), _parser())
        targets = {relation.get("Id"): _absolute(relation.get("Target", "")) for relation in related}
        book = etree.fromstring(part_of(path, "xl/workbook.xml"), _parser())
    except etree.XMLSyntaxError as error:
        raise FileRefused("FILE_CORRUPT", "sổ Excel hỏng / the workbook is damaged") from error
    sheets = {sheet.get("name", ""): targets.get(sheet.get(_RELATION), "") for sheet in book.iterfind(".//{*}sheet")}
    return {name: cells[part] for name, part in sheets.items() if part in cells}


def _absolute(target: str) -> str:
    return posixpath.normpath(posixpath.join("/xl", target.replace("\\", "/"))).lstrip("/").lower()


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True)
