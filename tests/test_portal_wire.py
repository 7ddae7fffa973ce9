"""Portals that answer well and badly in turn, expire on the way, or cut their lists by an order that is none."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import itertools
import json
import os
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import exports
import portals
from portals import UNITS, Liar, fetched, files_table, pages_table, reasons
from tthc.domain.errors import OutsideSystemFailed
from tthc.settings import PortalAccess

BAD, *GOOD = UNITS
ONCE = {"retries": 0}
BODY = exports.csv_list(portals.rows_of(BAD))
RECORDS = [{"MaHoSo": f"H42.1-260105-{number:04d}"} for number in range(30)]
ACCESS = PortalAccess(user="tthc", password="synthetic")
BLIND = {"pages_at": "", "page_at": ""}


def sent(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def listed(items: list[dict[str, Any]], **told: Any) -> bytes:
    return sent(json.dumps({"code": "OK", "data": {"items": items, "total": 30} | told}).encode())


def asked(line: str, name: str) -> str:
    return line.partition(f"{name}=")[2].partition("&")[0].partition(" ")[0]


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy", "500 Oh"])
def test_a_second_look_that_finds_the_portal_busy_is_tried_again(liar: Liar, status: str, tmp_path: Path) -> None:
    turns = itertools.count()
    liar.tell = lambda line: sent(b"", status) if BAD in line and next(turns) % 2 else sent(BODY, "200 OK", 'ETag: "1"')
    assert reasons(fetched(files_table(liar.url), tmp_path)) == dict.fromkeys(UNITS, "")


SUM = hashlib.sha256(BODY)
ENCODED = base64.b64encode(SUM.digest()).decode()


@pytest.mark.parametrize(
    "told", [SUM.hexdigest(), SUM.hexdigest().upper(), ENCODED, f'"{ENCODED}"', f"sha-256=:{ENCODED}:",
             f"sha256={SUM.hexdigest()}", f"sha256-{ENCODED}"],
)  # fmt: skip
def test_a_checksum_in_any_writing(liar: Liar, told: str, tmp_path: Path) -> None:
    liar.tell = lambda line: sent(BODY, "200 OK", f"X-Sum: {told if BAD in line else ENCODED[::-1]}")
    table = files_table(liar.url, limits=ONCE, proof=["checksum"], checksum_header="X-Sum")
    assert reasons(fetched(table, tmp_path)) == {BAD: ""} | dict.fromkeys(GOOD, "PORTAL_CHECKSUM")


@pytest.mark.parametrize("rel", ['rel="next"', "rel=next", 'REL="NEXT"', 'rel="last next"', 'title="a; b"; rel="next"'])
def test_a_link_header_in_any_writing(liar: Liar, rel: str, tmp_path: Path) -> None:
    def tell(line: str) -> bytes:
        first = "/more" not in line
        links = [f'Link: </before>; rel="prev", </more?unit=x>; {rel}'] if first else ['Link: </x>; rel="next-archive"']
        return sent(json.dumps([{"MaHoSo": str(first)}]).encode(), "200 OK", *links)

    liar.tell = tell
    paging = {"kind": "link", "next_at": "header:Link", "records_at": "", "total_at": ""} | BLIND
    told = fetched(pages_table(liar.url, paging=paging, limits=ONCE, ok_at=""), tmp_path)
    assert reasons(told) == dict.fromkeys(UNITS, "")
    assert [len(json.loads(one.path.read_bytes())) for one in told.values() if one.path] == [2, 2, 2]


def test_of_several_addresses_the_next_is_tried(liar: Liar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def getaddrinfo(_: str, port: int, **__: object) -> list[Any]:
        places = (("127.0.0.2", port), ("127.0.0.1", port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    liar.tell = lambda _: sent(BODY)
    url = f"http://cong.vi-du.vn:{liar.server_address[1]}"
    told = fetched(files_table(url, networks=["127.0.0.0/8"], limits=ONCE), tmp_path)
    assert reasons(told) == dict.fromkeys(UNITS, "")


LOGIN_PAGE = b"<html><form action='/login'><input type='password'></form></html>"
OVER = {
    "401": sent(b"", "401 Unauthorized"),
    "403": sent(b"", "403 Forbidden"),
    "a redirect": sent(b"", "302 Found", "Location: /login"),
    "a login page": sent(LOGIN_PAGE),
    "an answer": sent(b'{"code": "TOKEN_EXPIRED"}'),
}


@pytest.mark.parametrize("over", OVER)
def test_a_sign_in_that_ends_every_two_pages_is_renewed_each_time(liar: Liar, over: str, tmp_path: Path) -> None:
    left = 0

    def tell(line: str) -> bytes:
        nonlocal left
        if "/login" in line:
            left = 2
            return sent(b'{"data": {"token": "synthetic"}}')
        left -= 1
        page = int(asked(line, "page"))
        return OVER[over] if left < 0 else listed(RECORDS[7 * page - 7 : 7 * page])

    liar.tell = tell
    login = {"kind": "json", "path": "/login", "token_at": "data.token"}
    table = pages_table(liar.url, units=[BAD], login=login, paging=BLIND, limits=ONCE)
    told = fetched(table, tmp_path, access=ACCESS)
    assert reasons(told) == {BAD: ""}
    liar.tell = lambda line: tell(line) if "/login" in line else OVER[over]
    assert reasons(fetched(table, tmp_path / "b", access=ACCESS))[BAD] in {"PORTAL_LOGIN", "PORTAL_ANSWER"}


def test_a_sign_in_cut_on_the_way_is_not_taken_for_wrong_credentials(liar: Liar, tmp_path: Path) -> None:
    liar.tell = lambda _: sent(b'{"data": {"token": "synthetic"}}')[:-5]
    login = {"kind": "json", "path": "/login", "token_at": "data.token"}
    told = fetched(pages_table(liar.url, login=login, limits=ONCE), tmp_path, access=ACCESS)
    assert reasons(told) == dict.fromkeys(UNITS, "PORTAL_TRUNCATED")


def test_a_sign_in_that_fails_three_times_in_a_row_is_not_tried_for_every_commune(liar: Liar, tmp_path: Path) -> None:
    lines: list[str] = []

    def busy(line: str) -> bytes:
        lines.append(line)
        return sent(b"", "503 Busy")

    liar.tell = busy
    login = {"kind": "json", "path": "/login", "token_at": "data.token"}
    units = [f"18{number}" for number in range(100, 120)]
    table = pages_table(liar.url, units=units, login=login, limits=ONCE | {"concurrency": 1})
    assert reasons(fetched(table, tmp_path, access=ACCESS)) == dict.fromkeys(units, "PORTAL_BUSY")
    assert len(lines) == 3


def test_a_spool_that_cannot_be_written_is_named(liar: Liar, tmp_path: Path) -> None:
    liar.tell = lambda _: sent(BODY)
    (tmp_path / portals.NIGHT.isoformat()).write_text("a file in place of the folder")
    with pytest.raises(OutsideSystemFailed, match=f"csv could not be kept in {tmp_path}: Not a directory; free space"):
        fetched(files_table(liar.url), tmp_path)


def test_two_runs_of_one_source_do_not_write_the_same_files(liar: Liar, tmp_path: Path) -> None:
    liar.tell = lambda _: sent(BODY)
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(OutsideSystemFailed, match="another run is still fetching this source"):
        fetched(files_table(liar.url, limits={"night_seconds": 0.1}), tmp_path)
    threading.Timer(0.05, os.close, (other,)).start()
    assert reasons(fetched(files_table(liar.url), tmp_path)) == dict.fromkeys(UNITS, "")


@pytest.mark.parametrize("kind", ["link", "cursor"])
@pytest.mark.parametrize("expired", ["404 Not Found", "500 Oh", "200 OK"])
def test_a_cursor_that_has_expired_by_the_rerun_begins_anew(
    liar: Liar, kind: str, expired: str, tmp_path: Path
) -> None:
    run, breaks_at = 1, 21

    def tell(line: str) -> bytes:
        of_run, _, start = (asked(line, "at") or f"{run}-0").partition("-")
        if int(of_run) != run:
            return sent(b'{"code": "EXPIRED"}', expired)
        if int(start) == breaks_at:
            return b""
        following = f"{run}-{int(start) + 7}" if int(start) + 7 < 30 else None
        link = f"/more?at={following}" if following and kind == "link" else following
        return listed(RECORDS[int(start) : int(start) + 7], next=link)

    liar.tell = tell
    paging = {"kind": kind, "next_at": "data.next"} | BLIND
    path = "/records?at={cursor}" if kind == "cursor" else "/records"
    table = pages_table(liar.url, units=[BAD], path=path + "#{unit}", paging=paging, limits=ONCE)
    assert reasons(fetched(table, tmp_path)) == {BAD: "PORTAL_TRUNCATED"}
    run, breaks_at = 2, -1
    told = fetched(table, tmp_path)
    assert reasons(told) == {BAD: ""}
    assert [json.loads(one.path.read_bytes()) for one in told.values() if one.path] == [RECORDS]


def test_links_of_three_communes_that_lead_elsewhere_leave_the_fourth_alone(liar: Liar, tmp_path: Path) -> None:
    def tell(line: str) -> bytes:
        return listed(RECORDS, next=None if "18073" in line else f"https://127.0.0.1:{liar.server_address[1]}/x")

    liar.tell = tell
    paging = {"kind": "link", "next_at": "data.next"} | BLIND
    table = pages_table(liar.url, units=[*UNITS, "18073"], paging=paging, limits=ONCE | {"concurrency": 1})
    assert reasons(fetched(table, tmp_path)) == dict.fromkeys(UNITS, "PORTAL_ADDRESS") | {"18073": ""}


Ordered = Callable[[int, int], list[dict[str, Any]]]  # start of the page, how often it was asked → the whole list


def _shuffled(seed: int) -> list[dict[str, Any]]:
    rest = RECORDS[7:]
    random.Random(seed).shuffle(rest)
    return RECORDS[:7] + rest


ORDERS: dict[str, tuple[Ordered, str]] = {
    "another order each time": (lambda start, turn: _shuffled(turn), "PORTAL_DATA_MOVED"),
    "another order on each page": (lambda start, turn: _shuffled(start), "PORTAL_PAGE_REPEATED"),
    "records twice on each page": (
        lambda start, turn: [RECORDS[number // 2 * 2] for number in range(30)] if start else RECORDS, "PORTAL_PAGE_REPEATED",
    ),
    "records that stand in the list twice": (lambda start, turn: RECORDS[:20] + RECORDS[2:12], ""),
}  # fmt: skip


@pytest.mark.parametrize("key", ["", "MaHoSo"])
@pytest.mark.parametrize("order", ORDERS)
def test_records_that_come_twice_while_the_count_is_right(liar: Liar, order: str, key: str, tmp_path: Path) -> None:
    lists, reason = ORDERS[order]
    turns = itertools.count(1)

    def tell(line: str) -> bytes:
        start, size = int(asked(line, "offset")), int(asked(line, "size"))
        return listed(lists(start, next(turns))[start : start + size])

    liar.tell = tell
    paging = {"kind": "offset"} | ({"record_key": key} if key else {}) | BLIND
    path = "/records?unit={unit}&offset={offset}&size={size}"
    told = fetched(pages_table(liar.url, units=[BAD], path=path, paging=paging, limits=ONCE), tmp_path)
    assert reasons(told) == {BAD: reason}


def test_a_handshake_that_breaks_is_not_told_as_a_bad_certificate(liar: Liar, tmp_path: Path) -> None:
    liar.tell = lambda _: b""
    told = fetched(files_table(liar.url.replace("http:", "https:"), units=[BAD], limits=ONCE), tmp_path)[BAD]
    assert (told.reason, told.passing) == ("PORTAL_TLS", True)
    assert "handshake" in told.detail


def test_an_answer_that_says_it_failed_is_asked_for_again(liar: Liar, tmp_path: Path) -> None:
    turns = itertools.count()
    failed = sent(b'{"code": "ERROR"}')
    liar.tell = lambda line: listed(RECORDS) if next(turns) % 2 else failed
    told = fetched(pages_table(liar.url, units=[BAD], paging={"size": 30} | BLIND), tmp_path)
    assert reasons(told) == {BAD: ""}
