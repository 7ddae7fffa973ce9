"""Answers that break the protocol or lie about themselves: each is one clear failure, and the other commune's comes."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import exports
import portals
from portals import UNITS, Liar, fetched, files_table, pages_table, reasons
from tthc.sources import portal_fetch

BAD, *GOOD = UNITS
ONCE = {"retries": 0}  # a sound delivery comes at the first try
OK = "HTTP/1.1 200 OK"
CHUNKED = f"{OK}\r\nTransfer-Encoding: chunked"
BODY = exports.csv_list(portals.rows_of(BAD))
HALF = BODY[: BODY[: len(BODY) // 2].rfind(b"\n") + 1]
PACKED = gzip.compress(BODY, mtime=0)


def answer(head: str, body: bytes) -> bytes:
    return head.encode() + b"\r\n\r\n" + body


def sized(size: object, body: bytes = BODY) -> bytes:
    return answer(f"{OK}\r\nContent-Length: {size}", body)


def part(size: bytes, body: bytes) -> bytes:
    return size + b"\r\n" + body + b"\r\n"


PAGE = "<html><form action='/login'><input type='password'></form></html>".encode("utf-16")
HINTS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n"
LIES = {
    "a length of fewer bytes, at a line": (sized(len(HALF)), "PORTAL_TRUNCATED"),
    "a length in characters": (sized(len(BODY.decode("utf-8-sig"))), "PORTAL_TRUNCATED"),
    "a length of nothing": (sized(0), "PORTAL_TRUNCATED"),
    "nothing at all": (sized(0, b""), "PORTAL_TRUNCATED"),
    "a gzip of nothing at all": (
        answer(f"{OK}\r\nContent-Encoding: gzip\r\nContent-Length: {len(gzip.compress(b''))}", gzip.compress(b"")), "PORTAL_TRUNCATED",
    ),
    "a length of more bytes": (sized(len(BODY) + 50), "PORTAL_TRUNCATED"),
    "a cut file of negative length": (sized(-5, HALF), "PORTAL_UNPROVEN"),
    "a cut file whose length is a word": (sized("many", HALF), "PORTAL_UNPROVEN"),
    "two lengths": (answer(f"{OK}\r\nContent-Length: 9\r\nContent-Length: {len(BODY)}", BODY), "PORTAL_SHAPE"),
    "a chunk of negative size": (answer(CHUNKED, part(b"-5", BODY)), "PORTAL_SHAPE"),
    "a chunk of a few bytes less": (answer(CHUNKED, part(b"%x" % (len(BODY) - 9), BODY) + b"0\r\n\r\n"), "PORTAL_TRUNCATED"),
    "a last chunk in the midst": (
        answer(CHUNKED, part(b"%x" % len(HALF), HALF) + b"0\r\n\r\n" + BODY[len(HALF) :] + b"\r\n0\r\n\r\n"), "PORTAL_TRUNCATED",
    ),
    "chunks and a trailer, sound": (
        answer(CHUNKED, part(b"%x" % len(BODY), BODY) + b"0\r\nX-Trailer: 1\r\n\r\n"), "",
    ),
    "a login page in UTF-16": (sized(len(PAGE), PAGE), "PORTAL_LOGIN"),
    "a part with status 206": (
        answer(f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-{len(HALF) - 1}/{len(BODY)}\r\n"
               f"Content-Length: {len(HALF)}", HALF), "PORTAL_TRUNCATED",
    ),
    "a part with status 200": (
        answer(f"{OK}\r\nContent-Range: bytes 0-{len(HALF) - 1}/{len(BODY)}\r\nContent-Length: {len(HALF)}", HALF),
        "PORTAL_TRUNCATED",
    ),
    "unchanged, though we never had it": (answer("HTTP/1.1 304 Not Modified", b""), "PORTAL_STATUS"),
    "a header of 1 MB": (answer(f"{OK}\r\nX-Big: {'x' * 1_000_000}", BODY), "PORTAL_SHAPE"),
    "thousands of headers": (answer(OK + "\r\nX-Many: 1" * 5000, BODY), "PORTAL_SHAPE"),
    "a status that is a word": (answer("HTTP/1.1 fine OK", BODY), "PORTAL_SHAPE"),
    "no head at all": (BODY, "PORTAL_SHAPE"),
    "no answer at all": (b"", "PORTAL_TRUNCATED"),
    "interim answers and then none": (HINTS, "PORTAL_TRUNCATED"),
    "interim answers without end": (HINTS * 30 + sized(len(BODY)), "PORTAL_SHAPE"),
    "an interim answer of thousands of headers": (
        b"HTTP/1.1 103 Early Hints" + b"\r\nX-Many: 1" * 5000 + b"\r\n\r\n" + sized(len(BODY)), "PORTAL_SHAPE",
    ),
    "another protocol, which nobody asked for": (
        answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket", b"") + sized(len(BODY)), "PORTAL_STATUS",
    ),
    "interim answers before a sound one": (HINTS + sized(len(BODY)), ""),
    "the end of the file as a part": (
        answer(f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {len(HALF)}-{len(BODY) - 1}/{len(BODY)}\r\n"
               f"Content-Length: {len(BODY) - len(HALF)}", BODY[len(HALF):]), "PORTAL_TRUNCATED",
    ),
    "said to be gzip, and is not": (answer(f"{OK}\r\nContent-Encoding: gzip\r\nContent-Length: {len(BODY)}", BODY), "PORTAL_ENCODING"),
    "gzip whose checksum is another's": (
        answer(f"{OK}\r\nContent-Encoding: gzip\r\nContent-Length: {len(PACKED)}", PACKED[:-8] + b"\1\2\3\4" + PACKED[-4:]),
        "PORTAL_ENCODING",
    ),
    "gzip and zeros behind it": (
        answer(f"{OK}\r\nContent-Encoding: gzip\r\nContent-Length: {len(PACKED) + 50}", PACKED + bytes(50)), "PORTAL_ENCODING",
    ),
    "packed twice": (answer(f"{OK}\r\nContent-Encoding: gzip, gzip\r\nContent-Length: {len(PACKED)}", PACKED), "PORTAL_ENCODING"),
    "a redirect to nowhere": (answer("HTTP/1.1 302 Found\r\nContent-Length: 0", b""), "PORTAL_REDIRECT"),
    "a line of the head without a colon": (answer(f"{OK}\r\nGarbage\r\nContent-Length: {len(BODY)}", BODY), "PORTAL_UNPROVEN"),
    "a chunk with a remark of 1 MB": (
        answer(CHUNKED, b"%x;" % len(BODY) + b"x" * 1_000_000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"), "PORTAL_TRUNCATED",
    ),
    "another alphabet than declared, sound": (
        answer(f"{OK}\r\nContent-Type: text/csv; charset=iso-8859-1\r\nContent-Length: {len(BODY)}", BODY), "",
    ),
    "one byte a chunk, sound": (
        answer(CHUNKED, b"".join(part(b"1", bytes([byte])) for byte in BODY) + b"0\r\n\r\n"), "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_about_itself(liar: Liar, lie: str, tmp_path: Path) -> None:
    sent, reason = LIES[lie]
    liar.tell = lambda line: sent if BAD in line else sized(len(BODY))
    told = fetched(files_table(liar.url, limits=ONCE), tmp_path)
    assert reasons(told) == {BAD: reason} | dict.fromkeys(GOOD, "")


@pytest.mark.parametrize(
    ("following", "reason"),
    [
        ({"href": "/more"}, "PORTAL_SHAPE"),
        (["/more"], "PORTAL_SHAPE"),
        (True, "PORTAL_SHAPE"),
        ("http://[::1/more", "PORTAL_SHAPE"),
        ("//elsewhere.example/more", "PORTAL_ADDRESS"),
        ("/records?\r\nX-Other: 1", "PORTAL_ADDRESS"),
        (None, ""),
        (False, ""),
        ("", ""),
    ],
)
def test_a_next_link_of_any_kind_never_ends_a_list_early(
    liar: Liar, following: object, reason: str, tmp_path: Path
) -> None:
    def tell(line: str) -> bytes:
        data = {"items": [{"MaHoSo": "1"}], "next": following if BAD in line else None}
        body = json.dumps({"code": "OK", "data": data}).encode()
        return sized(len(body), body)

    liar.tell = tell
    paging = {"kind": "link", "next_at": "data.next", "total_at": "", "pages_at": "", "page_at": ""}
    told = fetched(pages_table(liar.url, paging=paging, limits=ONCE), tmp_path)
    assert reasons(told) == {BAD: reason} | dict.fromkeys(GOOD, "")


@pytest.mark.parametrize(
    "told", ["soon", "-5", "\u00b2", "9" * 5000, "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 01 Jan 2035 00:00:00 -0000",
             "Mon, 01 Jan 99999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"], ids=lambda told: told[:30],
)  # fmt: skip
def test_a_retry_after_of_any_kind_is_a_busy_portal(liar: Liar, told: str, tmp_path: Path) -> None:
    sent = f"HTTP/1.1 503 busy\r\nRetry-After: {told}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    liar.tell = lambda line: sent if BAD in line else sized(len(BODY))
    assert reasons(fetched(files_table(liar.url), tmp_path)) == {BAD: "PORTAL_BUSY"} | dict.fromkeys(GOOD, "")


RECORDS = [{"MaHoSo": f"H42.1-260105-{number:04d}"} for number in range(30)]
Pages = Callable[[int, int], dict[str, Any]]


def page_of(number: int, start: int | None = None, size: int = 7, **told: Any) -> dict[str, Any]:
    """A page of the list of thirty records in five pages, unless it is told otherwise."""
    start = (number - 1) * 7 if start is None else start
    return {"items": RECORDS[start : start + size], "total": 30, "pages": 5, "page": number} | told


LIST_LIES: dict[str, tuple[Pages, str]] = {
    "none": (lambda number, _: page_of(number), ""),
    "one page for all": (lambda number, _: page_of(number, 0), "PORTAL_PAGE_REPEATED"),
    "pages that overlap by a record, and the count is right": (
        lambda number, _: page_of(number, max(0, (number - 1) * 7 - 1), 7 if number < 5 else 2), "PORTAL_PAGE_REPEATED",
    ),
    "empty pages": (lambda number, _: page_of(number, size=0), "PORTAL_PAGE_MISSING"),
    "a thousand million records": (lambda number, _: page_of(number, total=10**9, pages=10**8), "PORTAL_PAGE_MISSING"),
    "fewer records than on one page": (lambda number, _: page_of(number, total=0, pages=0), "PORTAL_TOTAL"),
    "less than no records": (lambda number, _: page_of(number, total=-1), "PORTAL_SHAPE"),
    "half a record": (lambda number, _: page_of(number, total=30.5), "PORTAL_SHAPE"),
    "records as an object": (lambda number, _: page_of(number, items={"0": RECORDS[0]}), "PORTAL_SHAPE"),
    "another total each time": (lambda number, asked: page_of(number, total=30 + asked), "PORTAL_DATA_MOVED"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIST_LIES)
def test_a_list_that_lies_about_its_pages(liar: Liar, lie: str, tmp_path: Path) -> None:
    pages, reason = LIST_LIES[lie]
    asked = itertools.count()

    def tell(line: str) -> bytes:
        number = int(line.partition("&page=")[2].partition("&")[0])
        data = pages(number, next(asked)) if BAD in line else page_of(number)
        body = json.dumps({"code": "OK", "data": data}).encode()
        return sized(len(body), body)

    liar.tell = tell
    assert reasons(fetched(pages_table(liar.url, limits=ONCE), tmp_path)) == {BAD: reason} | dict.fromkeys(GOOD, "")


def test_a_connection_that_breaks_at_every_second_page(liar: Liar, tmp_path: Path) -> None:
    asked = itertools.count()

    def tell(line: str) -> bytes:
        number = int(line.partition("&page=")[2].partition("&")[0])
        body = json.dumps({"code": "OK", "data": page_of(number)}).encode()
        return b"" if BAD in line and next(asked) % 2 else sized(len(body), body)

    liar.tell = tell
    told = fetched(pages_table(liar.url), tmp_path)
    assert reasons(told) == dict.fromkeys(UNITS, "")
    assert json.loads(told[BAD].path.read_bytes()) == RECORDS


def test_what_nobody_foresaw_harms_one_delivery(liar: Liar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    liar.tell = lambda _: sized(len(BODY))
    prove = portal_fetch.prove

    def surprised(portal: Any, body: Any, headers: Any) -> None:
        if BAD in str(body.path):
            raise KeyError("a value of the portal")
        prove(portal, body, headers)

    monkeypatch.setattr(portal_fetch, "prove", surprised)
    told = fetched(files_table(liar.url), tmp_path)
    assert reasons(told) == {BAD: "PORTAL_SHAPE"} | dict.fromkeys(GOOD, "")
    assert "KeyError" in told[BAD].detail and "value" not in told[BAD].detail


@pytest.mark.parametrize("promise", ["", "Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n"])
def test_a_connection_is_asked_one_question_whatever_the_portal_promises(promise: str, tmp_path: Path) -> None:
    """Each connection answers once and stays open: who asked it again would find it closed in the midst of the run."""
    again: list[bytes] = []

    class Promising(portals.LiarHandler):
        def handle(self) -> None:
            super().handle()
            again.append(self.rfile.readline())

    with Liar(lambda _: answer(f"{OK}\r\n{promise}Content-Length: {len(BODY)}", BODY), Promising) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        told = fetched(files_table(server.url, limits=ONCE), tmp_path)
        server.shutdown()
    assert reasons(told) == dict.fromkeys(UNITS, "")
    assert set(again) <= {b""}
