"""What a file's own past says of it: how many rows it usually has, how new its newest event is, what it is made of.

The past of a file is the nights before its own on which its source delivered a file of the same name, dates in names
left out. Where fewer than NIGHTS such nights are known and the file is of one unit, it is the nights on which the
source delivered files of that unit alone. Nights soon after a long holiday (Tết) neither judge nor are compared with.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import Any

import pandas as pd

from tthc.domain.working_days import is_working_day, working_index
from tthc.staging.shares import COMPARABLE, RULE_OF, Counts, Shift, shares_of, shift
from tthc.staging.staged_file import StagedFile

NIGHTS = 28  # how many nights are compared with; fewer do not say what is usual
DAYS_BACK = 100  # how far back they are looked for: a source that delivers twice a week has 28 nights in them
_ODD_NIGHTS = 2  # so many of them may be unlike the others without counting
_NEW_USUAL = 14  # nights told as of other shares than before; from so many on they are what is usual
_HOLIDAY_DAYS, _HOLIDAY_WORKING = 7, 3  # fewer working days than this in the days before: offices were closed
_EVENTS = ("received_on", "finished_on", "returned_on")
_INDEXED_DAYS = 800  # an event older than this counts as this old
# A date in the name of a file, with a time of day behind it; PostgreSQL reads it alike.
DATES = (
    r"(?<!\d)(?:20\d\d[-_. ]?[01]\d[-_. ]?[0-3]\d|[0-3]\d[-_. ]?[01]\d[-_. ]?20\d\d)"
    r"(?:[-_. T]{0,3}[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:]?[0-5]\d)?)?(?!\d)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A list of dossiers that was loaded, or known already, on an earlier night. `rows`: accepted and quarantined.

    `unit_code`: its only unit. `newest_on`, `only_status`, `shares`: as `note_content` found them. `released`: it is in
    although DISTRIBUTION once held it. `shifted`: rules that found its shares unlike those before.
    """

    night: date
    file_name: str
    unit_code: str | None
    rows: int
    newest_on: date | None
    only_status: int | None
    released: bool
    shares: Mapping[str, Counts] = field(default_factory=dict)
    shifted: Sequence[str] = ()


def note_content(file: StagedFile, night: date) -> None:
    """Set the day of a list's newest event up to the night, its status where every row has the same, and its shares."""
    days = _event_days(file, night)
    file.newest_on = days.max().date() if len(days) else None
    if "status" in file.headings and file.rows["status"].nunique() == 1:
        file.only_status = int(file.rows["status"].dropna().iloc[0])
    file.shares = shares_of(file)


def dateless(file_name: str) -> str:
    """A file's name with every date, and a time of day behind it, as `#`."""
    return re.sub(DATES, "#", file_name)


