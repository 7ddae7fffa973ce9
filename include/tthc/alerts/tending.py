"""What time and number make of incidents: silences end, the lasting grows graver, the many become one."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from tthc.alerts.incidents import Failure, close, record, statement
from tthc.alerts.rules import meanings
from tthc.reference.channels import SEVERITIES, Policy


def tend(connection: sa.Connection, policy: Policy, province: str, night: date, now: datetime) -> None:
    """Bring all incidents to what they are on this night, at this moment."""
    connection.execute(statement("wake"), {"now": now})
    _group(connection, policy, province, now)
    terms = {"night": night, "now": now}
    connection.execute(statement("escalate"), {**terms, "nights": policy.escalate_after_nights})
    connection.execute(statement("remind"), {**terms, "nights": policy.remind_after_nights})


def _group(connection: sa.Connection, policy: Policy, province: str, now: datetime) -> None:
    """One rule at `spread` units or sources at once: one incident that lives as long as a member.

    It is a step graver than the gravest of them, but where all it is about are fewer than `spread_rows` refused rows.
    """
    rules = connection.execute(statement("spread"), {"spread": policy.spread}).all()
    failures = [
        Failure(
            rule_id=rule.rule_id,
            source_id="*",
            unit_code=province,
            severity=_of_many(rule.gravest, rule.refused_rows, policy.spread_rows),
            night=rule.night,
            subject=f"{rule.rule_id}: {rule.members} đơn vị hoặc nguồn cùng lúc / units or sources at once",
            detail=_of_whom(rule.rule_id, rule.names, rule.members),
            is_group=True,
            width=rule.members,
        )
        for rule in rules
    ]
    record(connection, failures, now)
    connection.execute(
        sa.text(
            "with joined as (update alerts.incident as member set group_id = whole.incident_id "
            "from alerts.incident as whole where whole.is_group and whole.state <> 'resolved' "
            "and member.rule_id = whole.rule_id and not member.is_group and member.state <> 'resolved' "
            "and member.group_id is distinct from whole.incident_id returning member.incident_id) "
            "insert into alerts.incident_history (incident_id, happened_at, what, by_whom) "
            "select incident_id, :now, 'grouped', 'tthc' from joined"
        ),
        {"now": now},
    )
    over = connection.execute(
        sa.text(
            "select whole.incident_id, (select max(member.resolved_on) from alerts.incident as member "
            "where member.group_id = whole.incident_id) as night from alerts.incident as whole "
            "where whole.is_group and whole.state <> 'resolved' and whole.rule_id <> all(:alive)"
        ),
        {"alive": [rule.rule_id for rule in rules]},
    ).all()
    close(connection, {row.incident_id: row.night for row in over}, now=now)


def _of_whom(rule_id: str, names: list[str], members: int) -> str:
    whom = ", ".join(names) + (", …" if members > len(names) else "")
    return f"{meanings()[rule_id]}: {whom}" if rule_id in meanings() else whom


def _of_many(gravest: int, refused_rows: int, spread_rows: int) -> str:
    """`gravest`: place of the gravest member's severity, from 1. No rows: whole files, units or portals failed."""
    few = 0 < refused_rows < spread_rows
    return SEVERITIES[gravest - 1 if few else min(gravest, len(SEVERITIES) - 1)]
