"""How long and how slowly a portal may talk: every read of its socket is watched, headers included."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

from tthc.domain.errors import PortalFailed
from tthc.reference.portals import Limits

END = 64  # how many bytes of the end of an answer are remembered


class Clock:
    """The time of one delivery: its deadline, and the rate and the end of the answer being read."""

    def __init__(self, limits: Limits, ends_at: float) -> None:
        self.limits = limits
        self.ends_at = ends_at  # by time.monotonic
        self._window_began = 0.0
        self._in_window = 0
        self.end = b""  # the last bytes that arrived, whether or not anybody read them
        self.surplus = False  # more had arrived than an answer in chunks held

    def ask(self) -> None:
        """A request is about to be sent; its answer is measured from its first byte on."""
        self._window_began, self._in_window, self.end = 0.0, 0, b""
        self.surplus = False

    def patience(self, at_most: float) -> float:
        """Seconds the next wait may take. Raises PortalFailed when the deadline has passed."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise self.over()
        return min(at_most, left)

    def heard(self, came: memoryview) -> None:
        """These bytes arrived. Raises PortalFailed when a whole window brought too few."""
        count = len(came)
        self.end = (self.end + bytes(came[-END:]))[-END:]
        now = time.monotonic()
        if now >= self.ends_at:
            raise self.over()
        if not self._window_began:
            self._window_began = now
        self._in_window += count
        if count and now - self._window_began >= self.limits.rate_window_seconds:
            if self._in_window < self.limits.min_bytes_per_second * (now - self._window_began):
                raise PortalFailed(
                    "PORTAL_SLOW", "cổng trả dữ liệu quá chậm / slower than the minimum rate", passing=True
                )
            self._window_began, self._in_window = now, 0

    def silent(self) -> PortalFailed:
        """What a wait that ended without a byte means."""
        if time.monotonic() >= self.ends_at:
            return self.over()
        return PortalFailed("PORTAL_TIMEOUT", "cổng không trả lời kịp / no answer in time", passing=True)

    def over(self) -> PortalFailed:
        """The delivery took longer than its deadline."""
        return PortalFailed("PORTAL_TIMEOUT", "quá thời hạn chung của lần lấy dữ liệu / the total deadline has passed")

    def pause(self, seconds: float) -> bool:
        """Wait before another try; False at once when the deadline would pass meanwhile."""
        if time.monotonic() + seconds >= self.ends_at:
            return False
        time.sleep(seconds)
        return True


class WatchedSocket(socket.socket):
    """A socket every read of which obeys a clock."""

    clock: Clock
    glancing = False  # nothing is waited for any more: only what has arrived is read

    def recv_into(self, buffer: Any, *arguments: Any) -> int:
        """Read as `socket.recv_into` does. Raises PortalFailed when the portal is too slow."""
        if self.glancing:
            self.settimeout(0)
            return super().recv_into(buffer, *arguments)
        self.settimeout(self.clock.patience(self.clock.limits.read_seconds))
        try:
            count = super().recv_into(buffer, *arguments)
        except TimeoutError:
            raise self.clock.silent() from None
        self.clock.heard(memoryview(buffer)[:count])
        return count


class WatchedTlsSocket(WatchedSocket, ssl.SSLSocket):
    """The same under TLS; `clock` is set when the handshake is done, which has the connection's own time limit."""


def connected(address: str, port: int, clock: Clock) -> WatchedSocket:
    """A watched connection to exactly this address. Raises OSError as `socket.connect` does, PortalFailed when late."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = WatchedSocket(family, socket.SOCK_STREAM)
    try:
        sock.clock = clock
        sock.settimeout(clock.patience(clock.limits.connect_seconds))
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock
