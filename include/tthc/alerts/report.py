"""The morning report: what was expected and received, what is open, what is silenced; also when all is well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import sqlalchemy as sa

from tthc.alerts.incidents import statement
from tthc.alerts.wording import moment
from tthc.domain.text import without_person
from tthc.reference.channels import Policy
from tthc.settings import LOCAL

_COUNTS = ("expected", "received", "missing", "loaded", "held", "rejected", "rows_quarantined")
_SHOWN = 30
_MONDAY = 0
_CAUSES = {
    "file": "do tệp / file",
    "rule": "do quy tắc / rule",
    "definition": "do định nghĩa / definition",
    "geography": "do địa giới / geography",
}


def morning_report(connection: sa.Connection, policy: Policy, night: date, now: datetime) -> str:
    """The text of the report of one night."""
    lines = [f"tthc, báo cáo sáng, đêm {night:%d/%m/%Y}, {moment(now)} / morning report", ""]
    lines += _deliveries(connection, night)
    lines += ["", *_open(connection, night)]
    if restated := restatements(connection, night):
        lines += ["", restated]
    if now.astimezone(LOCAL).weekday() == _MONDAY:
        lines += ["", *_silences(connection)]
    link = f"Xem / see: {policy.web_url.rstrip('/')}/quality" if policy.web_url else "tthc incidents list"
    return "\n".join([*lines, "", link])


def _deliveries(connection: sa.Connection, night: date) -> Iterator[str]:
    """Units: expected = received + missing. Files: delivered = loaded + held + rejected."""
    sources = connection.execute(statement("report_reporters"), {"night": night}).mappings().all()
    total = {name: sum(int(source[name]) for source in sources) for name in _COUNTS}
    yield (
        f"Đơn vị / units: {total['expected']} phải báo cáo / expected, {total['received']} đã nhận / received, "
        f"{total['missing']} chưa nhận / not yet"
    )
    delivered = total["loaded"] + total["held"] + total["rejected"]
    yield (
        f"Tệp / files: {delivered} đã nhận / received, {total['loaded']} đã nạp / loaded, "
        f"{total['held']} bị giữ / held, {total['rejected']} bị từ chối / rejected; "
        f"{total['rows_quarantined']} dòng cách ly / rows quarantined"
    )
    for source in sources:
        units = f"{source['received']}/{source['expected']} đơn vị / units; " if source["expected"] else ""
        yield (
            f"- {source['source_id']}: {units}{source['loaded']} tệp đã nạp / loaded, {source['held']} giữ / held, "
            f"{source['rejected']} từ chối / rejected"
        )
    published = connection.execute(
        sa.text("select publication_id, night from rollup.publication order by publication_id desc limit 1")
    ).first()
    yield (
        f"Số liệu đang công bố / figures: lần {published.publication_id}, đêm {published.night:%d/%m/%Y}"
        if published
        else "Chưa công bố số liệu / no figures yet"
    )


def restatements(connection: sa.Connection, night: date) -> str:
    """One paragraph: which published figures changed since the last report, from what to what, why."""
    rows = connection.execute(statement("restated"), {"night": night}).mappings().all()
    if not rows:
        return ""
    told = [
        f"{row['title']}, {row['unit_name']}, {row['period_label']} ({_basis(row)}): "
        f"{_fraction(row, 'old')} → {_fraction(row, 'new')}, {_CAUSES[row['cause']]}: {row['cause_ref']}"
        for row in rows
    ]
    first = rows[0]
    causes = sorted(first["by_cause"].items(), key=lambda cause: (-cause[1], cause[0]))
    by_cause = ", ".join(f"{_CAUSES[cause]}: {count}" for cause, count in causes)
    more = f"; … mart.restatement, lần / publication {first['publication_id']}" if first["figures"] > len(rows) else ""
    return without_person(
        "Số liệu đã công bố thay đổi / published figures changed: "
        f"{first['figures']} số liệu / figures, {first['units']} đơn vị / units ({by_cause}). "
        f"{'; '.join(told)}{more}."
    )


def _basis(row: sa.RowMapping) -> str:
    """The calendar of a figure, and that it is one on today's boundary only."""
    today = ", theo địa giới hiện nay / on today's boundary" if row["basis"] == "current_boundary" else ""
    return f"{row['period_calendar']}{today}"


def _fraction(row: sa.RowMapping, side: str) -> str:
    numerator, denominator = row[f"{side}_numerator"], row[f"{side}_denominator"]
    if numerator is None:
        return "chưa khai / not stated" if row["is_manual"] else "tạm giữ / withheld"
    return str(numerator) if denominator is None else f"{numerator}/{denominator}"


def _open(connection: sa.Connection, night: date) -> Iterator[str]:
    """One line an incident that goes on; members of a group are told by the group."""
    rows = connection.execute(
        sa.text(
            "select incident_id, severity, state, subject, :night - opened_on + 1 as nights "
            "from alerts.incident where state <> 'resolved' and group_id is null "
            "order by array_position(array['critical', 'error', 'warning'], severity), opened_on, incident_id"
        ),
        {"night": night},
    ).all()
    if not rows:
        yield "Không có sự cố nào đang mở / no incident is open"
        return
    yield f"Sự cố đang mở / open incidents ({len(rows)})"
    for row in rows[:_SHOWN]:
        nights = f"{max(1, row.nights)} đêm / nights"
        yield f"- [{row.severity}, {row.state}] #{row.incident_id} {without_person(row.subject)} ({nights})"
    if len(rows) > _SHOWN:
        yield f"- … và {len(rows) - _SHOWN} sự cố nữa / and {len(rows) - _SHOWN} more"


def _silences(connection: sa.Connection) -> Iterator[str]:
    """Every silence with its owner, reason and end: told once a week, so that none is forgotten."""
    rows = connection.execute(
        sa.text(
            "select incident_id, snoozed_until, history.by_whom, history.reason from alerts.incident "
            "cross join lateral (select by_whom, reason from alerts.incident_history as told "
            "where told.incident_id = incident.incident_id and what = 'snoozed' order by entry_id desc limit 1) "
            "as history where state = 'snoozed' order by snoozed_until, incident_id"
        )
    ).all()
    if not rows:
        yield "Không có sự cố nào đang tắt báo / nothing is silenced"
        return
    yield f"Đang tắt báo / silenced ({len(rows)})"
    for row in rows:
        until = row.snoozed_until.astimezone(LOCAL)
        told = without_person(f"{row.by_whom}: {row.reason}")
        yield f"- #{row.incident_id} đến / until {until:%d/%m/%Y %H:%M}, {told}"