@dataclass
class History:
    """The past of the files of one source as of a night; `overrides`: calendar.csv."""

    night: date
    past: Sequence[Past] = ()
    overrides: Mapping[date, bool] = field(default_factory=dict)

    def profile(self, file: StagedFile) -> dict[str, float]:
        """What the suite `dossier_file` compares: counts of nights, and the file beside them.

        `low_before`: the share of the median that all but two of the nights passed. `missing_events`: how many events
        a file this busy should have had since its newest one, beyond the silence that is usual.
        """
        told = {
            "nights_before": 0,
            "median_before": 0.0,
            "low_before": 0.0,
            "share_of_median": 1.0,
            "dated_nights_before": 0,
            "missing_events": 0.0,
        }
        if not self.past or file.feed != "dossier" or self._after_holiday(self.night):
            return told
        past = [one for one in self._of(file) if not self._after_holiday(one.night)]
        counts = sorted(_nightly(past, lambda one: one.rows))
        if usual := median(counts) if counts else 0:
            told["share_of_median"] = (file.rows_accepted + file.rows_quarantined) / usual
            told["low_before"] = counts[min(_ODD_NIGHTS, len(counts) - 1)] / usual
        told |= {"nights_before": len(counts), "median_before": float(usual)}
        lags = sorted(_nightly(past, lambda one: self._lag(one.newest_on, one.night) if one.newest_on else None))
        if lags and file.newest_on:
            silence = self._lag(file.newest_on, self.night) - lags[max(len(lags) - 1 - _ODD_NIGHTS, 0)]
            if silence > 0:
                told["missing_events"] = silence * self._events_a_day(file, file.newest_on)
        return told | {"dated_nights_before": len(lags)}

    def statuses(self, file: StagedFile) -> dict[str, int]:
        """What the suite compares of a list of one status: `one_status` 1 where the past does not show it to be usual,
        and in `statuses_before` the nights that could.

        It is usual where more than two of the nights said the same, or a person has lately released it saying so.
        """
        if file.only_status is None or self._after_holiday(self.night):
            return {"one_status": 0, "statuses_before": 0}
        past = [one for one in self._of(file) if not self._after_holiday(one.night)]
        lately = self.night - timedelta(days=NIGHTS)
        same = _nightly(past, lambda one: int(one.only_status == file.only_status))
        released = any(one.released and one.only_status == file.only_status and one.night >= lately for one in past)
        return {"one_status": int(not released and sum(same) <= _ODD_NIGHTS), "statuses_before": len(same)}

    def shifts(self, file: StagedFile) -> dict[str, Shift]:
        """What is looked at → how far the file is from the nights before; nothing known makes no distance.

        Where offices were closed on most days before the night (Tết) half of the distance counts: what was left open
        is worked off at once. Nights that were told as unlike those before are not compared with, so that a lasting
        fault stays told; from _NEW_USUAL such nights on it is a change, and they count.
        """
        past = [one for one in self._of(file) if not self._after_holiday(one.night)]
        found = {}
        for what, rule in RULE_OF.items():
            known = [one for one in past if sum(one.shares.get(what, {}).values()) >= COMPARABLE]
            told = {one.night for one in known if rule in one.shifted}
            nights: dict[date, Counts] = {
                one.night: one.shares[what] for one in known if len(told) >= _NEW_USUAL or one.night not in told
            }
            before = [nights[night] for night in sorted(nights)]
            moved = shift(what, file.shares.get(what, {}), before, odd_nights=_ODD_NIGHTS)
            relaxed = self._after_holiday(self.night)
            found[what] = replace(moved, distance=moved.distance / 2) if relaxed else moved
        return found

    def unit_of(self, file_name: str) -> str | None:
        """The one unit that files of this name have told of; None where there were none, or several."""
        units = {one.unit_code for one in self._by_name.get(dateless(file_name), [])}
        return units.pop() if len(units) == 1 else None

    def _of(self, file: StagedFile) -> Sequence[Past]:
        named = self._by_name.get(dateless(file.file_name), [])
        if len({one.night for one in named}) >= NIGHTS or len(file.units) != 1:
            return named
        return self._by_unit.get(next(iter(file.units)), named)

    @cached_property
    def _by_name(self) -> dict[str, list[Past]]:
        return _grouped(self.past, lambda one: dateless(one.file_name))

    @cached_property
    def _by_unit(self) -> dict[str | None, list[Past]]:
        return _grouped((one for one in self.past if one.unit_code), lambda one: one.unit_code)

    @cached_property
    def _index(self) -> dict[date, int]:
        return working_index(self.night - timedelta(days=_INDEXED_DAYS), self.night, self.overrides)

    def _after_holiday(self, night: date) -> bool:
        before = night - timedelta(days=1)
        return self._lag(before - timedelta(days=_HOLIDAY_DAYS), before) < _HOLIDAY_WORKING

    def _lag(self, day: date, night: date) -> int:
        """Working days after a day up to and including a night."""
        return self._index[night] - self._index.get(day, 0)

    def _events_a_day(self, file: StagedFile, newest: date) -> float:
        """Median number of events on a working day of the four weeks before the newest one."""
        days = [newest - timedelta(days=back) for back in range(1, 29)]
        worked = [day for day in days if is_working_day(day, self.overrides)]
        counts = _event_days(file, newest).dt.date.value_counts()
        return float(median(int(counts.get(day, 0)) for day in worked)) if worked else 0.0


def _event_days(file: StagedFile, night: date) -> pd.Series:
    columns = [file.rows[name] for name in _EVENTS if name in file.rows]
    days = pd.concat(columns).dropna() if columns else pd.Series(dtype="datetime64[us]")
    return days[days <= pd.Timestamp(night)]


def _grouped(past: Iterable[Past], key: Callable[[Past], Any]) -> dict[Any, list[Past]]:
    groups: dict[Any, list[Past]] = defaultdict(list)
    for one in past:
        groups[key(one)].append(one)
    return groups


def _nightly(past: Iterable[Past], what: Callable[[Past], int | None]) -> list[int]:
    """One number of each of the last NIGHTS nights that have one: the least where a night has several files."""
    found: dict[date, int] = {}
    for one in past:
        if (value := what(one)) is not None:
            found[one.night] = min(value, found.get(one.night, value))
    return [found[night] for night in sorted(found)[-NIGHTS:]]
