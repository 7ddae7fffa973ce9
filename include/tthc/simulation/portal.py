"""A portal on loopback that serves what `tthc simulate` wrote, in order or with every fault a portal is known for.

    tthc simulate --dossiers 2000 --out DIR
    python -m tthc.simulation.portal --data DIR --port 8800 --fault 18373=slow_body

It serves, for a night (`?night=yyyy-mm-dd`, default the newest of the data) and a unit:

    GET  /files/<source>/<unit>     the file as it lies there, with ETag and Last-Modified; 204 where there is none
    GET  /records/<source>          records of JSON files: unit, page (from 1) and size, or offset and size, or cursor
    POST /records/<source>          the same, asked by a JSON body; answered with status 201, as some portals do
    POST /login                     username and password as JSON or form: a token in data.token, and a cookie
                                    (with --login sign-in; user and password are taken as basic authentication too)

A list answers {"code": "OK", "data": {"items": […], "total": n, "pages": n, "page": n, "next": "cursor"}}, and tells
the total and the next page in the headers X-Total-Count and Link as well.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import secrets
import ssl
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tthc.simulation.portal_faults import FAULTS, Fault, Sound

USER, PASSWORD = "tthc", "mat-khau-gia"  # of a simulated portal: anybody may know them
LOGINS = ("none", "bearer", "sign-in")


@dataclass(slots=True)
class Asked:
    """One request: what is wanted, for which unit, with which parameters."""

    kind: str
    source: str
    unit: str
    parameters: dict[str, str] = field(default_factory=dict)


class PortalSimulator(ThreadingHTTPServer):
    """The server; `faults` names a fault a unit, "*" for every unit. Use as a context manager; `url` is its address."""

    daemon_threads = True

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        login: str = "none",
        faults: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.data, self.login = data, login
        self.faults = dict(faults or {})
        self.tokens = {secrets.token_hex(8)}
        self.asked: list[str] = []  # "METHOD path" of every request, in order
        self.seen: list[Mapping[str, str]] = []  # their headers
        self.counts: Counter[str] = Counter()
        self._scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    def __enter__(self) -> PortalSimulator:
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what half of the faults are about."""

    def fault_of(self, unit: str) -> Fault | None:
        """The fault this unit is served with."""
        name = self.faults.get(unit) or self.faults.get("*")
        return FAULTS[name] if name else None

    def folder(self, night: str) -> Path:
        """The data of a night: its own folder, else the newest one, else the data themselves."""
        if night and (self.data / night).is_dir():
            return self.data / night
        nights = sorted(path for path in self.data.glob("????-??-??") if path.is_dir())
        return nights[-1] if nights else self.data

    def file_of(self, asked: Asked) -> Path | None:
        """The file of a unit, of all units the first."""
        folder = self.folder(asked.parameters.get("night", "")) / asked.source
        return next(iter(sorted(folder.glob("*" if asked.unit == "*" else f"{asked.unit}.*"))), None)

    def records_of(self, asked: Asked) -> list[Any]:
        """The records of a unit, or of all."""
        folder = self.folder(asked.parameters.get("night", "")) / asked.source
        paths = sorted(folder.glob("*.json" if asked.unit == "*" else f"{asked.unit}.json"))
        return [record for path in paths for record in json.loads(path.read_text(encoding="utf-8"))]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PortalSimulator
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: the requests are in `PortalSimulator.asked`."""

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer({})

    def do_POST(self) -> None:
        """Answer a question asked by a body, or let somebody in."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "json" in self.headers.get("Content-Type", ""):
            words = {name: str(value) for name, value in json.loads(body or b"{}").items()}
        else:
            words = dict(parse_qsl(body.decode()))
        if urlsplit(self.path).path == "/login":
            self._note()
            self._let_in(words)
        else:
            self._answer(words)

    def _note(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.seen.append(dict(self.headers))
        self.close_connection = True

    def _answer(self, words: dict[str, str]) -> None:
        self._note()
        parts = urlsplit(self.path)
        parameters = dict(parse_qsl(parts.query)) | words
        steps = parts.path.strip("/").split("/")
        if len(steps) < 2 or steps[0] not in {"files", "records"}:
            self.send(Sound(404, {}, b""))
            return
        asked = Asked(steps[0], steps[1], parameters.get("unit") or "".join(steps[2:3]) or "*", parameters)
        if not self._is_known():
            self.send(Sound(401, {"WWW-Authenticate": "Bearer"}, b""))
            return
        fault = self.server.fault_of(asked.unit)
        if fault and fault.before:
            asked = fault.before(self.server, asked)
        sound = self._file(asked) if asked.kind == "files" else self._records(asked)
        with suppress(OSError):
            if fault and fault.spoil:
                fault.spoil(self, sound, asked)
            else:
                self.send(sound)

    def _is_known(self) -> bool:
        told = self.headers.get("Authorization", "")
        token = told.removeprefix("Bearer ") if told.startswith("Bearer ") else ""
        cookie = self.headers.get("Cookie", "").partition("phien=")[2].partition(";")[0]
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return {
            "none": True,
            "bearer": token in self.server.tokens,
            "sign-in": bool({token, cookie} & self.server.tokens) or told == f"Basic {pair}",
        }[self.server.login]

    def _let_in(self, words: dict[str, str]) -> None:
        if (words.get("username"), words.get("password")) != (USER, PASSWORD):
            self.send(_json(200, {"code": "LOGIN_FAILED", "data": None}))
            return
        token = secrets.token_hex(8)
        self.server.tokens.add(token)
        sound = _json(201, {"code": "OK", "data": {"token": token}})
        self.send(Sound(sound.status, sound.headers | {"Set-Cookie": f"phien={token}; Path=/; HttpOnly"}, sound.body))

    def _file(self, asked: Asked) -> Sound:
        path = self.server.file_of(asked)
        if path is None:
            return Sound(204, {}, b"")
        body = path.read_bytes()
        headers = {
            "Content-Type": "application/octet-stream",
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"',
            "Last-Modified": formatdate(path.stat().st_mtime, usegmt=True),
            "X-Checksum-Sha256": hashlib.sha256(body).hexdigest(),
        }
        if self.headers.get("If-None-Match") == headers["ETag"]:
            return Sound(304, headers, b"")
        return Sound(200, headers, body)

    def _records(self, asked: Asked) -> Sound:
        words, everything = asked.parameters, self.server.records_of(asked)
        size = max(1, int(words.get("size") or 500))
        place = int(words.get("cursor") or words.get("offset") or (int(words.get("page") or 1) - 1) * size)
        items = everything[place : place + size]
        following = str(place + size) if place + size < len(everything) else ""
        data = {
            "items": items,
            "total": len(everything),
            "pages": -(-len(everything) // size),
            "page": place // size + 1,
            "next": following or None,
        }
        sound = _json(201 if self.command == "POST" else 200, {"code": "OK", "data": data, "message": ""})
        headers = {"X-Total-Count": str(len(everything))}
        if following:
            query = urlencode(words | {"cursor": following})
            headers["Link"] = f'<{urlsplit(self.path).path}?{query}>; rel="next"'
        return Sound(sound.status, sound.headers | headers, sound.body)

    def send(self, sound: Sound) -> None:
        """An answer as it should be."""
        self.head(sound.status, sound.headers | {"Content-Length": str(len(sound.body))})
        self.wfile.write(sound.body)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Status line and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()


def _json(status: int, value: Any) -> Sound:
    return Sound(status, {"Content-Type": "application/json"}, json.dumps(value, ensure_ascii=False).encode())


def main() -> None:
    """Serve until interrupted."""
    told = "\n".join(f"  {name:<18}{fault.told}" for name, fault in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tthc.simulation.portal",
        description=f"{__doc__}\nFaults:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="what `tthc simulate --out` wrote, or one night of it")
    parser.add_argument("--port", type=int, default=0, help="default: a free one, which is printed")
    parser.add_argument("--login", choices=LOGINS, default="none", help=f"what it wants to see; user {USER}")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="[UNIT=]NAME", help="may be given several times"
    )
    given = parser.parse_args()
    faults = {unit or "*": name for unit, _, name in (text.rpartition("=") for text in given.fault)}
    if unknown := sorted(set(faults.values()) - set(FAULTS)):
        parser.error(f"no such fault: {', '.join(unknown)}; see --help")
    if not given.data.is_dir():
        parser.error(f"{given.data} is not a directory; `tthc simulate --out DIR` makes one")
    with PortalSimulator(given.data, port=given.port, login=given.login, faults=faults) as portal:
        print(portal.url, flush=True)
        if given.login == "bearer":
            print(f"token: {next(iter(portal.tokens))}", flush=True)
        elif given.login != "none":
            print(f"user: {USER}, password: {PASSWORD}", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


if __name__ == "__main__":
    main()
