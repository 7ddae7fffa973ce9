"""What a portal does wrong, one fault a name: it cuts, drips, lies about its pages, sends web pages for data."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_PAGE = "<!DOCTYPE html><html><body><h1>{}</h1>{}</body></html>"
_FORM = '<form action="/dang-nhap"><input name="u"><input type="password" name="p"></form>'
_DRIP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Sound:
    """The answer as it should be."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: it changes what is `asked` before an answer is made, or spoils the answer (handler, answer, asked)."""

    told: str
    spoil: Callable[[Any, Sound, Any], None] | None = None
    before: Callable[[Any, Any], Any] | None = None


def _times(handler: Any, asked: Any) -> int:
    """How often this unit was asked for before."""
    key = f"{asked.kind}/{asked.source}/{asked.unit}"
    handler.server.counts[key] += 1
    return int(handler.server.counts[key]) - 1


def _status(code: int, headers: dict[str, str] | None = None, *, once: bool = False) -> Callable[..., None]:
    def spoil(handler: Any, sound: Sound, asked: Any) -> None:
        if once and _times(handler, asked):
            handler.send(sound)
        else:
            handler.send(Sound(code, headers or {}, b"" if code < 400 else b"error"))

    return spoil


def _page(title: str, inside: str = "") -> Callable[..., None]:
    body = _PAGE.format(title, inside).encode()

    def spoil(handler: Any, sound: Sound, asked: Any) -> None:
        handler.send(Sound(200, {"Content-Type": "text/html; charset=utf-8"}, body))

    return spoil


def _silent(handler: Any, sound: Sound, asked: Any) -> None:
    time.sleep(30)


