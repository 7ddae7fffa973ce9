"""Who is told what: events that wait become at most one digest a recipient, each event once to whom it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from tthc.alerts import wording
from tthc.alerts.incidents import statement
from tthc.reference.channels import SEVERITIES, Recipient, Routing

Told = set[tuple[str, int, int]]  # recipient, incident, turn: whoever was told that it began


def compose(connection: sa.Connection, routing: Routing, now: datetime) -> None:
    """Make the messages of everything that waits, in one transaction with marking it as told."""
    events = connection.execute(statement("waiting_events"), {"now": now}).all()
    if not events:
        return
    incidents = [event for event in events if event.kind != "report"]
    told = _told(connection, incidents)
    used: set[int] = set()
    for recipient in routing.recipients:
        chosen = _chosen(recipient, incidents, told)
        if chosen:
            subject, body = wording.digest(chosen, routing.policy, night=max(e.night for e in chosen), now=now)
            used |= _write(connection, recipient, "digest", chosen, subject, body, now)
        for report in (event for event in events if event.kind == "report" and recipient.report):
            subject = wording.report_subject(report.night)
            used |= _write(connection, recipient, "report", [report], subject, report.body, now)
    every = [event.event_id for event in events]
    connection.execute(
        sa.text(
            "update alerts.outbox set composed_at = :now, withdrawn_at = case when event_id <> all(:used) then "
            "cast(:now as timestamptz) end where event_id = any(:every)"
        ),
        {"now": now, "used": list(used), "every": every},
    )


def _told(connection: sa.Connection, events: Sequence[sa.Row[Any]]) -> Told:
    rows = connection.execute(
        sa.text(
            "select distinct message.recipient, outbox.incident_id, outbox.turn from alerts.message "
            "join alerts.message_event using (message_id) join alerts.outbox using (event_id) "
            "where outbox.kind <> 'resolved' and outbox.incident_id = any(:incidents)"
        ),
        {"incidents": [event.incident_id for event in events]},
    )
    return {(row.recipient, row.incident_id, row.turn) for row in rows}


def _chosen(recipient: Recipient, events: Iterable[sa.Row[Any]], told: Told) -> list[sa.Row[Any]]:
    """What this recipient is to hear: what began and is theirs, and the end of whatever they heard the beginning of."""
    chosen = []
    for event in events:
        known = (recipient.id, event.incident_id, event.turn)
        if event.kind == "resolved":
            wanted = known in told
        elif event.kind == "decided":  # whoever heard that the file is held, also as one of a group
            wanted = known in told or recipient.hears(event.source_id, event.unit_code, event.severity)
        elif event.kind == "escalated":  # only whom its old severity did not concern
            wanted = known not in told and recipient.hears(event.source_id, event.unit_code, event.severity)
        elif event.group_unit is not None and recipient.hears("*", event.group_unit, event.group_severity):
            wanted = False  # told as one of the group
        else:
            wanted = recipient.hears(event.source_id, event.unit_code, event.severity)
        if wanted:
            chosen.append(event)
            told.add(known)
    return chosen


def _write(
    connection: sa.Connection,
    recipient: Recipient,
    kind: str,
    events: Sequence[sa.Row[Any]],
    subject: str,
    body: str,
    now: datetime,
) -> set[int]:
    gravest = max((event.severity for event in events), key=SEVERITIES.index)
    message_id = connection.execute(
        sa.text(
            "insert into alerts.message (recipient, kind, severity, night, subject, body, made_at, next_try_at) "
            "values (:recipient, :kind, :severity, :night, :subject, :body, :now, :now) returning message_id"
        ),
        {
            "recipient": recipient.id,
            "kind": kind,
            "severity": gravest,
            "night": max(event.night for event in events),
            "subject": subject,
            "body": body,
            "now": now,
        },
    ).scalar_one()
    ids = {event.event_id for event in events}
    connection.execute(
        sa.text(
            "insert into alerts.message_event (message_id, event_id) select :message, unnest(cast(:ids as bigint[]))"
        ),
        {"message": message_id, "ids": sorted(ids)},
    )
    return ids


def write_report(connection: sa.Connection, night: date, body: str, now: datetime) -> None:
    """Put the morning report of a night into the outbox, once."""
    connection.execute(
        sa.text(
            "insert into alerts.outbox (kind, body, severity, night, recorded_at) "
            "values ('report', :body, 'warning', :night, :now) on conflict (night) where kind = 'report' do nothing"
        ),
        {"body": body, "night": night, "now": now},
    )
