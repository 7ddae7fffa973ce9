"""Messages over HTTP: a webhook with an idempotency key, and Telegram's bot API; no redirects, no proxies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from tthc.alerts.letter import Letter, SendingFailed
from tthc.alerts.wording import fit, fit_message, moment
from tthc.domain.errors import Misconfigured
from tthc.reference.channels import Channel, resolved

_WEBHOOK_LIMIT, _TELEGRAM_LIMIT = 60_000, 4096
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def checked_url(url: str, where: str) -> str:
    """An https address, or http on this machine. Raises Misconfigured without the address: it may be a secret."""
    try:
        parts = urlsplit(url)
        known, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError:
        known, host = "", None
    if not host or not (known == "https" or (known == "http" and host in _LOOPBACK)):
        raise Misconfigured(f"{where} must be an https address")
    return url


def call(
    url: str, body: Any, *, headers: dict[str, str] | None = None, ca_file: str = "", seconds: float
) -> requests.Response:
    """POST JSON (GET without a body). Raises SendingFailed unless the answer is 2xx."""
    with requests.Session() as session:
        session.trust_env = False  # neither .netrc nor proxies of the machine learn of it
        try:
            answer = session.request(
                "GET" if body is None else "POST",
                url,
                json=body,
                headers=headers,
                timeout=(min(10.0, seconds), seconds),
                verify=ca_file or True,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise SendingFailed(type(error).__name__) from None  # its words hold the address
    if not 200 <= answer.status_code < 300:
        raise SendingFailed(f"HTTP {answer.status_code}")
    return answer


class Webhook:
    """POST of a JSON object with the header Idempotency-Key; any 2xx is taken for delivered."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._url = checked_url(resolved(channel, "url"), f"channel {channel.id!r}: url")

    def send(self, letter: Letter) -> None:
        body = {
            "key": letter.key,
            "kind": letter.kind,
            "severity": letter.severity,
            "night": str(letter.night),
            "to": list(letter.to),
            "subject": fit(letter.subject, 200),
            "text": fit_message(letter.text, self._channel.limit or _WEBHOOK_LIMIT, "bytes"),
            "made_at": letter.made_at.isoformat(),
            "made_at_local": moment(letter.made_at),
        }
        call(
            self._url,
            body,
            headers={"Idempotency-Key": letter.key},
            ca_file=self._channel.ca_file,
            seconds=self._channel.timeout_seconds,
        )


class Telegram:
    """sendMessage of a bot to each chat of the letter. Telegram knows no key: a repeated sending is seen twice."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        api = checked_url(resolved(channel, "api"), f"channel {channel.id!r}: api")
        token = resolved(channel, "token")
        if not token:
            raise Misconfigured(f"channel {channel.id!r}: token must be set")
        self._url = f"{api.rstrip('/')}/bot{token}/sendMessage"

    def send(self, letter: Letter) -> None:
        text = fit_message(letter.text, self._channel.limit or _TELEGRAM_LIMIT, "utf16")
        for chat in letter.to:
            answer = call(
                self._url,
                {"chat_id": chat, "text": text, "disable_web_page_preview": True},
                headers=None,
                ca_file=self._channel.ca_file,
                seconds=self._channel.timeout_seconds,
            )
            try:
                accepted = answer.json().get("ok") is True
            except (ValueError, AttributeError):
                accepted = False
            if not accepted:
                raise SendingFailed("Telegram did not say ok")
