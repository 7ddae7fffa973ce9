"""Whether a workbook may be opened: every member is unpacked once, counted by its real bytes and searched for harm."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from tthc.domain.errors import FileRefused
from tthc.staging.at_once import at_once
from tthc.staging.grid import letters as column_letters
from tthc.staging.inspect import MAX_BYTES, NO_ARCHIVE
from tthc.staging.sheet_cells import SheetCells

# What else is a zip archive: how a member's name begins → what it is.
_OTHERS = {"xl/workbook.bin": ".xlsb", "word/": "Word", "ppt/": "PowerPoint", "content.xml": "OpenDocument"}

MAX_ENTRIES = 1_000
MAX_SHEETS = 100
MAX_RATIO = 200
RATIO_COUNTS_FROM = 10 * 1024 * 1024  # small workbooks of equal rows pack very well and harm nobody
MAX_COLUMNS = 702  # ZZ
MAX_AREA = 26 * 1_048_576  # cells a reader holds at once, empty ones too
ROW_LIMITS = {65_536, 1_048_576}  # where .xls and .xlsx silently stop

_BLOCK = 1 << 20
_OVERLAP = 512  # a tag of a cell with its attributes is shorter
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# A cell with a content; formatting alone may reach to the edge of a sheet.
_FILLED = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br=[\"']([A-Z]+)(\d+)[\"'][^>]*(?<!/)>\s*<(?:\w+:)?(?:v|is|f)\b")
# A formula whose result nobody computed. An empty text (t="str") is a result.
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?c\b(?=[^>]*?\br=[\"']([A-Z]{1,3})(\d{1,7})[\"'])(?![^>]*\bt=[\"']str[\"'])[^>]*>\s*"
    rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# A cell that points at a shared text by something else than its number: readers take the first text then.
# Nearly always the pointer is written `t="s"><v>7<`; only what is not is looked at more closely. Where a block ends
# within one, the next block, which begins with the end of this one, tells.
_ODD_POINTER = re.compile(rb"s\"(?!><v>\d{1,9}<)(?=[\s\S]{14})")
_NO_NUMBER = re.compile(
    rb"\bt\s*=\s*[\"']s[\"'][^<>]*>\s*(?:<(?:\w+:)?f\b[^<]*(?:</(?:\w+:)?f>)?\s*)?<(?:\w+:)?v[^>]*>(?!\d{1,9}<|</)"
    rb"(?=[\s\S]{10})"
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


@dataclass(slots=True)
class Look:
    """What the search found: `merged` tells whether a sheet merges cells; `odd` (row, column), from 1, a cell that does
    not follow those before it; `rows` and `columns` how far those of any lie; `uncomputed` the cells whose formulas
    have no result, (row, column) from 0, by the sheet's part."""

    merged: bool = False
    odd: tuple[int, int] | None = None
    rows: int = 0
    columns: int = 0
    uncomputed: dict[str, set[tuple[int, int]]] = field(default_factory=dict)

    @property
    def may_reach_too_far(self) -> bool:
        return _is_too_far(self.rows, self.columns)


def look_into(path: Path) -> Look:
    """Refuse what would harm whoever opens it. Raises FileRefused: FILE_CORRUPT, CONTAINER, ZIP_PATH, ENCRYPTED,
    TYPE_MISMATCH, MACRO, UNCOMPRESSED_LIMIT, XML_ENTITY, ENCODING, EXTENT."""
    found = Look()
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as handle:
            entries = archive.infolist()
            _refuse_names(entries)
            total, allowed = 0, max(MAX_RATIO * path.stat().st_size, RATIO_COUNTS_FROM)
            for entry in entries:
                cells = SheetCells()
                for window, text, size in _windows(handle, entry):
                    total += size
                    if total > min(MAX_BYTES, allowed):
                        detail = "sổ bung ra quá lớn / unpacks to far more than it should"
                        raise FileRefused("UNCOMPRESSED_LIMIT", detail)
                    searches = [partial(_search, window, entry, found)]
                    if is_sheet(entry):
                        searches.append(partial(cells.add, text))
                    at_once(lambda search: search(), searches)
                found.odd = found.odd or cells.odd
                found.rows, found.columns = max(found.rows, cells.rows), max(found.columns, cells.columns)
            if found.may_reach_too_far:
                for entry in filter(is_sheet, entries):
                    _measure(handle, entry)
            if found.odd:
                detail = f"{_name(*found.odd)} được ghi hai lần hoặc sai thứ tự, hãy mở bằng Excel và lưu lại"
                raise FileRefused("FILE_CORRUPT", f"{detail} / a row or cell is stated twice or out of order")
    except (*NO_ARCHIVE, EOFError, zlib.error) as error:
        raise FileRefused("FILE_CORRUPT", "sổ Excel hỏng hoặc bị cắt / the workbook is damaged or cut") from error
    return found


def is_sheet(entry: zipfile.ZipInfo) -> bool:
    """Whether a member of a workbook's archive holds the cells of a sheet."""
    return entry.filename.replace("\\", "/").lower().startswith("xl/worksheets/")


