"""The body of an answer: written to a file in bounded memory, whole or refused, never a web page in place of data."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tthc.domain.errors import PortalFailed
from tthc.reference.portals import Limits, Portal
from tthc.sources.portal_clock import END, Clock

_BLOCK = 1 << 16
_FREE_RATIO_BYTES = 4 << 20  # small answers may be packed as tightly as they like
_LOGIN = re.compile(rb"type\s*=\s*[\"']?password|<form[^>]*(?:login|signin|dang-?nhap)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body on disk. `whole`: the transfer itself proves that nothing is missing."""

    path: Path
    size: int
    whole: bool


def truncated(detail: str) -> PortalFailed:
    """The connection ended before the answer did."""
    return PortalFailed("PORTAL_TRUNCATED", f"dữ liệu bị cắt giữa chừng / {detail}", passing=True)


def not_http() -> PortalFailed:
    """Whatever this is, it does not follow the protocol."""
    return PortalFailed("PORTAL_SHAPE", "câu trả lời không đúng HTTP / not a valid HTTP answer")


def too_large(detail: str) -> PortalFailed:
    """The answer is larger than a source of this kind may send."""
    return PortalFailed("PORTAL_TOO_LARGE", f"dữ liệu lớn hơn mức cho phép / {detail}")


def receive(response: requests.Response, path: Path, clock: Clock) -> Body:
    """Write a body to `path`, unpacked. Raises PortalFailed: cut, longer than declared, too large, badly packed."""
    limits = clock.limits
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        raise PortalFailed("PORTAL_ENCODING", "kiểu nén không được hỗ trợ / an unknown content encoding")
    packed = coding.endswith("gzip")
    chunked = bool(getattr(response.raw, "chunked", False))
    declared = response.raw.length_remaining is not None  # None too where Content-Length is no number
    parts = _raw(response, clock, counted=declared and not chunked)
    size = 0
    with path.open("wb") as file:
        for part in _unpacked(parts, limits) if packed else parts:
            size += len(part)
            if size > limits.max_megabytes * 1_000_000:
                raise too_large("more than max_megabytes")
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise truncated("an answer without content")
    return Body(path=path, size=size, whole=declared or chunked or packed)


def _raw(response: requests.Response, clock: Clock, *, counted: bool) -> Iterator[bytes]:
    received, end = 0, b""
    try:
        for part in response.raw.stream(_BLOCK, decode_content=False):
            received += len(part)
            if received > clock.limits.max_megabytes * 1_000_000:
                raise too_large("more than max_megabytes")
            end = (end + part)[-END:]
            yield part
    except ReadTimeoutError:
        raise PortalFailed("PORTAL_TIMEOUT", "cổng ngừng trả lời / no byte in time", passing=True) from None
    except (HTTPError, OSError):
        raise truncated("the connection broke before the end") from None
    except (HTTPException, ValueError):  # such as a chunk of negative size
        raise not_http() from None
    # A length counted in characters, or of another file: the portal sent more than it let us read.
    if counted and not (clock.end.endswith(end) if end else clock.end.endswith((b"\r\n\r\n", b"\n\n"))):
        raise truncated("Content-Length is smaller than what was sent")
    if clock.surplus:
        raise truncated("more was sent behind the last chunk")


def _unpacked(parts: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """gzip, member by member; its own trailer proves the end. Raises PortalFailed when cut, damaged or hostile."""
    unpack, taken, given = zlib.decompressobj(16 + zlib.MAX_WBITS), 0, 0
    for part in parts:
        taken += len(part)
        waiting = part
        while waiting:
            if unpack.eof:
                unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                plain = unpack.decompress(waiting, _BLOCK)
            except zlib.error:
                raise PortalFailed("PORTAL_ENCODING", "dữ liệu nén bị hỏng / damaged gzip", passing=True) from None
            given += len(plain)
            if given > _FREE_RATIO_BYTES and given > limits.max_ratio * taken:
                raise too_large("a gzip that unpacks beyond max_ratio")
            yield plain
            waiting = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    if not unpack.eof:
        raise truncated("gzip without its end")


def refuse_page(body: Body, file_name: str) -> None:
    """A web page in place of data. Raises PortalFailed PORTAL_LOGIN or PORTAL_HTML.

    No export begins with "<", except the tables some systems call .xls; those are for the layout to judge.
    """
    with body.path.open("rb") as file:
        head = file.read(1 << 16)
    head = head.replace(b"\0", b"")  # so that UTF-16 is read too
    if not head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\v\f").startswith(b"<"):
        return
    if _LOGIN.search(head):
        raise PortalFailed("PORTAL_LOGIN", "cổng trả trang đăng nhập / a login page in place of data")
    if not (file_name.endswith(".xls") and b"<table" in head.lower()):
        raise PortalFailed(
            "PORTAL_HTML", "cổng trả trang web thay cho dữ liệu / a web page in place of data", passing=True
        )


def prove(portal: Portal, body: Body, headers: Message | requests.structures.CaseInsensitiveDict[str]) -> None:
    """Apply the proofs of completeness the source names, but for the second look. Raises PortalFailed."""
    if "length" in portal.proof and not body.whole:
        detail = "không có gì chứng minh dữ liệu đã đủ / neither length nor chunks nor gzip tell where it ends"
        raise PortalFailed("PORTAL_UNPROVEN", detail)
    if "checksum" in portal.proof:
        told = _digests(headers.get(portal.checksum_header) or "")
        with body.path.open("rb") as file:
            counted = hashlib.file_digest(file, portal.checksum).digest()
        if counted not in told:
            raise PortalFailed("PORTAL_CHECKSUM", "sai mã kiểm tra / the checksum differs or is absent", passing=True)
    if "trailer" in portal.proof:
        with body.path.open("rb") as file:
            file.seek(max(0, body.size - _BLOCK))
            lines = file.read().decode("utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        if not re.search(portal.trailer, last):
            raise truncated("the trailer row is missing")


def _digests(told: str) -> set[bytes]:
    """What a checksum may mean: hexadecimal or base64, with or without quotes and the name of the algorithm."""
    texts = {told, told.partition("=")[2], told.rpartition("-")[2]}
    meant = set()
    for text in {text.strip(' \t":') for text in texts} - {""}:
        with suppress(ValueError):
            meant.add(bytes.fromhex(text))
        with suppress(ValueError):
            meant.add(base64.b64decode(text, validate=True))
    return meant
