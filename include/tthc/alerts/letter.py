"""A letter that a channel delivers, or of which it says in a word of ours why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tthc.domain.errors import OutsideSystemFailed


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