def _slow_headers(handler: Any, sound: Sound, asked: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(10_000):
        handler.wfile.write(b"x")
        time.sleep(_DRIP_SECONDS)


def _slow_body(handler: Any, sound: Sound, asked: Any) -> None:
    handler.head(sound.status, sound.headers | {"Content-Length": str(len(sound.body) + 10_000)})
    for place in range(10_000):
        handler.wfile.write(sound.body[place : place + 1] or b" ")
        time.sleep(_DRIP_SECONDS)


def _pause(handler: Any, sound: Sound, asked: Any) -> None:
    time.sleep(2 * _DRIP_SECONDS)
    handler.send(sound)


def _error_at_page_4(handler: Any, sound: Sound, asked: Any) -> None:
    handler.send(Sound(500) if asked.parameters.get("page") == "4" else sound)


def _half(sound: Sound) -> bytes:
    """A half that ends with a whole line where there are lines: the hardest cut to see."""
    half = sound.body[: len(sound.body) // 2]
    return half[: half.rfind(b"\n") + 1] or half


def _short_length(handler: Any, sound: Sound, asked: Any) -> None:
    handler.head(sound.status, sound.headers | {"Content-Length": str(len(sound.body))})
    handler.wfile.write(_half(sound))


def _cut_chunked(handler: Any, sound: Sound, asked: Any) -> None:
    half = _half(sound)
    handler.head(sound.status, sound.headers | {"Transfer-Encoding": "chunked"})
    handler.wfile.write(b"%x\r\n%b\r\n" % (len(half), half))


def _cut_close(handler: Any, sound: Sound, asked: Any) -> None:
    handler.head(sound.status, sound.headers)
    handler.wfile.write(_half(sound))


def _cut_gzip(handler: Any, sound: Sound, asked: Any) -> None:
    packed = gzip.compress(sound.body, mtime=0)
    handler.head(sound.status, sound.headers | {"Content-Encoding": "gzip"})
    handler.wfile.write(packed[: len(packed) // 2])


def _gzip_bomb(handler: Any, sound: Sound, asked: Any) -> None:
    packed = gzip.compress(b"0" * 50_000_000, compresslevel=1, mtime=0)
    handler.send(Sound(200, sound.headers | {"Content-Encoding": "gzip"}, packed))


def _endless(handler: Any, sound: Sound, asked: Any) -> None:
    handler.head(sound.status, sound.headers)
    while True:
        handler.wfile.write(sound.body or b" " * 65536)


def _growing(handler: Any, sound: Sound, asked: Any) -> None:
    more = sound.body + b"\r\n" * _times(handler, asked)
    headers = {name: value for name, value in sound.headers.items() if name not in {"ETag", "Last-Modified"}}
    handler.send(Sound(200, headers, more))


def _reshaped(change: Callable[[dict[str, Any], int], None]) -> Callable[..., None]:
    """Send a page of a list after a change of its `data`; the change is told how many pages were sent before."""

    def spoil(handler: Any, sound: Sound, asked: Any) -> None:
        whole = json.loads(sound.body)
        change(whole["data"], _times(handler, asked))
        handler.send(Sound(sound.status, sound.headers, json.dumps(whole, ensure_ascii=False).encode()))

    return spoil


def _shrink(data: dict[str, Any], times: int) -> None:
    data["pages"] = max(1, data["pages"] - times)


def _total_moves(data: dict[str, Any], times: int) -> None:
    data["total"] += times


def _one_lost(data: dict[str, Any], times: int) -> None:
    if data["page"] == 2:
        data["items"] = data["items"][1:]


def _first_page_always(server: Any, asked: Any) -> Any:
    asked.parameters |= {"page": "1", "offset": "0", "cursor": "0"}
    return asked


def _page_too_far(server: Any, asked: Any) -> Any:
    page = int(asked.parameters.get("page") or 1)
    asked.parameters["page"] = str(page + (page > 1))
    return asked


def _rows_shift(server: Any, asked: Any) -> Any:
    """Every page after the first begins one record too early, as when a record was put in at the front meanwhile."""
    words = asked.parameters
    size = int(words.get("size") or 500)
    place = int(words.get("offset") or (int(words.get("page") or 1) - 1) * size)
    words["cursor"] = str(max(0, place - 1))
    return asked


def _wrong_unit(server: Any, asked: Any) -> Any:
    """Another unit's data: those of the first file that is not the one asked for."""
    folder = server.folder(asked.parameters.get("night", "")) / asked.source
    others = (path.stem for path in sorted(folder.iterdir()) if path.stem != asked.unit)
    asked.unit = next(others, asked.unit)
    return asked


FAULTS = {
    "busy_once": Fault("429 with Retry-After 1 at first", _status(429, {"Retry-After": "1"}, once=True)),
    "busy_for_a_day": Fault("429 with Retry-After 86400", _status(429, {"Retry-After": "86400"})),
    "error_once": Fault("500 at first", _status(500, once=True)),
    "error": Fault("500", _status(500)),
    "error_at_page_4": Fault("500 for the fourth page", _error_at_page_4),
    "forbidden": Fault("403", _status(403)),
    "maintenance": Fault("a web page with status 200", _page("Hệ thống đang bảo trì")),
    "login_page": Fault("a login form with status 200", _page("Đăng nhập", _FORM)),
    "login_redirect": Fault("a redirect to a login page", _status(302, {"Location": "/dang-nhap?ve=1"})),
    "redirect_metadata": Fault("a redirect to 169.254.169.254", _status(302, {"Location": "http://169.254.169.254/x"})),
    "redirect_loopback": Fault("a redirect to 127.0.0.1", _status(307, {"Location": "http://127.0.0.1:1/x"})),
    "redirect_file": Fault("a redirect to a file", _status(301, {"Location": "file:///etc/hostname"})),
    "pause": Fault("a moment's thought before each answer", _pause),
    "silent": Fault("no answer", _silent),
    "slow_headers": Fault("headers byte by byte", _slow_headers),
    "slow_body": Fault("a body byte by byte", _slow_body),
    "short_length": Fault("fewer bytes than declared", _short_length),
    "cut_chunked": Fault("chunks without an end", _cut_chunked),
    "cut_close": Fault("half a body without a length", _cut_close),
    "cut_gzip": Fault("half a gzip without a length", _cut_gzip),
    "gzip_bomb": Fault("a few kB that unpack to 50 MB", _gzip_bomb),
    "endless": Fault("a body without end", _endless),
    "growing": Fault("a file that grows between two looks", _growing),
    "page_repeated": Fault("the first page again and again", before=_first_page_always),
    "page_skipped": Fault("the third page in place of the second", before=_page_too_far),
    "record_lost": Fault("the second page without its first record", _reshaped(_one_lost)),
    "rows_shift": Fault("pages that begin a record too early", before=_rows_shift),
    "pages_shrink": Fault("ever fewer pages", _reshaped(_shrink)),
    "total_moves": Fault("ever more records", _reshaped(_total_moves)),
    "wrong_unit": Fault("another unit's data", before=_wrong_unit),
}
