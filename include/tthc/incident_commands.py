"""What people type about incidents and messages: look, decide, send what waits, watch from outside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from tthc.settings import LOCAL, settings
from tthc.terminal import AsJson, By, Reason, rows, say, show

incidents = typer.Typer(no_args_is_help=True, help="What failed and is not over; who looks after it.")
messages = typer.Typer(no_args_is_help=True, help="What people were told of incidents, and what still waits to leave.")

IncidentId = Annotated[int, typer.Argument(help="The number that `tthc incidents list` and every message show.")]


@incidents.command("list")
def incidents_list(
    all_: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False, as_json: AsJson = False
) -> None:
    """Open incidents, the gravest first."""
    found = rows(
        "select incident_id, severity, state, opened_on, last_seen_on, nights, snoozed_until, resolved_on, subject "
        "from alerts.incident where :all or state <> 'resolved' "
        "order by array_position(array['critical', 'error', 'warning'], severity), opened_on, incident_id",
        {"all": all_},
    )
    show(found, as_json, "no incident is open")


@incidents.command("show")
def incidents_show(incident: IncidentId, as_json: AsJson = False) -> None:
    """One incident with its history (who did what, when and why) and the messages that told of it."""
    from tthc.domain.errors import Misconfigured

    facts = rows("select * from alerts.incident where incident_id = :id", {"id": incident})
    if not facts:
        raise Misconfigured(f"there is no incident {incident}; `tthc incidents list --all` shows every one")
    history = rows(
        "select happened_at, what, by_whom, reason from alerts.incident_history where incident_id = :id "
        "order by entry_id",
        {"id": incident},
    )
    told = rows(
        "select message.message_id, outbox.kind, recipient, made_at, message.sent_at, sent_over, last_error "
        "from alerts.outbox join alerts.message_event using (event_id) join alerts.message using (message_id) "
        "where outbox.incident_id = :id order by message.message_id, outbox.event_id",
        {"id": incident},
    )
    if as_json:
        whole = facts[0] | {"history": history, "messages": told}
        print(json.dumps(whole, ensure_ascii=False, default=str, indent=1))
        return
    for name, value in facts[0].items():
        print(f"{name + ':':<16}{'' if value is None else value}")
    show(history, False, "")
    show(told, False, "no message has told of it yet")


@incidents.command("ack")
def incidents_ack(incident: IncidentId, by: By, reason: Reason) -> None:
    """Say that somebody works on it: no reminders any more; the morning report still lists it."""
    from tthc.alerts import decisions
    from tthc.warehouse.connect import transaction

    with transaction(settings()) as connection:
        decisions.acknowledge(connection, incident, by=by, reason=reason)
    say(f"incident {incident} is acknowledged")


@incidents.command("snooze")
def incidents_snooze(
    incident: IncidentId,
    by: By,
    reason: Reason,
    until: Annotated[str, typer.Option(help="Silent until then, at most 14 days: yyyy-mm-dd or yyyy-mm-ddTHH:MM.")],
) -> None:
    """Silence it for a while, at most 14 days. What is not over by then is told again."""
    from tthc.alerts import decisions
    from tthc.warehouse.connect import transaction

    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter(
            f"{until!r} is not a date of the form yyyy-mm-dd or yyyy-mm-ddTHH:MM", param_hint="--until"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)
    with transaction(settings()) as connection:
        decisions.snooze(connection, incident, by=by, reason=reason, until=moment)
    say(f"incident {incident} is silent until {moment.astimezone(LOCAL):%Y-%m-%d %H:%M}")


@incidents.command("resolve")
def incidents_resolve(incident: IncidentId, by: By, reason: Reason) -> None:
    """Declare it over. Not needed after a repair: the next good delivery does. It opens anew if it fails again."""
    from tthc.alerts import decisions
    from tthc.warehouse.connect import transaction

    with transaction(settings()) as connection:
        decisions.resolve(connection, incident, by=by, reason=reason)
    say(f"incident {incident} is resolved")


@messages.command("list")
def messages_list(
    all_: Annotated[bool, typer.Option("--all", help="Those that have left, too.")] = False, as_json: AsJson = False
) -> None:
    """Messages that wait to leave: for whom, how often tried, why not sent."""
    found = rows(
        "select message_id, recipient, kind, severity, night, made_at, attempts, next_try_at, sent_at, sent_over, "
        "last_error, subject from alerts.message where :all or sent_at is null order by message_id",
        {"all": all_},
    )
    show(found, as_json, "no message waits")


@messages.command("send")
def messages_send(as_json: AsJson = False) -> None:
    """Send what waits: the dispatcher. The night calls it at its end, a timer every few minutes for the rest."""
    from dataclasses import asdict

    from tthc import pipeline

    done = pipeline.notify(settings())
    say(str(done))
    if as_json:
        print(json.dumps(asdict(done)))


def watchdog(as_json: AsJson = False) -> None:
    """Look at the night from outside Airflow: is the warehouse there, did the night run, do messages leave.

    For cron or a systemd timer. Exit status 0 when all is well, else 1; what it found stands in
    TTHC_HOME/out/watchdog.txt and is sent over the watchdog's own recipient, without the warehouse.
    """
    from tthc.alerts.watchdog import watch

    problems = watch(settings(), datetime.now(UTC))
    if as_json:
        print(json.dumps(problems, ensure_ascii=False, indent=1))
    else:
        print("\n".join(problems) or "all is well")
    if problems:
        raise typer.Exit(1)
