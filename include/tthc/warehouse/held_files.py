"""Which files wait for a person, and what that person needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A held delivery; `detail` is a sentence without values of persons."""

    delivery_id: int
    source_id: str
    night: date
    file_name: str
    reason: str
    detail: str
    rows_read: int
    rows_quarantined: int


def held_files(connection: sa.Connection) -> list[Held]:
    """All of them, the oldest night first."""
    rows = connection.execute(
        sa.text(
            "select delivery_id, source_id, night, file_name, coalesce(reason, verdict) as reason, "
            "coalesce(detail, '') as detail, rows_read, rows_quarantined from core.delivery "
            "where verdict = 'held' order by night, delivery_id"
        )
    ).mappings()
    return [Held(**row) for row in rows]
