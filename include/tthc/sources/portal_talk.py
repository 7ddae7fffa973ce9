"""One question to a portal and its answer: signed in, tried again within bounds, refused when not what was asked."""

from __future__ import annotations

import json
import random
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from tthc.domain.errors import Misconfigured, PortalFailed
from tthc.reference.portals import Portal, filled
from tthc.settings import PortalAccess
from tthc.sources.json_slices import value_at
from tthc.sources.portal_address import permitted, refused
from tthc.sources.portal_body import Body, receive, refuse_page, truncated
from tthc.sources.portal_clock import Clock
from tthc.sources.portal_line import Line, session
from tthc.sources.portal_unanswered import unanswered

_LATER = {429, 503}
_TOKEN_BYTES = 1 << 20  # more is no token
_EXPIRED = {"PORTAL_LOGIN", "PORTAL_ANSWER"}  # how a portal says that a sign-in is over: some with status 200
_LOGIN_WORDS = ("login", "signin", "sign-in", "dang-nhap", "dangnhap", "sso", "oauth", "auth")


def _accepted(_: Answer) -> None:
    """Every answer will do."""


class SignIn:
    """What the portal gave for user and password, shared by all deliveries of a source; one at a time asks for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.number = 0  # how often we have signed in
        self.token = ""
        self.cookies: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came: status, headers and, unless nothing has changed or there is nothing, a body on disk."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: Body | None = None


class Talk:
    """The conversation about one delivery. Nothing said here holds a parameter, a credential or a value of a person."""

    def __init__(self, portal: Portal, access: PortalAccess, signed: SignIn, clock: Clock) -> None:
        self.portal, self.clock = portal, clock
        self._access, self._signed = access, signed
        self.base = access.url or portal.url
        host = (urlsplit(self.base).hostname or "").lower()
        self._hosts = portal.hosts or (host,)
        self._session = session(Line(clock, portal.networks), portal.ca_file)
        self._taken = 0  # the sign-in whose token or cookies this session carries
        self._may_renew = True  # what we were given has been of use since we last signed in

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def ask(
        self,
        target: str,
        parameters: dict[str, str],
        into: Path | None,
        headers: dict[str, str] | None = None,
        judge: Callable[[Answer], None] = _accepted,
    ) -> Answer:
        """Ask and receive the whole answer into a file, or only its head; what may pass is tried again.

        `judge` looks at the answer and refuses what it says by a PortalFailed of its own. Raises PortalFailed.
        """
        limits = self.portal.limits
        for attempt in range(limits.retries + 1):
            try:
                return self._once(target, parameters, headers or {}, into, judge)
            except PortalFailed as failed:
                wait = min(limits.backoff_seconds * 2**attempt, limits.retry_after_seconds)
                wait *= random.uniform(0.5, 1)  # so that many machines do not come back at once
                wait = max(wait, min(failed.after or 0, limits.retry_after_seconds))
                if not failed.passing or attempt == limits.retries or not self.clock.pause(wait):
                    raise
        raise AssertionError("the loop above returns or raises")

    def _once(
        self,
        target: str,
        parameters: dict[str, str],
        headers: dict[str, str],
        into: Path | None,
        judge: Callable[[Answer], None],
    ) -> Answer:
        while True:
            response = self._send(target, parameters, headers)
            try:
                answer = self._received(response, into, conditional=bool(headers))
                judge(answer)
            except PortalFailed as failed:
                if failed.reason not in _EXPIRED or not self._renewed():
                    raise
            else:
                self._may_renew = True
                return answer
            finally:
                response.close()

    def _received(self, response: requests.Response, into: Path | None, *, conditional: bool) -> Answer:
        self._refuse_status(response, conditional=conditional)
        if response.status_code in {204, 304} or into is None:
            return Answer(status=response.status_code, headers=response.headers)
        body = receive(response, into, self.clock)
        refuse_page(body, self.portal.file_name)
        return Answer(status=response.status_code, headers=response.headers, body=body)

    def _send(self, target: str, parameters: dict[str, str], headers: dict[str, str]) -> requests.Response:
        self._enter()
        body = filled(self.portal.body, parameters) if self.portal.method == "POST" else None
        return self._request(self.portal.method, target, json=body, headers=headers)

    def _request(self, method: str, target: str, **others: Any) -> requests.Response:
        url = self.url_of(target)
        limits = self.portal.limits
        self.clock.ask()
        patience = (self.clock.patience(limits.connect_seconds), self.clock.patience(limits.read_seconds))
        try:
            return self._session.request(method, url, stream=True, allow_redirects=False, timeout=patience, **others)
        except (requests.exceptions.RequestException, HTTPError, ValueError) as error:
            raise unanswered(error, self.clock) from None

    def url_of(self, target: str) -> str:
        """A path of ours, or a whole URL the portal gave, as a URL on the portal's own host. Raises PortalFailed."""
        url = target if urlsplit(target).scheme else self.base.rstrip("/") + target
        parts, own = permitted(url, self._hosts, self.portal.networks), urlsplit(self.base)
        if (parts.scheme, parts.port) != (own.scheme, own.port):
            raise refused("another scheme or port")
        return url

    def _refuse_status(self, response: requests.Response, *, conditional: bool) -> None:
        status = response.status_code
        if "Content-Range" in response.headers:
            raise truncated("a part in place of the whole")
        if status in {200, 201, 204} or (status == 304 and conditional):
            return
        if 300 <= status < 400 and status != 304:
            place = response.headers.get("Location", "").lower()
            if any(word in place for word in _LOGIN_WORDS):
                detail = "cổng chuyển sang trang đăng nhập / redirected to a login page"
                raise PortalFailed("PORTAL_LOGIN", detail)
            raise PortalFailed("PORTAL_REDIRECT", "cổng chuyển hướng, không theo / a redirect, not followed")
        if status in {401, 403}:
            detail = f"cổng không cho vào (mã {status}) / not let in"
            raise PortalFailed("PORTAL_LOGIN", detail)
        if status in _LATER:
            wait = _seconds(response.headers.get("Retry-After", ""))
            detail = f"cổng đang bận (mã {status}) / busy"
            raise PortalFailed("PORTAL_BUSY", detail, passing=True, after=wait)
        raise PortalFailed("PORTAL_STATUS", f"cổng trả mã {status} / status {status}", passing=status >= 500)

    def _enter(self) -> None:
        """Put what the portal wants to see into the session. Raises Misconfigured when we do not have it."""
        kind, access = self.portal.login.kind, self._access
        if kind == "bearer":
            self._session.headers["Authorization"] = f"Bearer {_given(access.token, 'token')}"
        elif kind == "basic":
            pair = f"{_given(access.user, 'user')}:{_given(access.password, 'password')}"
            self._session.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        elif kind in {"json", "form"}:
            with self._signed.lock:
                if not self._signed.number:
                    self._sign_in()
                self._take_over()

    def _renewed(self) -> bool:
        """Sign in again when what we were given has expired; False where that cannot help, as it did not before."""
        if self.portal.login.kind not in {"json", "form"} or not self._may_renew:
            return False
        self._may_renew = False
        with self._signed.lock:
            if self._taken == self._signed.number:
                self._sign_in()
            self._take_over()
        return True

    def _take_over(self) -> None:
        self._taken = self._signed.number
        if self._signed.token:
            self._session.headers["Authorization"] = f"Bearer {self._signed.token}"
        self._session.cookies.update(self._signed.cookies)

    def _sign_in(self) -> None:
        try:
            self._be_let_in()
        except PortalFailed as failed:
            failed.everywhere = True  # whatever kept us out keeps every delivery out
            raise

    def _be_let_in(self) -> None:
        login, access = self.portal.login, self._access
        words = {
            login.user_field: _given(access.user, "user"),
            login.password_field: _given(access.password, "password"),
        }
        self._session.headers.pop("Authorization", None)
        how = "json" if login.kind == "json" else "data"
        plain = {"Accept-Encoding": "identity"}  # what unpacks without bounds is not read
        response = self._request("POST", login.path, headers=plain, **{how: words})
        try:
            if response.status_code not in {200, 201, 204, 302, 303}:
                if response.status_code not in {400, 401, 403}:
                    self._refuse_status(response, conditional=False)
                raise _not_let_in()
            cookies = response.cookies.get_dict()
            token = _token_of(response, login.token_at) if login.token_at else ""
        finally:
            response.close()
        if not token and (login.token_at or not cookies):
            raise _not_let_in()
        self._signed.token, self._signed.cookies = token, cookies
        self._signed.number += 1


def _token_of(response: requests.Response, where: str) -> str:
    told = b""
    try:
        while len(told) < _TOKEN_BYTES and (part := response.raw.read(_TOKEN_BYTES, decode_content=False)):
            told += part
    except (HTTPError, HTTPException, OSError):
        raise truncated("the connection broke while signing in") from None
    with suppress(ValueError, RecursionError):
        token = value_at(json.loads(told), where)
        if isinstance(token, str) and token.isascii() and token.isprintable():
            return token
    raise _not_let_in()


def _not_let_in() -> PortalFailed:
    return PortalFailed("PORTAL_LOGIN", "đăng nhập không thành công / signing in failed")


def _given(value: str, name: str) -> str:
    if not value:
        raise Misconfigured(
            f"the portal wants a {name}: set TTHC_PORTAL_<SOURCE>_{name.upper()} or the source's Airflow connection"
        )
    return value


def _seconds(told: str) -> float | None:
    """Retry-After in seconds; it is a number or a date."""
    if told.strip().isdecimal():
        return float(told)
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    return None
