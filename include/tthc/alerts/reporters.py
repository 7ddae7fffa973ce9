"""Who has not reported although the last day for it has passed: one incident a source, naming the units.

Who owes what by when is mart.coverage, as reporting.toml says. Whoever reports later, or for a later night, is heard of
again; the all-clear comes when all are.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa

from tthc.alerts.incidents import Failure, close, record, statement
from tthc.settings import LOCAL

MISSING = "REPORTER_MISSING"


def note_missing_reporters(connection: sa.Connection, night: date, now: datetime) -> None:
    """At the end of the run of a night: open, continue and resolve the incidents of sources with missing units."""
    failures = _missing(connection, night, now)
    record(connection, failures, now)
    _close_others(connection, failures, now)


def resolve_reported(connection: sa.Connection, now: datetime | None = None) -> None:
    """Sources nobody owes anything any more are over, at any hour; nothing is opened."""
    moment = now or datetime.now(UTC)
    _close_others(connection, _missing(connection, moment.astimezone(LOCAL).date(), moment), moment)


def _missing(connection: sa.Connection, night: date, now: datetime) -> list[Failure]:
    terms = {"night": night, "today": now.astimezone(LOCAL).date()}
    return [Failure(**row) for row in connection.execute(statement("missing_reporters"), terms).mappings()]


def _close_others(connection: sa.Connection, failures: list[Failure], now: datetime) -> None:
    over = connection.execute(
        sa.text(
            "select incident_id, last_seen_on from alerts.incident where rule_id = :rule and state <> 'resolved' "
            "and not is_group and source_id <> all(:sources)"
        ),
        {"rule": MISSING, "sources": [failure.source_id for failure in failures]},
    ).all()
    close(connection, {row.incident_id: row.last_seen_on for row in over}, now=now)
