"""The readings of the project in plain Python, a dossier at a time: what the SQL must say, written from the pages alone.

`winners` says which state of each dossier counts as of a night; `figures` counts them, metric by metric as `kpis.toml`
declares its event and treatments, never by its counters: so a declaration and the SQL that contradict each other differ
here. No table, no set operation, no import from `rollups` or from the simulator's oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from tthc.reference.kpis import Metric, read_metrics
from tthc.settings import settings

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
    offered: bool = True  # online, in part or wholly
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


Key = tuple[str, str, str, str, str]  # calendar, label, unit, metric, profile


@cache
def shipped() -> tuple[Metric, ...]:
    return tuple(read_metrics(settings()))


def figures(
    states: Iterable[State],
    night: date,
    working: Mapping[date, int],
    years: tuple[int, int],
    province: str = "42",
    metrics: Sequence[Metric] | None = None,
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
        for metric in metrics or shipped():
            if not metric.is_valid(end):
                continue
            for state in counted:
                if not counts(metric, state, start, cut_off):
                    continue
                top = in_numerator(metric, state, cut_off, working)
                for unit in (state.unit, province):
                    key = (calendar, label, unit, metric.id, metric.profile)
                    tops[key] += top
                    bottoms[key] += 1
                    if metric.denominator is not None:
                        ratios.add(key)
    return {
        key: (tops[key], bottoms[key] if key in ratios else None)
        for key in tops.keys() | ratios
        if (bottoms[key] if key in ratios else tops[key])
    }


def _cases(s: State, cut_off: date) -> Iterator[str]:
    """Which of the cases that definitions differ in a dossier is by the cut-off."""
    if s.due is None:
        yield "no_due"
    if s.status == 5 and _by(s.requested, cut_off):
        yield "awaiting_supplement"
    if s.status == 6:
        yield "awaiting_payment"
    if s.status == 7 and _by(s.finished, cut_off):
        yield "withdrawn"
    if s.status == 8 and _by(s.finished, cut_off):
        yield "stopped"


def counts(metric: Metric, s: State, start: date, cut_off: date) -> bool:
    """Whether the metric counts the dossier in the period at all: its event lies there, and its case is counted."""
    received, finished = _day(s.received), _day(s.finished)
    assert received
    ended = finished if s.status in (7, 9, 10) else None
    happened = {
        "receipt": start <= received <= cut_off,
        "end": ended is not None and start <= ended <= cut_off,
        "finish": ended is not None and s.status != 7 and start <= ended <= cut_off,
        "cut_off": received <= cut_off and not (ended is not None and ended <= cut_off),
    }[metric.event]
    treated = [getattr(metric, case) for case in _cases(s, cut_off)]
    cases = ("awaiting_supplement", "awaiting_payment", "withdrawn", "stopped")
    alone = "alone" in [getattr(metric, case) for case in cases]
    of_whom = _OF_WHOM.get(metric.id, lambda _: True)
    return happened and of_whom(s) and "not_counted" not in treated and (not alone or "alone" in treated)


# Whom a share is about, and which of them are its numerator: what no treatment can say.
_OF_WHOM: Mapping[str, Callable[[State], bool]] = {
    "online_submission_full": lambda s: s.full_service,
    "online_submission_offered": lambda s: s.offered,
    "online_payment": lambda s: s.fee > 0,
    "digitised_result": lambda s: s.yields,
    "digitised_full": lambda s: s.yields,
    "digitised_result_received": lambda s: s.yields,
    "electronic_result": lambda s: s.yields,
}
_WHICH: Mapping[str, Callable[[State, bool], bool]] = {
    "online_submission": lambda s, _: s.channel == 2,
    "online_submission IDX766": lambda s, done: s.channel == 2 and (not s.yields or (done and s.e_result)),
    "online_submission_full": lambda s, _: s.channel == 2,
    "online_submission_offered": lambda s, _: s.channel == 2,
    "online_payment": lambda s, _: s.paid_online,
    "digitised_components": lambda s, _: s.parts,
    "digitised_result": lambda s, _: s.result,
    "digitised_full": lambda s, _: s.result and s.parts,
    "digitised_result_received": lambda s, done: done and s.result,
    "electronic_result": lambda s, _: s.e_result,
    "reuse": lambda s, _: s.reused,
}


def in_numerator(metric: Metric, s: State, cut_off: date, working: Mapping[date, int]) -> bool:
    """Whether a dossier that the metric counts is in its numerator."""
    if metric.denominator is None:
        return True
    if metric.id == "on_time":
        return in_time(metric, s, cut_off, working)
    if metric.id == "overdue_open":
        return not in_time(metric, s, cut_off, working)
    which = _WHICH.get(f"{metric.id} {metric.profile}") or _WHICH[metric.id]
    return which(s, s.status in (9, 10) and _by(s.finished, cut_off))


def in_time(metric: Metric, s: State, cut_off: date, working: Mapping[date, int]) -> bool:
    """On time as the metric's treatments have it: of an ended dossier by its end, of an open one at the cut-off."""
    known = s.requests - (s.requested is not None and not _by(s.requested, cut_off))
    if metric.supplements == "late" and known > 1:
        return False
    cases = list(_cases(s, cut_off))
    if "in_time" in [getattr(metric, case) for case in cases]:
        return True
    end: Moment | None = s.finished if s.status in (9, 10) else None
    for case, words, moment in (
        ("withdrawn", "tested", s.finished),
        ("stopped", "tested", s.finished),
        ("awaiting_supplement", "request_is_end", s.requested),
    ):
        if case in cases and getattr(metric, case) == words:
            end = moment
    over = metric.event != "cut_off" and _by(end, cut_off)
    last, received, due = _day(end) if over else cut_off, _day(s.received), _day(s.due)
    assert last and received
    if due is None:
        assert metric.no_due == "longest_time"
        return s.max_days is None or working[last] - working[received] <= s.max_days
    if metric.compare == "instant" and over and isinstance(end, datetime) and isinstance(s.due, datetime):
        return end <= s.due
    return last <= due
