"""What every channel is: it takes a letter and delivers it, or says in a word of ours why not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.reference.channels import Channel
from tthc.settings import Settings, secret

Result = TypeVar("Result")


class SendingFailed(OutsideSystemFailed):
    """A channel did not take a letter. Its words are ours: those of a library may quote a secret or an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent: the same key however often it is tried. `to`: addresses on the channel, where it has any."""

    key: str
    number: int
    to: tuple[str, ...]
    kind: str  # digest, report or watchdog
    severity: str
    night: date
    subject: str
    text: str
    made_at: datetime


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


def resolved(channel: Channel, name: str) -> str:
    """A value of a channel, from the environment where it says `env:NAME`. Raises Misconfigured when that is unset."""
    return resolved_text(str(getattr(channel, name)), f"channel {channel.id!r}: {name}")


def resolved_text(value: str, where: str) -> str:
    """The same for any value of channels.toml."""
    if not value.startswith("env:"):
        return value
    found = secret(value.removeprefix("env:"))
    if found is None:
        raise Misconfigured(f"{where} is taken from {value.removeprefix('env:')}, which is not set")
    return found


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
