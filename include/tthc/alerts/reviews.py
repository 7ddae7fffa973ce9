"""Which reviewed corrections have had their time: their source tells it right by now, or nobody reviewed them again.

Judged once a publication, by source and newest night: however many files a source delivers, it is one incident.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby

import sqlalchemy as sa

from tthc.alerts.incidents import Failure, close, record, statement
from tthc.reference.corrections import Correction

UNUSED = "CORRECTION_UNUSED"  # the source delivered, and it hit nothing
OVERDUE = "CORRECTION_OVERDUE"  # its day of review has passed; it is no longer applied


def review_corrections(
    connection: sa.Connection, corrections: Sequence[Correction], night: date, now: datetime | None = None
) -> None:
    """Open, continue or end what is to be told of the corrections in force for a night.

    A correction of one row of one file is never unused: that file does not come again.
    """
    told = connection.execute(statement("corrections_used"), {"night": night}).all()
    used = {row.source_id: set(row.used) for row in told if row.is_judged}
    overdue = [one for one in corrections if not one.holds_on(night)]
    guarded = [one for one in corrections if one.holds_on(night) and not one.file]
    unused = [one for one in guarded if one.source in used and one.finding not in used[one.source]]
    failures = [
        *_failures(
            OVERDUE, "error", overdue, night, "phép sửa quá hạn rà soát, không còn áp dụng / overdue for review"
        ),
        *_failures(UNUSED, "warning", unused, night, "phép sửa không còn gì để sửa / corrections that hit nothing"),
    ]
    record(connection, failures, now)
    failing = {(failure.rule_id, failure.source_id) for failure in failures}
    unheard = {(UNUSED, one.source) for one in guarded if one.source not in used}
    alive = connection.execute(
        sa.text(
            "select incident_id, rule_id, source_id from alerts.incident where rule_id = any(:rules) "
            "and state <> 'resolved' and not is_group"
        ),
        {"rules": [UNUSED, OVERDUE]},
    ).all()
    over = [row.incident_id for row in alive if (row.rule_id, row.source_id) not in failing | unheard]
    close(connection, dict.fromkeys(over, night), now=now)


def _failures(
    rule_id: str, severity: str, corrections: Sequence[Correction], night: date, what: str
) -> Iterator[Failure]:
    """One a source; the detail names each correction with its owner."""
    ordered = sorted(corrections, key=lambda one: (one.source, one.id))
    for source_id, group in groupby(ordered, key=lambda one: one.source):
        ours = list(group)
        yield Failure(
            rule_id=rule_id,
            source_id=source_id,
            severity=severity,
            night=night,
            subject=f"{rule_id}, {source_id}: {len(ours)} {what}",
            detail="; ".join(f"«{one.id}» ({one.owner}, {one.review_by:%d/%m/%Y}): {one.reason}" for one in ours),
        )
