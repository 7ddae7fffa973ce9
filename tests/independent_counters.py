"""What one dossier adds to the counters of one period, and which counters a metric divides: docs/definitions.md, read once more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import holidays

from independent_rows import Moment, State, table

RESOLVED = ("resolved_early", "resolved_on_time", "resolved_late")


class Definition(NamedTuple):
    """One version of a metric: the sums of counters it divides (nothing below: a count), and from when it holds."""

    id: str
    profile: str
    above: tuple[str, ...]
    below: tuple[str, ...] = ()
    version: str = "2026.1"
    since: date = date.min


DEFINITIONS = (
    Definition("received", "TT01_06A", ("received",)),
    Definition("resolved", "TT01_06A", RESOLVED),
    Definition("in_progress", "TT01_06A", ("in_progress",)),
    Definition("withdrawn", "TT01_06A", ("withdrawn",)),
    Definition("paused", "TT01_06A", ("paused",)),
    Definition("stopped", "TT01_06A", ("stopped",)),
    Definition("on_time", "TT01_06A", RESOLVED[:2], RESOLVED),
    Definition("on_time", "TT01_06A_STRICT", ("dash_in_time",), ("dash_finished",)),
    Definition("on_time", "IDX766", ("index_in_time",), ("listed",)),
    Definition("on_time", "IDX766_STRICT", ("strict_in_time",), ("strict_listed",)),
    Definition("on_time", "DASH", ("dash_in_time",), ("dash_finished",)),
    Definition("overdue_open", "TT01_06A", ("overdue",), ("in_progress",)),
    Definition("online_submission", "*", ("online",), ("received",)),
    Definition("online_submission", "IDX766", ("online_with_result",), ("listed",)),
    Definition("online_submission_full", "*", ("full_online",), ("full_received",)),
    Definition("online_submission_offered", "*", ("offered_online",), ("offered_received",)),
    Definition("online_payment", "*", ("fee_paid_online",), ("fee_received",)),
    Definition("digitised_components", "*", ("components",), ("listed",)),
    Definition("digitised_result", "*", ("result_digitised",), ("yielding_finished",)),
    Definition("digitised_full", "*", ("fully_digitised",), ("yielding_finished",)),
    Definition("digitised_result_received", "*", ("yielding_received_digitised",), ("yielding_received",)),
    Definition("electronic_result", "*", ("result_electronic",), ("yielding_finished",)),
    Definition("reuse", "*", ("reused",), ("listed",)),
)


def in_force(definitions: Sequence[Definition], end: date) -> list[Definition]:
    """Of each metric and profile the newest version that has begun by the last day of a period."""
    newest: dict[tuple[str, str], Definition] = {}
    for one in sorted((one for one in definitions if one.since <= end), key=lambda one: one.since):
        newest[one.id, one.profile] = one
    return list(newest.values())


class Period(NamedTuple):
    calendar: str
    kind: str
    label: str
    start: date
    end: date


def periods(first: int, last: int) -> Iterator[Period]:
    """All kinds of both calendars for these years."""
    kinds = [("month", f"-{m:02}", m, m) for m in range(1, 13)]
    kinds += [("quarter", f"-Q{q}", 3 * q - 2, 3 * q) for q in range(1, 5)]
    kinds += [("half", "-H1", 1, 6), ("half", "-H2", 7, 12), ("nine_months", "-9M", 1, 9), ("year", "", 1, 12)]
    for year in range(first, last + 1):
        for kind, suffix, begin, end in kinds:
            start = date(year - 1, 12, 15) if begin == 1 else date(year, begin - 1, 15)
            yield Period("VPCP_15_14", kind, f"{year}{suffix}", start, date(year, end, 14))
            after = date(year + 1, 1, 1) if end == 12 else date(year, end + 1, 1)
            yield Period("CALENDAR", kind, f"{year}{suffix}", date(year, begin, 1), after - timedelta(days=1))


class Calendar:
    """Working days: those of the law, but for the days that calendar.csv names."""

    def __init__(self, overlay: Path | None) -> None:
        self._named = {row["date"]: row["is_working"] == "true" for row in table("calendar.csv", overlay)}
        self._law = holidays.country_holidays("VN")
        self._known: dict[date, bool] = {}

    def _is_working(self, day: date) -> bool:
        if day not in self._known:
            self._known[day] = self._named.get(day.isoformat(), bool(self._law.is_working_day(day)))
        return self._known[day]

    def working_days(self, after: date, until: date) -> int:
        """How many after one day, up to another."""
        return sum(self._is_working(after + timedelta(days=n)) for n in range(1, (until - after).days + 1))


def _not_after(one: Moment, other: Moment) -> bool:
    """Instants where both cells have a time of day, days otherwise."""
    if one.at and other.at:
        return (one.day, one.at) <= (other.day, other.at)
    return one.day <= other.day


def _by(moment: Moment | None, cut: date) -> bool:
    return moment is not None and moment.day <= cut


def _index_in_time(state: State, limit: int | None, cut: date, calendar: Calendar) -> bool:
    assert state.received
    late_request = state.requested is not None and state.requested.day > cut
    if state.supplements - late_request > 1:
        return False
    if state.status == 6:
        return True
    end = {5: state.requested, 7: state.finished, 8: state.finished, 9: state.finished, 10: state.finished}.get(
        state.status
    )
    ended = end if end and _by(end, cut) else None
    if state.due:
        return _not_after(ended, state.due) if ended else state.due.day >= cut
    return limit is None or calendar.working_days(state.received.day, ended.day if ended else cut) <= limit


def _over(state: State, start: date) -> bool:
    """Received and ended before the period began."""
    ended = state.status in (7, 9, 10) and state.finished is not None and state.finished.day < start
    return ended and state.received is not None and state.received.day < start


def counters(
    state: State, procedure: Mapping[str, str] | None, start: date, cut: date, calendar: Calendar
) -> Counter[str]:
    """What one dossier adds to the counters of a period from `start` to its cut-off."""
    count: Counter[str] = Counter()
    assert state.received
    status, due = state.status, state.due
    if state.received.day > cut or _over(state, start):
        return count
    done = status in (9, 10) and _by(state.finished, cut)
    ended = done or (status == 7 and _by(state.finished, cut))
    in_period = ended and state.finished is not None and state.finished.day >= start
    yields = procedure is None or procedure["yields_result"] != "false"
    if not ended:
        stopped = status == 8 and _by(state.finished, cut)
        paused = stopped or status == 6 or (status == 5 and _by(state.requested, cut))
        count["in_progress"] += 1
        count["stopped"] += stopped
        count["paused"] += paused and not stopped
        count["overdue"] += due is not None and due.day < cut and not paused
    if in_period and state.finished:
        withdrawn = status == 7
        count["withdrawn"] += withdrawn
        count["kept"] += not withdrawn
        count["kept_in_time"] += not withdrawn and (due is None or state.finished.day <= due.day)
        day, last = state.finished.day, due.day if due else state.finished.day
        late = "resolved_late" if day > last else "resolved_early"
        count["resolved_on_time" if withdrawn or day == last else late] += 1
        if done and due:
            count["dash_finished"] += 1
            count["dash_in_time"] += day <= due.day
        if done and yields:
            count["yielding_finished"] += 1
            count["result_digitised"] += state.result
            count["fully_digitised"] += state.result and state.components
            count["result_electronic"] += state.electronic
    if state.received.day >= start:
        online = state.channel == 2
        level = state.level or (procedure["service_level"] if procedure else "")
        limit = int(procedure["max_working_days"]) if procedure and procedure["max_working_days"] else None
        count["received"] += 1
        count["listed"] += 1
        count["online"] += online
        timely = _index_in_time(state, limit, cut, calendar)
        strict = due is not None and status != 6 and not (status == 7 and ended)
        count["index_in_time"] += timely
        count["strict_listed"] += strict
        count["strict_in_time"] += strict and timely
        count["online_with_result"] += online and (not yields or (done and state.electronic))
        count["full_received"] += level == "toan_trinh"
        count["full_online"] += level == "toan_trinh" and online
        count["offered_received"] += level in ("mot_phan", "toan_trinh")
        count["offered_online"] += level in ("mot_phan", "toan_trinh") and online
        count["fee_received"] += state.fee > 0
        count["fee_paid_online"] += state.fee > 0 and state.paid_online
        count["components"] += state.components
        count["reused"] += state.reused
        count["yielding_received"] += yields
        count["yielding_received_digitised"] += yields and done and state.result
    return +count
