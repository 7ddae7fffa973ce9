"""Receivers on this machine for the channels under test: real HTTP and SMTP servers that can be told to misbehave."""

from __future__ import annotations

import json
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


@dataclass(slots=True)
class Call:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


@dataclass(slots=True)
class Http:
    """An HTTP server that keeps every call. `answer`: status of the next calls, "hang", or "kill" the `victim`."""

    url: str = ""
    answer: int | str = 200
    reply: bytes = b'{"ok": true}'
    calls: list[Call] = field(default_factory=list)
    victim: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def digests(self) -> list[dict[str, Any]]:
        return [call.body for call in self.calls if call.body["kind"] == "digest"]

    def reports(self) -> list[dict[str, Any]]:
        return [call.body for call in self.calls if call.body["kind"] == "report"]


@contextmanager
def http() -> Iterator[Http]:
    """An HTTP receiver on a free port of 127.0.0.1."""
    state = Http()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_call(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.calls.append(Call(self.path, dict(self.headers), raw))
            answer = state.answer
            if answer == "hang":
                state.over.wait(60)
                return
            if isinstance(answer, str):
                while not state.victim:
                    time.sleep(0.005)
                os.kill(state.victim, signal.SIGKILL)
                return
            self.send_response(answer)
            self.send_header("Content-Length", str(len(state.reply)))
            self.end_headers()
            self.wfile.write(state.reply)

        do_GET = do_POST = handle_call  # noqa: N815  (names the server looks for)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class Mailbox:
    """What an SMTP server took; `refuse` tells which addresses it does not."""

    port: int = 0
    letters: list[tuple[list[str], EmailMessage, bool]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refuse: Callable[[str], bool] = lambda _: False


@contextmanager
def smtp(
    tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: tuple[str, str] | None = None
) -> Iterator[Mailbox]:
    """An SMTP receiver; with `tls` it insists on STARTTLS, or speaks TLS from the first byte when `implicit`."""
    box = Mailbox()

    class Handler:
        async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  (a name the server looks for)
            if box.refuse(address):
                return "550 no such mailbox"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802  (a name the server looks for)
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            box.raw.append(bytes(envelope.content))
            box.letters.append((list(envelope.rcpt_tos), message, session.ssl is not None or implicit))
            return "250 OK"

    def authenticated(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=login is not None and (data.login.decode(), data.password.decode()) == login)

    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0}
    if implicit:
        options |= {"ssl_context": tls}
    elif tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    if login is not None:
        options |= {"authenticator": authenticated, "auth_required": True, "auth_require_tls": not implicit}
    controller = Controller(Handler(), **options)
    _start(controller)
    box.port = controller.server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        controller.stop()


def _start(controller: Controller) -> None:
    """Start on a free port: the controller's own start connects to the port it was given, which is 0."""
    ready = threading.Event()
    thread = threading.Thread(target=controller._run, args=(ready,), daemon=True)
    controller._thread = thread
    thread.start()
    deadline = time.monotonic() + 20
    while controller.server is None:
        assert time.monotonic() < deadline, "the SMTP server did not start"
        time.sleep(0.005)


def overlay(folder: Path, text: str) -> Path:
    """A reference overlay that holds these channels."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "channels.toml").write_text(text, encoding="utf-8")
    return folder


def webhook(url: str, *, policy: str = "", more: str = "", channels: str = '[{ channel = "hook" }]') -> str:
    """channels.toml with one webhook to which the default recipient listens."""
    return f"""
[policy]
{policy}
[[channel]]
id = "hook"
kind = "webhook"
url = "{url}"
timeout_seconds = 20

[[recipient]]
id = "operations"
channels = {channels}
report = true
{more}
"""
