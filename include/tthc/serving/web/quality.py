"""What came in on the newest night and what was refused, who has to repair it by when, what goes on, who reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import sqlalchemy as sa

from tthc.serving import rule_catalogue
from tthc.serving.figures import Period, statement

FILES_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Quality:
    """The newest night. `files` are those a person should look at, at most FILES_SHOWN of `files_in_all`; `owners` have
    rows to repair, whatever the night; `incidents` go on or ended lately."""

    night: date
    sources: Sequence[sa.RowMapping]
    files: Sequence[sa.RowMapping]
    files_in_all: int
    rules: Sequence[sa.RowMapping]
    owners: Sequence[sa.RowMapping]
    incidents: Sequence[sa.RowMapping]


def newest_night(connection: sa.Connection) -> Quality | None:
    """None when nothing was ever delivered."""
    sources = connection.execute(statement("quality_sources")).mappings().all()
    if not sources:
        return None
    files = connection.execute(statement("quality_files")).mappings().all()
    rules, owners, incidents = (
        connection.execute(statement(f"quality_{name}")).mappings().all() for name in ("rules", "owners", "incidents")
    )
    return Quality(sources[0]["night"], sources, files[:FILES_SHOWN], len(files), rules, owners, incidents)


def reporters(connection: sa.Connection, period: Period) -> Sequence[sa.RowMapping]:
    """Each unit and source that owed something within a period, and whether it came."""
    terms = {"start": period.start, "as_of": period.as_of}
    return connection.execute(statement("coverage_units"), terms).mappings().all()


@cache
def rule_words() -> dict[str, str]:
    """Rule → what it says in Vietnamese; where one rule speaks of several columns, the first two."""
    told: dict[str, str] = {}
    for entries in rule_catalogue.everything().values():
        for entry in entries:
            told.setdefault(entry.rule_id, "; ".join(entry.vi[:2]) + (" …" if len(entry.vi) > 2 else ""))
    return told
