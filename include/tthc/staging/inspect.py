"""What a file really is, judged by its bytes before anything opens it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from tthc.domain.errors import FileRefused

MAX_ENTRIES = 200
MAX_UNPACKED = 300 * 1024 * 1024
MAX_RATIO = 200
MAX_COLUMNS = 1_000
ROW_LIMITS = {65_536, 1_048_576}  # where .xls and .xlsx silently stop

_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_MARKUP = re.compile(rb"^\s*(?:<!doctype\s+html|<html|<head|<body|<form|<script|<table)", re.IGNORECASE)


def _columns(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def look(path: Path, kind: str) -> None:
    """Refuse a file whose content is not the declared kind, or which would harm whoever opens it."""
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("FILE_EMPTY", "tệp rỗng, 0 byte / the file has no bytes")
    with path.open("rb") as handle:
        head = handle.read(4096)
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise FileRefused("TYPE_MISMATCH", "nội dung là trang web, không phải tệp dữ liệu / a web page, not data")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        code = "ENCRYPTED" if b"E\0n\0c\0r\0y\0p\0t\0e\0d" in path.read_bytes() else "LEGACY_XLS"
        raise FileRefused(code, "sổ Excel đời cũ hoặc có mật khẩu / a legacy or password-protected workbook")
    zipped = head.startswith(b"PK\x03\x04")
    if zipped != (kind == "xlsx"):
        raise FileRefused("TYPE_MISMATCH", f"nội dung không phải {kind} / the content is not {kind}")
    if kind == "xlsx":
        _look_into_workbook(path)


def _look_into_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if any(name.startswith("/") or ".." in name.split("/") for name in names):
                raise FileRefused("ZIP_PATH", "tên tệp con trong sổ không hợp lệ / a member name leaves the archive")
            if len(entries) > MAX_ENTRIES or len(set(names)) != len(names):
                raise FileRefused("CONTAINER", "sổ có quá nhiều hoặc trùng tệp con / too many or repeated members")
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(path.stat().st_size, 1):
                raise FileRefused("UNCOMPRESSED_LIMIT", "sổ bung ra quá lớn / unpacks to far more than it should")
            if not any(name == "xl/workbook.xml" for name in names):
                raise FileRefused("CONTAINER", "tệp nén không phải sổ Excel / an archive, but not a workbook")
            if any(name.endswith("vbaProject.bin") for name in names):
                raise FileRefused("MACRO", "sổ có macro / the workbook carries macros")
            if archive.testzip() is not None:
                raise FileRefused("FILE_CORRUPT", "sổ hỏng, sai mã kiểm tra / a member fails its checksum")
            for entry in entries:
                if entry.filename.endswith(".xml"):
                    _look_into_part(archive, entry)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise FileRefused("FILE_CORRUPT", "sổ Excel hỏng hoặc bị cắt / the workbook is damaged or cut") from error


def _look_into_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as part:
        tail = b""
        while block := part.read(1 << 20):
            window = tail + block
            if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                raise FileRefused("XML_ENTITY", "sổ khai báo thực thể XML / the workbook declares XML entities")
            if entry.filename.startswith("xl/worksheets/"):
                for letters, row in _CELL.findall(window):
                    if _columns(letters) > MAX_COLUMNS or int(row) > max(ROW_LIMITS):
                        raise FileRefused("EXTENT", "sổ có ô nằm quá xa vùng dữ liệu / a cell far outside any table")
            tail = window[-64:]
