"""Channels are opened as declared, and none is waited for longer than it may take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from tthc.alerts.letter import Letter, SendingFailed
from tthc.reference.channels import Channel
from tthc.settings import Settings

Result = TypeVar("Result")


class Sender(Protocol):
    """An open channel."""

    def send(self, letter: Letter) -> str | None:
        """Deliver it; None, or what went wrong beside it. Raises SendingFailed."""


def open_channels(settings: Settings, channels: Mapping[str, Channel]) -> dict[str, Sender]:
    """Open every declared channel. Raises Misconfigured for a missing secret or an address nothing can reach."""
    return {channel.id: _open(settings, channel) for channel in channels.values()}


def _open(settings: Settings, channel: Channel) -> Sender:
    # Libraries are imported where a channel needs them: most installations use two.
    if channel.kind == "email":
        from tthc.alerts.send_email import Email

        return Email(channel)
    if channel.kind in {"webhook", "telegram"}:
        from tthc.alerts.send_http import Telegram, Webhook

        return Webhook(channel) if channel.kind == "webhook" else Telegram(channel)
    if channel.kind == "apprise":
        from tthc.alerts.send_apprise import AnyService

        return AnyService(channel)
    from tthc.alerts.send_local import Console, Folder

    return Folder(settings) if channel.kind == "file" else Console()


def send_in_time(sender: Sender, letter: Letter, seconds: float) -> str | None:
    """Send, but wait no longer than this however slowly the other side answers. Raises SendingFailed.

    A sending that was given up may still arrive; it is sent again under the same key.
    """
    try:
        return within(seconds, lambda: sender.send(letter))
    except SendingFailed:
        raise
    except TimeoutError:
        raise SendingFailed(f"no answer within {seconds:g} s") from None
    except Exception as error:
        raise SendingFailed(type(error).__name__) from None


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` gives or raises; TimeoutError when it takes longer, though it may go on unseen."""
    outcome: list[Result] = []
    errors: list[BaseException] = []

    def watched() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=watched, daemon=True)  # one that hangs must not keep the process alive
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not outcome:
        raise TimeoutError
    return outcome[0]
