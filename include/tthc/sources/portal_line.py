"""The line to a portal: a `requests` session that connects to pinned addresses only and takes nothing from around it.

No proxy, no .netrc, no CA bundle of the environment, no redirect; TLS is always verified. One question a connection.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from functools import lru_cache
from http.client import HTTPException, HTTPResponse, parse_headers
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.poolmanager import PoolManager

from tthc.sources.portal_address import pinned
from tthc.sources.portal_clock import Clock, WatchedSocket, WatchedTlsSocket, connected

USER_AGENT = "tthc"
_ENDLESS = float("inf")  # the deadline of the delivery is the only limit
_INTERIM = 10  # how many answers with a status 1xx may come before the answer


class Line:
    """One delivery's way to one portal: each host's addresses are looked up, judged and kept once."""

    def __init__(self, clock: Clock, networks: tuple[str, ...]) -> None:
        self.clock = clock
        self._networks = networks
        self._addresses: dict[tuple[str, int], list[str]] = {}

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first judged address that takes it. Raises PortalFailed, OSError."""
        key, tried = (host, port), 0
        if key not in self._addresses:
            try:
                self._addresses[key] = pinned(host, port, self._networks, self.clock.patience(_ENDLESS))
            except TimeoutError:
                raise self.clock.over() from None
        addresses = self._addresses[key]
        while True:
            try:
                return connected(addresses[0], port, self.clock)
            except OSError:
                addresses.append(addresses.pop(0))  # whichever answers is the first one next time
                tried += 1
                if tried == len(addresses):
                    raise


def session(line: Line, ca_file: str) -> requests.Session:
    """A session that talks over `line` only."""
    made = _Straight()
    made.trust_env = False
    made.verify = ca_file or True
    made.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, identity", "Connection": "close"})
    adapter = _Adapter(line, _context(ca_file) if ca_file else _usual_context())
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = WatchedTlsSocket
    return context


@lru_cache(maxsize=1)
def _usual_context() -> ssl.SSLContext:
    """Reading the usual authorities takes longer than most deliveries; they change with the installation only."""
    return _context(DEFAULT_CA_BUNDLE_PATH)


class _Straight(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """No answer leads elsewhere: following would also read the whole body of the redirect, however long."""


class _OnlyAnswer(HTTPResponse):
    """The last answer of its connection, whatever its headers promise, and not one of those that come before it."""

    def __init__(self, sock: WatchedSocket, *others: Any, **named: Any) -> None:
        super().__init__(sock, *others, **named)
        self._watched = sock

    def begin(self) -> None:
        """Read the head. We said `Connection: close`: a connection kept would be closed under the next question."""
        super().begin()
        self.will_close = True

    def close(self) -> None:
        """Let go; behind the last chunk nothing may have come, or the portal took its own data for that chunk."""
        if self.chunked is True and self.fp:
            self._watched.glancing = True
            with suppress(OSError):
                self._watched.clock.surplus = bool(self.fp.peek(1))
        super().close()

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_INTERIM + 1):
            told: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # not in the stubs
            if not 100 <= told[1] < 200 or told[1] == 101:  # 101 is final: nobody asked for another protocol
                return told
            parse_headers(self.fp)
        raise HTTPException("too many interim answers")


class _Adapter(HTTPAdapter):
    def __init__(self, line: Line, context: ssl.SSLContext) -> None:
        self._line, self._context = line, context
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **others: Any) -> None:
        line = self._line

        class PlainConnection(HTTPConnection):
            response_class = _OnlyAnswer

            def _new_conn(self) -> socket.socket:
                return _opened(self, line)

        class TlsConnection(HTTPSConnection):
            response_class = _OnlyAnswer

            def _new_conn(self) -> socket.socket:
                return _opened(self, line)

            def connect(self) -> None:
                super().connect()
                assert isinstance(self.sock, WatchedTlsSocket)
                self.sock.clock = line.clock

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = PlainConnection

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = TlsConnection

        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=self._context, **others
        )
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


def _opened(connection: HTTPConnection, line: Line) -> socket.socket:
    try:
        return line.connect(connection.host, connection.port or 0)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no connection in time") from error
    except OSError as error:
        raise NewConnectionError(connection, "no connection") from error
