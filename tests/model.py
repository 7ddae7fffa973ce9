"""The readings of the project in plain Python, a dossier at a time: what the SQL must say, written from the pages alone.

`winners` says which state of each dossier counts as of a night; `figures` counts them. No table, no set operation, no
import from `rollups` or from the simulator's oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

Moment = date | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one row says of one dossier, typed by hand."""

    dossier: str
    unit: str
    status: int
    received: Moment | None
    due: Moment | None = None
    finished: Moment | None = None
    requests: int = 0
    requested: Moment | None = None
    channel: int = 1
    full_service: bool = False
    fee: int = 0
    paid_online: bool = False
    parts: bool = False
    result: bool = False
    e_result: bool = False
    reused: bool = False
    yields: bool = True
    max_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One file of one night: its states in the order of its rows."""

    source: str
    night: date
    name: str
    states: tuple[State, ...]


def winners(deliveries: Iterable[Delivery], night: date, priority: Sequence[str]) -> dict[str, State]:
    """Dossier → the state that counts: of the source that ranks first, the newest night, then the later file name."""
    found: dict[str, tuple[tuple[int, date, str], State]] = {}
    for delivery in deliveries:
        if delivery.night <= night:
            rank = (-priority.index(delivery.source), delivery.night, delivery.name)
            for state in delivery.states:
                if state.dossier not in found or found[state.dossier][0] < rank:
                    found[state.dossier] = (rank, state)
    return {dossier: state for dossier, (_, state) in found.items()}


def periods(first: int, last: int) -> Iterator[tuple[str, str, date, date]]:
    """(calendar, label, first day, last day) of every period of the reporting years."""
    spans = [(m, m, f"-{m:02d}") for m in range(1, 13)] + [(3 * q - 2, 3 * q, f"-Q{q}") for q in range(1, 5)]
    spans += [(1, 6, "-H1"), (7, 12, "-H2"), (1, 9, "-9M"), (1, 12, "")]
    for year in range(first, last + 1):
        for opening, closing, suffix in spans:
            after = date(year + closing // 12, closing % 12 + 1, 1)
            yield "CALENDAR", f"{year}{suffix}", date(year, opening, 1), after - timedelta(days=1)
            start = date(year - 1, 12, 15) if opening == 1 else date(year, opening - 1, 15)
            yield "VPCP_15_14", f"{year}{suffix}", start, date(year, closing, 14)


def _day(moment: Moment | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def _by(moment: Moment | None, cut_off: date) -> bool:
    day = _day(moment)
    return day is not None and day <= cut_off


def in_time_766(state: State, cut_off: date, working: Mapping[date, int]) -> bool:
    """Index 766, 2.1, of a dossier received in the period."""
    known = state.requests - (state.requested is not None and not _by(state.requested, cut_off))
    if known > 1:
        return False
    if state.status == 6:
        return True
    end = state.finished if state.status in (7, 8, 9, 10) else state.requested if state.status == 5 else None
    received, due = _day(state.received), _day(state.due)
    assert received
    over = _by(end, cut_off)
    last = _day(end) if over else cut_off
    assert last
    if due is None:
        return state.max_days is None or working[last] - working[received] <= state.max_days
    if over and isinstance(end, datetime) and isinstance(state.due, datetime):
        return end <= state.due
    return last <= due


Key = tuple[str, str, str, str, str]  # calendar, label, unit, metric, profile


def figures(
    states: Iterable[State], night: date, working: Mapping[date, int], years: tuple[int, int], province: str = "42"
) -> dict[Key, tuple[int, int | None]]:
    """Every figure as reported, over all fields, of every period begun by the night; what is zero is left out."""
    tops: Counter[Key] = Counter()
    bottoms: Counter[Key] = Counter()
    ratios: set[Key] = set()
    counted = [s for s in states if s.status not in (1, 3) and _by(s.received, night)]
    for calendar, label, start, end in periods(*years):
        if start > night:
            continue
        cut_off = min(end, night)
        for state in counted:
            for metric, profile, top, bottom in _told(state, start, cut_off, working):
                for unit in (state.unit, province):
                    key = (calendar, label, unit, metric, profile)
                    tops[key] += top
                    bottoms[key] += bool(bottom)
                    if bottom is not None:
                        ratios.add(key)
    return {
        key: (tops[key], bottoms[key] if key in ratios else None)
        for key in tops.keys() | ratios
        if (bottoms[key] if key in ratios else tops[key])
    }


def _told(
    s: State, start: date, cut_off: date, working: Mapping[date, int]
) -> Iterator[tuple[str, str, bool, bool | None]]:
    """(metric, profile, in the numerator, in the denominator or None for a count) that one dossier tells of a period."""
    received, due, finished = _day(s.received), _day(s.due), _day(s.finished)
    assert received
    resolved_on = finished if s.status in (7, 9, 10) else None
    resolved = resolved_on is not None and start <= resolved_on <= cut_off
    done = resolved and s.status != 7
    if start <= received <= cut_off:
        yield "received", "TT01_06A", True, None
        yield "on_time", "IDX766", in_time_766(s, cut_off, working), True
        yield "online_submission", "*", s.channel == 2, True
        ended = s.status in (9, 10) and _by(s.finished, cut_off)
        yield "online_submission", "IDX766", s.channel == 2 and (not s.yields or (ended and s.e_result)), True
        yield "digitised_components", "*", s.parts, True
        yield "reuse", "*", s.reused, True
        if s.full_service:
            yield "online_submission_full", "*", s.channel == 2, True
        if s.fee > 0:
            yield "online_payment", "*", s.paid_online, True
        if s.yields:
            yield "digitised_result_received", "*", ended and s.result, True
    if resolved:
        assert resolved_on
        yield "resolved", "TT01_06A", True, None
        yield "on_time", "TT01_06A", s.status == 7 or due is None or resolved_on <= due, True
    if done and due is not None:
        assert resolved_on
        yield "on_time", "DASH", resolved_on <= due, True
    if done and s.yields:
        yield "digitised_result", "*", s.result, True
        yield "digitised_full", "*", s.result and s.parts, True
        yield "electronic_result", "*", s.e_result, True
    if received <= cut_off and not (resolved_on is not None and resolved_on <= cut_off):
        paused = (
            s.status == 6
            or (s.status == 5 and _by(s.requested, cut_off))
            or (s.status == 8 and _by(s.finished, cut_off))
        )
        yield "in_progress", "TT01_06A", True, None
        yield "overdue_open", "TT01_06A", due is not None and due < cut_off and not paused, True
