"""Where the web application listens when it runs alone: this machine only, unless told otherwise."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from tthc.domain.errors import Misconfigured
from tthc.serving.web.app import create_app
from tthc.settings import Settings

_THIS_MACHINE = ("127.0.0.1", "localhost")


def serve_pages(settings: Settings, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until interrupted; `say` gets the address once the socket listens. Raises Misconfigured.

    On this machine's own address only requests that name it are answered, so that no foreign page can read through
    a visitor's browser (DNS rebinding).
    """
    app = create_app(settings, allowed_hosts=_THIS_MACHINE if host in _THIS_MACHINE else ("*",))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or error
        raise Misconfigured(f"cannot listen on {host}, port {port}: {told}; choose another --host or --port") from None
    with listening, suppress(KeyboardInterrupt):
        shown = f"[{host}]" if ":" in host else host
        say(f"http://{shown}:{listening.getsockname()[1]}/")
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)).run(
            sockets=[listening]
        )