def _refuse_names(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename.replace("\\", "/") for entry in entries]
    folded = [name.lower() for name in names]
    if any(name.startswith("/") or ".." in name.split("/") or ":" in name for name in names):
        raise FileRefused("ZIP_PATH", "tên tệp con trong sổ không hợp lệ / a member name leaves the archive")
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused("ENCRYPTED", "tệp nén có mật khẩu / an archive with a password")
    if len(entries) > MAX_ENTRIES or len(set(folded)) != len(folded):
        raise FileRefused("CONTAINER", "sổ có quá nhiều hoặc trùng tệp con / too many or repeated members")
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in folded):
        raise FileRefused("MACRO", "sổ có macro, hãy lưu lại dạng .xlsx / the workbook carries macros")
    for start, what in _OTHERS.items():
        if any(name.startswith(start) for name in folded):
            raise FileRefused("TYPE_MISMATCH", f"nội dung là tệp {what}, không phải .xlsx / {what}, not a workbook")
    if "xl/workbook.xml" not in folded:
        raise FileRefused("CONTAINER", "tệp nén không phải sổ Excel / an archive, but not a workbook")
    if sum(name.startswith("xl/worksheets/") and name.endswith(".xml") for name in folded) > MAX_SHEETS:
        raise FileRefused("CONTAINER", f"sổ có hơn {MAX_SHEETS} trang / more than {MAX_SHEETS} sheets")


def _windows(handle: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[tuple[bytes, bytes, int]]:
    """(new bytes with the end of the block before, new bytes, their number) of one member, by what is there and not by
    what it declares.

    Raises BadZipFile when size or checksum differ from the archive's directory: another reader would read other bytes.
    FileRefused ENCODING where a part of the table is not UTF-8, which readers would take for an empty one.
    """
    tail, size, checksum, wide = b"", 0, 0, False
    for block in _blocks(handle, entry):
        if not size:
            wide = block.startswith(_UTF16)
        size += len(block)
        checksum = zlib.crc32(block, checksum)
        text = block.replace(b"\0", b"") if wide else block
        yield tail + text, text, len(block)
        tail = text[-_OVERLAP:]
    if size != entry.file_size or checksum != entry.CRC:
        raise zipfile.BadZipFile("size or checksum")
    if wide and entry.filename.lower().endswith(".xml"):
        detail = "một phần của sổ Excel không phải UTF-8, hãy mở bằng Excel và lưu lại"
        raise FileRefused("ENCODING", f"{detail} / a part of the workbook is not UTF-8")


def _blocks(handle: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    handle.seek(entry.header_offset)
    header = handle.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile("no member where the directory says")
    handle.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileRefused("CONTAINER", "sổ nén theo cách không được dùng / packed in a way workbooks are not")
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    left = entry.compress_size
    while left > 0:
        packed = handle.read(min(left, _BLOCK >> 2))
        if not packed:
            raise zipfile.BadZipFile("cut")
        left -= len(packed)
        if inflate is None:
            yield packed
            continue
        while packed:
            if block := inflate.decompress(packed, _BLOCK):
                yield block
            packed = inflate.unconsumed_tail
    if inflate is not None and not inflate.eof:
        raise zipfile.BadZipFile("the packed stream does not end")


def _search(window: bytes, entry: zipfile.ZipInfo, found: Look) -> None:
    # Looking for one byte costs next to nothing, for several much more.
    if b"!" in window and b"<!" in window and _DECLARATION.search(window):
        raise FileRefused("XML_ENTITY", "sổ khai báo thực thể XML / the workbook declares XML entities")
    if is_sheet(entry):
        found.merged = found.merged or (b"g" in window and b"mergeCell " in window)
        oddly = (b"'" in window and b"='s'" in window) or _ODD_POINTER.search(window)
        if oddly and (pointer := _NO_NUMBER.search(window)):
            where = f"ô {_address(window, pointer.end())} trỏ tới chuỗi không có trong sổ"
            detail = f"{where}, hãy mở bằng Excel và lưu lại"
            raise FileRefused("FILE_CORRUPT", f"{detail} / a cell points at no text of the workbook")
        if b"f" in window and _FORMULA.search(window):
            cells = {(int(row) - 1, _number(letters) - 1) for letters, row in _UNCOMPUTED.findall(window)}
            found.uncomputed.setdefault(entry.filename, set()).update(cells)


def _measure(handle: BinaryIO, entry: zipfile.ZipInfo) -> None:
    """Follow cell by cell how far filled cells reach, which costs more and is seldom needed."""
    rows = columns = 0
    for window, _, _ in _windows(handle, entry):
        cells = _FILLED.findall(window)
        rows = max([rows, *{int(row) for _, row in cells}])
        columns = max([columns, *{_number(letters) for letters in {letters for letters, _ in cells}}])
        if _is_too_far(rows, columns):
            row, column = max(
                ((int(row), _number(column)) for column, row in cells),
                key=lambda cell: (cell[1] > MAX_COLUMNS, cell[0]),
            )
            detail = f"{_name(row, column)} nằm quá xa vùng dữ liệu, hãy xóa ô đó và lưu lại"
            raise FileRefused("EXTENT", f"{detail} / a cell far outside any table")


def _is_too_far(rows: int, columns: int) -> bool:
    return columns > MAX_COLUMNS or rows > max(ROW_LIMITS) or rows * columns > MAX_AREA


def _name(row: int, column: int) -> str:
    """A cell as a clerk finds it, from its place counted from 1; a row as such has no column."""
    number = str(row) if row < 10**7 else "…"
    return f"ô {column_letters(column - 1)}{number}" if column else f"dòng {number}"


def _address(window: bytes, place: int) -> str:
    """The cell to which a place in a sheet's text belongs."""
    begin = max(window.rfind(b"<c ", 0, place), window.rfind(b":c ", 0, place), 0)
    named = re.search(rb"\br\s*=\s*[\"']([A-Z]{1,3}\d{1,7})[\"']", window[begin:place])
    return named.group(1).decode() if named else "không tên"


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
