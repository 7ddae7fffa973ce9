"""Incidents: a rule that fails for a source and unit opens one, its absence on a later night resolves it.

Everything here runs in the transaction of the caller, the one that records the failure: what is opened, continued,
reopened or over stands in `alerts.incident` with its history, and what is to be told stands in `alerts.outbox`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tthc.rollups.agreement import Disagreement
from tthc.staging.history import DATES

SETTLING = timedelta(hours=2)  # what comes back within it is the same incident, told at the end of it
DIFFERS = "SUMMARY_DIFFERS"  # reports that tell other figures than the dossiers do
CHANGED = "SUBMITTED_CHANGED"  # what was handed in is published otherwise by now
REPORT_RULES = ("REPORT_CHAIN", "REPORT_SUM_OF_UNITS", "REPORTS_DISAGREE")  # reports that contradict each other
FIGURES = "figures"  # the source of incidents about published figures
NOBODY = "tthc"  # stands for the program where no person decided
_SQL = Path(__file__).parent / "sql"
_REPAIRED = ("over_repaired", "over_files", "over_warned")  # what may be over on the night it was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A rule that failed on a night. `unit_code` is '*' where no single unit is meant; no value of a person.

    `width`: how many units, files or members it is about; one that grows much wider is told again.
    """

    rule_id: str
    source_id: str
    unit_code: str = "*"
    severity: str
    night: date
    subject: str
    detail: str = ""
    is_group: bool = False
    width: int = 1


def statement(name: str) -> sa.TextClause:
    """One of the SQL files of this room."""
    return sa.text((_SQL / f"{name}.sql").read_text(encoding="utf-8"))


def record(connection: sa.Connection, failures: Iterable[Failure], now: datetime | None = None) -> None:
    """Open or continue the incidents of these failures; call it in the transaction that records them."""
    rows = [asdict(failure) for failure in failures]
    if not rows:
        return
    words = {"failures": json.dumps(rows, default=str), "now": now or datetime.now(UTC)}
    connection.execute(statement("reopen"), {**words, "settling": SETTLING})
    connection.execute(statement("record"), words)


def close(
    connection: sa.Connection,
    nights: Mapping[int, date],
    *,
    by: str = NOBODY,
    reason: str | None = None,
    now: datetime | None = None,
) -> None:
    """These incidents (id → night on which they were over) are resolved; each leaves one all-clear."""
    if nights:
        closing = [{"incident_id": incident_id, "night": str(night)} for incident_id, night in nights.items()]
        connection.execute(
            statement("close"),
            {"closing": json.dumps(closing), "by": by, "reason": reason, "now": now or datetime.now(UTC)},
        )


def open_incidents(connection: sa.Connection, delivery_ids: Sequence[int], now: datetime | None = None) -> None:
    """Record what failed in these deliveries; call it in the transaction that writes them."""
    rows = connection.execute(statement("failing_deliveries"), {"delivery_ids": list(delivery_ids)}).mappings()
    record(connection, [Failure(**row) for row in rows], now)


def resolve_incidents(connection: sa.Connection, now: datetime | None = None) -> None:
    """Close what a later night, a repair, or a portal that delivered after all has shown to be over."""
    _close_over(connection, ("over_fetches", "over", *_REPAIRED), now)


def resolve_repaired(connection: sa.Connection, now: datetime | None = None) -> None:
    """Close what a decision or a replay has ended; call it in the transaction that writes them."""
    _close_over(connection, _REPAIRED, now)


def _close_over(connection: sa.Connection, statements: Sequence[str], now: datetime | None) -> None:
    for name in statements:
        over = connection.execute(statement(name), {"dates": DATES}).all()
        close(connection, {row.incident_id: row.night for row in over}, now=now)


def open_fetch_incidents(connection: sa.Connection, source_id: str, night: date, now: datetime | None = None) -> None:
    """Record what a source's portal failed to deliver for a night, as core.fetch tells."""
    rows = connection.execute(statement("failing_fetches"), {"source": source_id, "night": night}).mappings()
    record(connection, [Failure(**row) for row in rows], now)


