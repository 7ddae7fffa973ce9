"""Whether the night is alive, seen from outside Airflow and, where the warehouse is gone, without it.

A dead scheduler, a killed task or a dispatcher nobody starts cannot tell of themselves: somebody else has to look.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa

from tthc.alerts.letter import Letter, SendingFailed
from tthc.alerts.sending import open_channels, send_in_time, within
from tthc.alerts.wording import moment
from tthc.domain.errors import Misconfigured, TthcError
from tthc.reference.channels import Routing, read_routing, resolved_text
from tthc.settings import LOCAL, Settings
from tthc.warehouse import server
from tthc.warehouse.connect import transaction

NIGHT_ENDS_BY_HOUR = 6  # local time by which last night's run has ended
PATIENCE_SECONDS = 60.0  # with a warehouse that does not answer
LONGEST_STEP = timedelta(hours=2)  # twice what Airflow allows a task
LONGEST_WAIT = timedelta(hours=2)  # of a message in the outbox, or of an event outside a message


def watch(settings: Settings, now: datetime) -> list[str]:
    """What is wrong, one sentence each; it is written down and sent. When all is well, the ping is called."""
    problems: list[str] = []
    try:
        routing: Routing | None = read_routing(settings)
    except TthcError as error:
        routing = None
        problems.append(f"Cấu hình kênh báo sai / channels are misconfigured: {error}")
    try:
        problems += within(PATIENCE_SECONDS, lambda: _warehouse_problems(settings, now))
    except TimeoutError:
        problems.append(f"Kho dữ liệu không trả lời sau {PATIENCE_SECONDS:g} giây / the warehouse does not answer")
    text = "\n".join([f"tthc watchdog, {moment(now)}", "", *(problems or ["Mọi việc bình thường / all is well"])])
    path = settings.out / "watchdog.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        problems.append(f"Không ghi được / cannot be written: {path}: {error.strerror}")
    if routing is not None:
        problems += _tell(settings, routing, problems, text, now)
    return problems


def _warehouse_problems(settings: Settings, now: datetime) -> list[str]:
    try:
        embedded = server.status(settings.home) if settings.warehouse_url is None else None
        if embedded is not None and embedded.url is None:
            return [f"Kho dữ liệu ở {settings.home} chưa được tạo / the warehouse was never made: tthc init"]
        if embedded is not None and not embedded.running:
            return ["Máy chủ kho dữ liệu không chạy / the embedded server does not run: tthc db start"]
        with transaction(settings) as connection:
            connection.execute(sa.text("set local statement_timeout = '30s'"))
            return list(_night_problems(connection, now)) + list(_outbox_problems(connection, now))
    except TthcError as error:
        return [f"Kho dữ liệu không trả lời / the warehouse does not answer: {error}"]


def expected_night(now: datetime) -> date:
    """The newest night whose run should have ended by now."""
    here = now.astimezone(LOCAL)
    return here.date() - timedelta(days=1 if here.hour >= NIGHT_ENDS_BY_HOUR else 2)


def _night_problems(connection: sa.Connection, now: datetime) -> Iterator[str]:
    expected = expected_night(now)
    newest = connection.execute(sa.text("select max(night) from alerts.dispatch")).scalar()
    if newest is None or newest < expected:
        told = f"{newest:%d/%m/%Y}" if newest else "–"
        yield (
            f"Đêm {expected:%d/%m/%Y} chưa chạy xong; đêm gần nhất {told} / the night {expected} has not ended, "
            f"the newest that has: {newest or 'none'}"
        )
    hung = connection.execute(
        sa.text(
            "select name, night from alerts.step as newest where ended_at is null and began_at < :before "
            "and night >= :expected and not exists (select from alerts.step as later "
            "where (later.night, later.name) = (newest.night, newest.name) and later.began_at > newest.began_at) "
            "order by night, name"
        ),
        {"before": now - LONGEST_STEP, "expected": expected},
    ).all()
    for step in hung:
        yield f"Bước {step.name} đêm {step.night:%d/%m/%Y} bị ngắt hoặc treo / was killed or hangs"


def _outbox_problems(connection: sa.Connection, now: datetime) -> Iterator[str]:
    ran = connection.execute(sa.text("select max(ran_at) from alerts.dispatch")).scalar()
    waiting, oldest = connection.execute(
        sa.text(
            "select count(*), min(since) from (select made_at as since from alerts.message where sent_at is null "
            "union all select greatest(recorded_at, not_before) from alerts.outbox "
            "where composed_at is null and withdrawn_at is null and not_before <= :now) as waiting"
        ),
        {"now": now},
    ).one()
    if waiting and oldest < now - LONGEST_WAIT:
        yield (f"{waiting} thông báo chờ gửi, lâu nhất từ {moment(oldest)} / messages do not leave: tthc messages list")
        if ran is None or ran < now - LONGEST_WAIT:
            told = moment(ran) if ran else "–"
            yield f"Bộ gửi thông báo không chạy từ {told} / the dispatcher does not run: tthc messages send"


def _tell(settings: Settings, routing: Routing, problems: list[str], text: str, now: datetime) -> Iterator[str]:
    """Send over the first channel of the watchdog's recipient that works; the ping only when all is well."""
    policy = routing.policy
    try:
        if not problems:
            if policy.ping_url:
                yield from _ping(policy.ping_url)
            return
        letter = _letter(problems, text, now)
        told = settings.home / "watchdog.told"  # the same problems are told once a day
        if told.exists() and told.read_text(encoding="utf-8") == letter.key:
            return
        senders = open_channels(settings, routing.channels)
    except Misconfigured as error:
        yield f"Cấu hình kênh báo sai / channels are misconfigured: {error}"
        return
    recipient = next(r for r in routing.recipients if r.id == policy.watch_recipient)
    failed = []
    for channel_id, addresses in recipient.channels:
        channel = routing.channels[channel_id]
        try:
            send_in_time(senders[channel_id], replace(letter, to=addresses), channel.timeout_seconds)
            told.write_text(letter.key, encoding="utf-8")
            break
        except SendingFailed as error:
            failed.append(f"{channel_id}: {error}")
    if len(failed) == len(recipient.channels):
        yield f"Không kênh nào gửi được / no channel works: {'; '.join(failed)}"


def _letter(problems: list[str], text: str, now: datetime) -> Letter:
    night = expected_night(now)
    return Letter(
        key=str(uuid5(NAMESPACE_URL, "\n".join(["tthc watchdog", str(now.astimezone(LOCAL).date()), *problems]))),
        number=0,
        to=(),
        kind="watchdog",
        severity="critical",
        night=night,
        subject=f"[NGHIÊM TRỌNG] tthc watchdog: {len(problems)} vấn đề / problems",
        text=text,
        made_at=now,
    )


def _ping(url: str) -> Iterator[str]:
    from tthc.alerts.send_http import call, checked_url

    try:
        call(checked_url(resolved_text(url, "policy: ping_url"), "policy: ping_url"), None, seconds=30.0)
    except SendingFailed as error:
        yield f"Không gọi được ping / the ping was not taken: {error}"
