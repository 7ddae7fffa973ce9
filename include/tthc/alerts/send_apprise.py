"""Messages over whatever Apprise reaches; every answer of it is tested, for it says False where others raise."""

from __future__ import annotations

import logging

import apprise

from tthc.alerts.letter import Letter, SendingFailed
from tthc.alerts.wording import fit, fit_message
from tthc.domain.errors import Misconfigured
from tthc.reference.channels import Channel, resolved

_KINDS = {
    "warning": apprise.NotifyType.WARNING,
    "error": apprise.NotifyType.FAILURE,
    "critical": apprise.NotifyType.FAILURE,
}


class AnyService:
    """The service behind one Apprise URL."""

    def __init__(self, channel: Channel) -> None:
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its words may hold the address, which is a secret
        self._channel = channel
        self._service = apprise.Apprise()
        url = resolved(channel, "url")
        if not url or not self._service.add(url) or len(self._service) != 1:
            raise Misconfigured(f"channel {channel.id!r}: Apprise does not understand its url")
        (plugin,) = self._service
        self._limit = channel.limit or int(plugin.body_maxlen)

    def send(self, letter: Letter) -> None:
        delivered = self._service.notify(
            title=fit(letter.subject, 200),
            body=fit_message(letter.text, self._limit),
            notify_type=_KINDS[letter.severity],
            body_format=apprise.NotifyFormat.TEXT,
        )
        if not delivered:  # False, or None when nothing was asked
            raise SendingFailed("Apprise did not deliver it")