def note_differences(connection: sa.Connection, night: date, now: datetime | None = None) -> None:
    """Where reports and dossiers differ: one incident a source and unit, over as soon as no cell differs any more."""
    _note_all(connection, DIFFERS, "differing_reports", night, now)


def note_submissions(connection: sa.Connection, night: date, now: datetime | None = None) -> None:
    """What was handed in and is published otherwise: one incident a period and unit, so one message, over with the next
    version. Reads the current publication."""
    _note_all(connection, CHANGED, "changed_submissions", night, now)


def note_disagreements(
    connection: sa.Connection, found: Sequence[Disagreement], night: date, now: datetime | None = None
) -> None:
    """Where reports contradict each other: one incident a rule, source and unit, over as soon as they agree."""
    failures = [
        Failure(
            rule_id=one.rule_id,
            source_id=one.source_id,
            unit_code=one.unit_code,
            severity="warning",
            night=night,
            subject=f"{one.rule_id}, {one.source_id}, {one.unit_code}: {one.cells} ô, {one.what}",
            detail=f"Lớn nhất: {one.largest}",
        )
        for one in found
    ]
    for rule_id in REPORT_RULES:
        _note_whole(connection, rule_id, [one for one in failures if one.rule_id == rule_id], night, now)


def _note_all(connection: sa.Connection, rule_id: str, name: str, night: date, now: datetime | None) -> None:
    failures = [Failure(**row) for row in connection.execute(statement(name), {"night": night}).mappings()]
    _note_whole(connection, rule_id, failures, night, now)


def _note_whole(
    connection: sa.Connection, rule_id: str, failures: Sequence[Failure], night: date, now: datetime | None
) -> None:
    """Record every failure of a rule, all that there are, and close the incidents of it that are not among them."""
    record(connection, failures, now)
    alive = connection.execute(
        sa.text(
            "select incident_id, source_id, unit_code from alerts.incident where rule_id = :rule "
            "and state <> 'resolved' and not is_group"
        ),
        {"rule": rule_id},
    ).all()
    failing = {(failure.source_id, failure.unit_code) for failure in failures}
    over = [row.incident_id for row in alive if (row.source_id, row.unit_code) not in failing]
    close(connection, dict.fromkeys(over, night), now=now)


def open_figure_incident(
    connection: sa.Connection,
    night: date,
    rule_id: str,
    count: int,
    what: str,
    rule_severity: str,
    now: datetime | None = None,
) -> None:
    """A figure rule withheld figures of the publication being built, or, as a `warning`, doubts them."""
    doubted = rule_severity == "warning"
    became = "cần xem lại / figures in doubt" if doubted else "bị giữ lại / figures withheld"
    failure = Failure(
        rule_id=rule_id,
        source_id=FIGURES,
        severity="warning" if doubted else "critical",
        night=night,
        subject=f"{rule_id}: {count} số liệu {became}",
        detail=what,
    )
    record(connection, [failure], now)


def resolve_figure_incidents(
    connection: sa.Connection, night: date, failing: Sequence[str], now: datetime | None = None
) -> None:
    """A figure rule that no longer fails is over: withheld figures are asked again at every publication."""
    resolve_source(connection, FIGURES, night, failing, now=now)


def resolve_source(
    connection: sa.Connection, source_id: str, night: date, failing: Sequence[str] = (), now: datetime | None = None
) -> None:
    """All incidents of a source are over, but those of the rules that still fail."""
    alive = connection.execute(
        sa.text(
            "select incident_id from alerts.incident where source_id = :source and state <> 'resolved' "
            "and rule_id <> all(:failing)"
        ),
        {"source": source_id, "failing": list(failing)},
    ).scalars()
    close(connection, dict.fromkeys(alive, night), now=now)
