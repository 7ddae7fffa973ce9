"""What a file really is, judged by its bytes before anything opens it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from tthc.domain.errors import FileRefused

MAX_BYTES = 300 * 1024 * 1024  # of a file, and of all a workbook unpacks to

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_WEB_PAGE = re.compile(
    rb"(?:<!--.*?-->|<\?xml[^>]*>|\s)*<(?:!doctype\s+html|html|head|body|form|script|table|div|meta|title|p|center|br|b|pre|font|span|h[1-6])\b",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP = re.compile(rb"\s*<(?:[?!/]|[a-z][\w:.-]*[\s/>])", re.IGNORECASE)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What zipfile says of bytes it cannot open; NotImplementedError of an archive packed in a way it does not know.
NO_ARCHIVE = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# First bytes → what such a file is, in Vietnamese and English.
_PACKED = {
    b"\x1f\x8b": ("gzip", "gzip"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "7z"),
    b"Rar!\x1a\x07": ("rar", "rar"),
    b"BZh": ("bzip2", "bzip2"),
    b"\xfd7zXZ\x00": ("xz", "xz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd"),
}
_OTHERS = {
    b"%PDF": ("tài liệu PDF", "a PDF document"),
    b"\x89PNG\r\n": ("ảnh PNG", "a picture"),
    b"\xff\xd8\xff": ("ảnh JPEG", "a picture"),
    b"GIF8": ("ảnh GIF", "a picture"),
    b"II*\x00": ("ảnh TIFF", "a picture"),
    b"MM\x00*": ("ảnh TIFF", "a picture"),
    b"{\\rtf": ("tài liệu RTF", "an RTF document"),
    b"SQLite format 3\x00": ("cơ sở dữ liệu SQLite", "a database"),
    b"\x7fELF": ("chương trình", "a program"),
    b"MZ\x90\x00": ("chương trình", "a program"),
}


def look(path: Path, kind: str) -> None:
    """Refuse a file whose content is not the declared kind, or which would harm whoever opens it."""
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("FILE_EMPTY", "tệp rỗng, 0 byte / the file has no bytes")
    if size > MAX_BYTES:
        detail = f"tệp lớn hơn {MAX_BYTES >> 20} MiB, hãy xuất thành nhiều phần / too large, export it in parts"
        raise FileRefused("UNCOMPRESSED_LIMIT", detail)
    with path.open("rb") as handle:
        head = handle.read(4096)
    if kind == "xlsx":
        _refuse_unless_zip(path, head)
    elif kind == "xls":
        _refuse_unless_ole(path, head)
    elif kind == "html":
        if not _MARKUP.match(_as_text(head)) or b"<table" not in path.read_bytes().replace(b"\0", b"").lower():
            raise FileRefused("TYPE_MISMATCH", "nội dung không phải bảng HTML / the content is no HTML table")
    else:
        _refuse_binary(path, head, kind)


def unpacked_size(path: Path) -> int:
    """Bytes a file holds when unpacked, by what its archive declares; what lies about it is refused when it is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return min(sum(entry.file_size for entry in archive.infolist()), MAX_BYTES)
    except NO_ARCHIVE:
        return path.stat().st_size


def _refuse_unless_zip(path: Path, head: bytes) -> None:
    if head.startswith(_OLE):
        _refuse_ole(path)
    _refuse_foreign(head, "xlsx")
    if not head.startswith(_ZIP):
        raise FileRefused("TYPE_MISMATCH", "nội dung không phải sổ Excel .xlsx / the content is not a workbook")


def _refuse_unless_ole(path: Path, head: bytes) -> None:
    if not head.startswith(_OLE):
        _refuse_foreign(head, "xls")
        raise FileRefused("TYPE_MISMATCH", "nội dung không phải sổ Excel .xls / the content is no .xls workbook")
    try:
        _refuse_ole(path)
    except FileRefused as refused:
        if refused.reason != "LEGACY_XLS":
            raise


def _refuse_binary(path: Path, head: bytes, kind: str) -> None:
    if head.startswith(_OLE):
        _refuse_ole(path)
    _refuse_foreign(head, kind)
    if head.startswith(_ZIP):
        if _holds_workbook(path):
            raise FileRefused("TYPE_MISMATCH", f"nội dung là sổ Excel, không phải {kind} / a workbook, not {kind}")
        raise FileRefused("CONTAINER", f"tệp nén, không phải {kind}; hãy giải nén trước / an archive, not {kind}")


def _refuse_ole(path: Path) -> None:
    """OLE is the container of .xls, .doc and of every workbook with a password."""
    data = path.read_bytes()
    if any(word.encode("utf-16-le") in data for word in ("EncryptedPackage", "EncryptionInfo")):
        raise FileRefused("ENCRYPTED", "sổ Excel có mật khẩu, hãy bỏ mật khẩu / a password-protected workbook")
    if any(word.encode("utf-16-le") in data for word in ("Workbook", "Book")):
        raise FileRefused("LEGACY_XLS", "sổ Excel đời cũ .xls, hãy lưu lại dạng .xlsx / a legacy .xls workbook")
    raise FileRefused("TYPE_MISMATCH", "tài liệu Office đời cũ, không phải tệp dữ liệu / a legacy Office document")


def _refuse_foreign(head: bytes, kind: str) -> None:
    text = _as_text(head)
    if _WEB_PAGE.match(text):
        raise FileRefused("TYPE_MISMATCH", "nội dung là trang web, không phải tệp dữ liệu / a web page, not data")
    if _MARKUP.match(text):
        raise FileRefused("TYPE_MISMATCH", f"nội dung là tệp XML, không phải {kind} / an XML file, not {kind}")
    for magic, (name, english) in _PACKED.items():
        if head.startswith(magic):
            raise FileRefused("CONTAINER", f"tệp nén {name}, hãy giải nén trước / packed with {english}, unpack first")
    for magic, (name, english) in _OTHERS.items():
        if head.startswith(magic):
            raise FileRefused("TYPE_MISMATCH", f"nội dung là {name}, không phải {kind} / {english}, not {kind}")


def _as_text(head: bytes) -> bytes:
    """The first bytes without a mark and without the zero bytes of UTF-16, enough to recognise markup."""
    for mark in _BOMS:
        if head.startswith(mark):
            return head.removeprefix(mark).replace(b"\0", b"")
    return head


def _holds_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/workbook.") for name in archive.namelist())
    except NO_ARCHIVE:
        return False
