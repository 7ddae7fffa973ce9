"""Incidents: a rule that fails for a source and unit opens one, its absence on a later night resolves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from tthc.warehouse.connect import run_script

_SQL = Path(__file__).parent / "sql"


def open_incidents(connection: sa.Connection, delivery_ids: Sequence[int]) -> None:
    """Record what failed in these deliveries; call it in the transaction that writes them."""
    statement = (_SQL / "open_incidents.sql").read_text(encoding="utf-8")
    connection.execute(sa.text(statement), {"delivery_ids": list(delivery_ids)})


def resolve_incidents(connection: sa.Connection) -> None:
    """Close what a later night, or a portal that delivered after all, has shown to be over; one message each."""
    run_script(connection, (_SQL / "resolve_fetch_incidents.sql").read_text(encoding="utf-8"))
    run_script(connection, (_SQL / "resolve_incidents.sql").read_text(encoding="utf-8"))


def open_fetch_incidents(connection: sa.Connection, source_id: str, night: object) -> None:
    """Record what a source's portal failed to deliver for a night, as core.fetch tells."""
    statement = (_SQL / "open_fetch_incidents.sql").read_text(encoding="utf-8")
    connection.execute(sa.text(statement), {"source": source_id, "night": night})


def note_differences(connection: sa.Connection, night: object) -> None:
    """Where reports and dossiers differ: one incident a source and unit, over as soon as no cell differs any more."""
    statement = (_SQL / "note_differences.sql").read_text(encoding="utf-8")
    connection.execute(sa.text(statement), {"night": night})


def open_figure_incident(connection: sa.Connection, night: object, rule_id: str, count: int, what: str) -> None:
    """A figure rule withheld figures of the publication being built."""
    incident = connection.execute(
        sa.text(
            "insert into alerts.incident as known (rule_id, source_id, unit_code, severity, state, opened_on, "
            "last_seen_on, subject, detail) values (:rule, 'figures', '*', 'critical', 'open', :night, :night, "
            ":subject, :detail) on conflict (rule_id, source_id, unit_code) where state <> 'resolved' do update "
            "set last_seen_on = excluded.last_seen_on returning incident_id, xmax = 0 as is_new"
        ),
        {"rule": rule_id, "night": night, "subject": f"{rule_id}: {count} số liệu bị giữ lại", "detail": what},
    ).one()
    if incident.is_new:
        connection.execute(
            sa.text("insert into alerts.outbox (incident_id, kind, body) values (:id, 'opened', :body)"),
            {"id": incident.incident_id, "body": f"{rule_id}: {count} số liệu bị giữ lại. {what}"},
        )


def resolve_figure_incidents(connection: sa.Connection, night: object, failing: Sequence[str]) -> None:
    """A figure rule that no longer fails is over: withheld figures are asked again at every publication."""
    connection.execute(
        sa.text(
            "with over as (update alerts.incident set state = 'resolved', resolved_on = :night "
            "where source_id = 'figures' and state <> 'resolved' and rule_id <> all(:failing) "
            "returning incident_id, subject) insert into alerts.outbox (incident_id, kind, body) "
            "select incident_id, 'resolved', subject || '. Đã hết.' from over"
        ),
        {"night": night, "failing": list(failing)},
    )
