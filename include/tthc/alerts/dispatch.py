"""Messages leave the outbox: composed once, sent until a channel takes them, marked in the transaction that sent them.

On the wire a message may come twice (the process may die between sending and marking), always under the same key; in
the ledger it is sent once. A channel that fails is tried again with growing pauses, then the recipient's next channel
is; the failure is an incident itself and hides nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tthc.alerts.composing import compose, write_report
from tthc.alerts.incidents import Failure, record, resolve_source, statement
from tthc.alerts.letter import Letter, SendingFailed
from tthc.alerts.report import morning_report
from tthc.alerts.reporters import note_missing_reporters
from tthc.alerts.sending import Sender, open_channels, send_in_time
from tthc.alerts.tending import tend
from tthc.reference.channels import Channel, Recipient, Routing, read_routing
from tthc.settings import LOCAL, Settings
from tthc.warehouse.connect import transaction

CHANNEL_FAILED = "CHANNEL_FAILED"
STEP_KILLED, STEP_FAILED = "STEP_KILLED", "STEP_FAILED"
RUN = "run"  # the source of incidents about the nightly run itself
TRIES_BEFORE_NEXT = 3  # on one channel, before the recipient's next is taken
TRIES_IN_ORDER = 10  # as long as a message has fewer, later ones to the same recipient wait for it
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one pass did: messages sent, tries that failed, messages that still wait."""

    sent: int
    failed: int
    waiting: int

    @property
    def degraded(self) -> bool:
        """A channel did not do its part."""
        return self.failed > 0

    def __str__(self) -> str:
        words = f"messages: {self.sent} sent, {self.waiting} waiting"
        return f"{words}, degraded: {self.failed} tries failed" if self.degraded else words


def check_channels(settings: Settings) -> None:
    """Raises Misconfigured or ReferenceFault when a declared channel could never send."""
    open_channels(settings, read_routing(settings).channels)


def dispatch(settings: Settings, now: datetime, night: date | None = None) -> Dispatched:
    """Tend the incidents, compose what waits and send what is due. `night`: the run of that night has just ended."""
    routing = read_routing(settings)
    senders = open_channels(settings, routing.channels)
    with transaction(settings) as connection:
        if night is not None:
            _note_steps(connection, night, now)
            note_missing_reporters(connection, night, now)
        current = night or _newest_night(connection) or now.astimezone(LOCAL).date()
        tend(connection, routing.policy, settings.province, current, now)
        _report(connection, routing, night, now)
        compose(connection, routing, now)
    sent, failed = _send_due(settings, routing, senders, now)
    with transaction(settings) as connection:
        waiting = connection.execute(sa.text("select count(*) from alerts.message where sent_at is null")).scalar_one()
        connection.execute(
            sa.text(
                "insert into alerts.dispatch (ran_at, night, sent, failed, waiting) "
                "values (:now, :night, :sent, :failed, :waiting)"
            ),
            {"now": now, "night": night, "sent": sent, "failed": failed, "waiting": waiting},
        )
    return Dispatched(sent, failed, waiting)


def _newest_night(connection: sa.Connection) -> date | None:
    found: date | None = connection.execute(sa.text("select max(night) from core.delivery")).scalar()
    return found


def _report(connection: sa.Connection, routing: Routing, night: date | None, now: datetime) -> None:
    """The report of the run that has just ended, or in the morning that of yesterday whatever became of it."""
    here = now.astimezone(LOCAL)
    if night is None and here.hour >= routing.policy.report_by_hour:
        yesterday = here.date() - timedelta(days=1)
        told = sa.text("select 1 from alerts.outbox where kind = 'report' and night >= :yesterday")
        night = None if connection.execute(told, {"yesterday": yesterday}).first() else yesterday
    if night is not None:
        write_report(connection, night, morning_report(connection, routing.policy, night, now), now)


def _note_steps(connection: sa.Connection, night: date, now: datetime) -> None:
    """At the end of a run: a step that failed, or that began and never ended (killed; Airflow calls nobody then)."""
    newest = connection.execute(
        sa.text(
            "select distinct on (name) name, ended_at, failed_as from alerts.step where night = :night "
            "order by name, began_at desc"
        ),
        {"night": night},
    ).all()
    failures = []
    for rule_id, words, names in (
        (STEP_KILLED, "bị ngắt giữa chừng / cut off", [s.name for s in newest if s.ended_at is None]),
        (STEP_FAILED, "không thành công / failed", [f"{s.name} ({s.failed_as})" for s in newest if s.failed_as]),
    ):
        if names:
            subject = f"{rule_id}: {len(names)} bước của lượt chạy {words}"
            failures.append(
                Failure(
                    rule_id=rule_id,
                    source_id=RUN,
                    severity="error",
                    night=night,
                    subject=subject,
                    detail=", ".join(names),
                )
            )
    record(connection, failures, now)
    resolve_source(connection, RUN, night, [failure.rule_id for failure in failures], now)


