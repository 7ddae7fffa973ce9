"""What people decide, about an incident (acknowledged, silenced, resolved) or a held file; who and why is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from tthc.alerts.incidents import close, statement
from tthc.domain.errors import Misconfigured
from tthc.settings import LOCAL

LONGEST_SILENCE = timedelta(days=14)
_RELEASED, _REFUSED = "đã cho nạp / released", "không cho nạp / refused"


def acknowledge(
    connection: sa.Connection, incident_id: int, *, by: str, reason: str, now: datetime | None = None
) -> None:
    """Somebody works on it: no reminders any more. It still grows graver with age."""
    _decide(connection, incident_id, "acknowledged", by=by, reason=reason, until=None, now=now or datetime.now(UTC))


def snooze(
    connection: sa.Connection, incident_id: int, *, by: str, reason: str, until: datetime, now: datetime | None = None
) -> None:
    """Silent until a moment at most 14 days ahead; what is not over by then is told again. Raises Misconfigured."""
    moment = now or datetime.now(UTC)
    if not moment < until <= moment + LONGEST_SILENCE:
        raise Misconfigured(
            f"a silence ends after now and within {LONGEST_SILENCE.days} days, "
            f"not on {until.astimezone(LOCAL):%Y-%m-%d %H:%M}"
        )
    _decide(connection, incident_id, "snoozed", by=by, reason=reason, until=until, now=moment)


def resolve(connection: sa.Connection, incident_id: int, *, by: str, reason: str, now: datetime | None = None) -> None:
    """A person declares it over; if the rule fails again later, a new incident opens."""
    moment = now or datetime.now(UTC)
    _alive(connection, incident_id, by, reason)
    close(connection, {incident_id: moment.astimezone(LOCAL).date()}, by=by, reason=reason, now=moment)


def note_decision(
    connection: sa.Connection, delivery_id: int, *, release: bool, by: str, reason: str, now: datetime | None = None
) -> None:
    """Tell that a held file is let in or refused; call it in the transaction that does so."""
    connection.execute(
        statement("decided"),
        {
            "delivery": delivery_id,
            "became": _RELEASED if release else _REFUSED,
            "by": by,
            "reason": reason,
            "now": now or datetime.now(UTC),
        },
    )


def _decide(
    connection: sa.Connection,
    incident_id: int,
    state: str,
    *,
    by: str,
    reason: str,
    until: datetime | None,
    now: datetime,
) -> None:
    _alive(connection, incident_id, by, reason)
    connection.execute(
        sa.text(
            "with decided as (update alerts.incident set state = :state, snoozed_until = :until "
            "where incident_id = :id returning incident_id) "
            "insert into alerts.incident_history (incident_id, happened_at, what, by_whom, reason) "
            "select incident_id, :now, :state, :by, :reason from decided"
        ),
        {"id": incident_id, "state": state, "until": until, "now": now, "by": by, "reason": reason},
    )


def _alive(connection: sa.Connection, incident_id: int, by: str, reason: str) -> None:
    """Lock the incident. Raises Misconfigured when it does not exist or is over, or nobody signs."""
    if not by.strip() or not reason.strip():
        raise Misconfigured("a decision needs a name and a reason: --by NAME --reason WHY")
    state = connection.execute(
        sa.text("select state from alerts.incident where incident_id = :id for update"), {"id": incident_id}
    ).scalar()
    if state is None:
        raise Misconfigured(f"there is no incident {incident_id}; `tthc incidents list` shows those that are open")
    if state == "resolved":
        raise Misconfigured(f"incident {incident_id} is over; `tthc incidents show {incident_id}` tells its history")
