"""E-mail over SMTP: encrypted and verified, with a Message-ID that is the same however often a letter is tried."""

from __future__ import annotations

import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime

from tthc.alerts.letter import Letter, SendingFailed
from tthc.alerts.wording import fit, fit_message
from tthc.domain.errors import Misconfigured
from tthc.reference.channels import Channel, resolved

_LIMIT = 200_000
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_WORD_BYTES = 39  # in base64 with its frame 64 characters: a word of RFC 2047 has at most 75, "Subject: " and it 76


class _Subject(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # typeshed: two kinds of `max_count`
    """A subject as words of RFC 2047; the library's own folding loses spaces between encoded and plain words."""

    def fold(self, *, policy: Policy) -> str:
        end = policy.linesep
        return f"{self.name}: {f'{end} '.join(_words(str(self)))}{end}"


def _words(text: str) -> Iterator[str]:
    """Encoded words, each of whole characters; what a reader puts together is the text, to the space."""
    word = b""
    for letter in text:
        if len(word) + len(letter.encode()) > _WORD_BYTES:
            yield _encoded(word)
            word = b""
        word += letter.encode()
    yield _encoded(word)


def _encoded(word: bytes) -> str:
    return f"=?utf-8?b?{b64encode(word).decode()}?="


_REGISTRY = HeaderRegistry()
_REGISTRY.map_to_type("subject", _Subject)
_POLICY = EmailPolicy(header_factory=_REGISTRY)


class Email:
    """One SMTP server; a letter goes to all its addresses at once."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._host, self._password = resolved(channel, "host"), resolved(channel, "password")
        self._user = resolved(channel, "user")
        if channel.security not in {"starttls", "tls", "none"}:
            raise Misconfigured(f"channel {channel.id!r}: security must be starttls, tls or none")
        if channel.security == "none" and self._host not in _LOOPBACK:
            raise Misconfigured(f"channel {channel.id!r}: security none is for a server on this machine only")
        try:
            self._sender = Address(addr_spec=channel.sender)
            self._tls = ssl.create_default_context(cafile=channel.ca_file or None)
        except (ValueError, IndexError, OSError) as error:  # the parser of addresses raises these for an empty one
            raise Misconfigured(
                f"channel {channel.id!r}: sender must be an address and ca_file a certificate ({type(error).__name__})"
            ) from None
        if not (self._user + self._password).isascii():
            raise Misconfigured(f"channel {channel.id!r}: user and password must be ASCII, SMTP carries nothing else")
        if not self._host or not self._sender.domain:
            raise Misconfigured(f"channel {channel.id!r}: host and sender must be set")

    def send(self, letter: Letter) -> str | None:
        try:
            refused = self._deliver(letter)
        except smtplib.SMTPRecipientsRefused as error:
            raise SendingFailed(f"all {len(error.recipients)} addresses were refused") from None
        except smtplib.SMTPResponseException as error:
            raise SendingFailed(f"{type(error).__name__} {error.smtp_code}") from None
        return f"{refused} of {len(letter.to)} addresses were refused" if refused else None

    def _deliver(self, letter: Letter) -> int:
        channel = self._channel
        patience = channel.timeout_seconds
        server = (
            smtplib.SMTP_SSL(self._host, channel.port, timeout=patience, context=self._tls)
            if channel.security == "tls"
            else smtplib.SMTP(self._host, channel.port, timeout=patience)
        )
        with server:
            if channel.security == "starttls":
                server.starttls(context=self._tls)
            if self._user:
                server.login(self._user, self._password)
            return len(server.send_message(self._written(letter), to_addrs=list(letter.to)))

    def _written(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(_POLICY)
        message["From"] = self._sender
        message["To"] = ", ".join(letter.to)
        message["Subject"] = fit(letter.subject, 200)
        message["Date"] = format_datetime(letter.made_at)
        message["Message-ID"] = f"<{letter.key}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(fit_message(letter.text, self._channel.limit or _LIMIT, "bytes"), cte="base64")
        return message