def _send_due(settings: Settings, routing: Routing, senders: dict[str, Sender], now: datetime) -> tuple[int, int]:
    """Try each message that is due once, oldest first, each in a transaction of its own; (sent, failed)."""
    recipients = {recipient.id: recipient for recipient in routing.recipients}
    tried, sent, failed = [0], 0, 0
    down: dict[str, str] = {}
    while True:
        with transaction(settings) as connection:
            message = connection.execute(
                statement("due_message"), {"now": now, "tried": tried, "in_order": TRIES_IN_ORDER}
            ).first()
            if message is None:
                return sent, failed
            tried.append(message.message_id)
            recipient = recipients.get(message.recipient, _whoever_takes_all(routing))
            channel_id, addresses = recipient.channels[message.way % len(recipient.channels)]
            channel = routing.channels[channel_id]
            letter = _letter(message, addresses)
            try:
                if channel_id in down:
                    raise SendingFailed(down[channel_id])
                beside = send_in_time(senders[channel_id], letter, channel.timeout_seconds)
            except SendingFailed as error:
                failed += 1
                down[channel_id] = str(error)
                if _postpone(connection, message, recipient, channel, str(error), now):
                    tried.remove(message.message_id)  # its next channel is tried at once
                continue
            sent += 1
            _mark_sent(connection, message, channel, beside, now)


def _whoever_takes_all(routing: Routing) -> Recipient:
    """For a message whose recipient is no longer in channels.toml; there always is one."""
    return next(recipient for recipient in routing.recipients if recipient.hears("\0", "\0", "warning"))


def _letter(message: sa.Row[Any], addresses: tuple[str, ...]) -> Letter:
    return Letter(
        key=str(message.message_key),
        number=message.message_id,
        to=addresses,
        kind=message.kind,
        severity=message.severity,
        night=message.night,
        subject=message.subject,
        text=message.body,
        made_at=message.made_at,
    )


def _postpone(
    connection: sa.Connection,
    message: sa.Row[Any],
    recipient: Recipient,
    channel: Channel,
    words: str,
    now: datetime,
) -> bool:
    """Note the failed try; True when another channel is to be tried at once."""
    attempts = message.attempts + 1
    pause = min(_FIRST_PAUSE * 2 ** min(message.attempts, 10), _LONGEST_PAUSE)
    pause *= random.uniform(0.75, 1.25)  # so that many messages do not come back at one moment
    turns = attempts % TRIES_BEFORE_NEXT == 0 and len(recipient.channels) > 1
    connection.execute(
        sa.text(
            "update alerts.message set attempts = :attempts, way = :way, next_try_at = :next_try, last_error = :words "
            "where message_id = :id"
        ),
        {
            "id": message.message_id,
            "attempts": attempts,
            "way": (message.way + turns) % len(recipient.channels),
            "next_try": now if turns else now + pause,
            "words": f"{channel.id}: {words}",
        },
    )
    failure = Failure(
        rule_id=CHANNEL_FAILED,
        source_id=f"channel:{channel.id}",
        severity="error",
        night=now.astimezone(LOCAL).date(),
        subject=f"{CHANNEL_FAILED}: kênh «{channel.id}» không gửi được / channel does not send",
        detail=words,
    )
    record(connection, [failure], now)
    return turns


def _mark_sent(
    connection: sa.Connection, message: sa.Row[Any], channel: Channel, beside: str | None, now: datetime
) -> None:
    terms = {"id": message.message_id, "now": now, "over": channel.id, "beside": beside}
    connection.execute(
        sa.text(
            "update alerts.message set sent_at = :now, sent_over = :over, attempts = attempts + 1, "
            "last_error = coalesce(:beside, last_error) where message_id = :id"
        ),
        terms,
    )
    connection.execute(statement("mark_events_sent"), terms)
    resolve_source(connection, f"channel:{channel.id}", now.astimezone(LOCAL).date(), now=now)
