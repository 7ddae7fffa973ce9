"""What it means that a question to a portal ended without the head of an answer."""

from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from tthc.domain.errors import PortalFailed
from tthc.sources.portal_body import not_http, truncated
from tthc.sources.portal_clock import Clock


def unanswered(error: Exception, clock: Clock) -> PortalFailed:
    """The failure behind an exception of the session; nothing of its text is told, as it may hold a URL."""
    if isinstance(error, requests.exceptions.SSLError):
        if _is_untrusted(error):
            detail = "chứng thư TLS không hợp lệ / the certificate is not to be trusted"
            return PortalFailed("PORTAL_TLS", detail, everywhere=True)
        detail = "không bắt tay được TLS với cổng / the TLS handshake broke"
        return PortalFailed("PORTAL_TLS", detail, passing=True, everywhere=True)
    if isinstance(error, requests.exceptions.ReadTimeout):
        return clock.silent()
    if not isinstance(error, requests.exceptions.ConnectionError):
        return not_http()
    why = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(why, ConnectTimeoutError | NewConnectionError):
        detail = "không kết nối được với cổng / no connection"
        return PortalFailed("PORTAL_UNREACHABLE", detail, passing=True, everywhere=True)
    return not_http() if _is_malformed(error) else truncated("the connection broke before an answer")


def _is_malformed(error: Exception) -> bool:
    """Whether what came is no HTTP (a status line, a header too long), rather than nothing or less than announced."""
    causes = [cause for arg in error.args for cause in (arg, *getattr(arg, "args", ()))]
    odd = [cause for cause in causes if isinstance(cause, HTTPException)]
    return any(not isinstance(cause, RemoteDisconnected | IncompleteRead) for cause in odd)


def _is_untrusted(error: BaseException) -> bool:
    """Whether a certificate was refused, rather than the handshake broken off."""
    inner = [cause for cause in (*error.args, getattr(error, "reason", None)) if isinstance(cause, BaseException)]
    return isinstance(error, ssl.SSLCertVerificationError) or any(_is_untrusted(cause) for cause in inner)
