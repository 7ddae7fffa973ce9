"""When things happen at a one-stop desk: working days, desk hours and the rhythm of weeks and seasons."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random

from tthc.domain.working_days import is_working_day

# How much is filed relative to an ordinary Wednesday; assumed, no source gives it.
_WEEKDAY = (1.25, 1.1, 1.0, 1.0, 0.9, 0.08, 0.05)
_MONTH = (0.85, 0.7, 1.1, 1.0, 1.05, 1.1, 1.15, 1.3, 1.1, 1.0, 0.95, 0.9)

_OPENS, _CLOSES = time(7, 30), time(17, 0)


class WorkCalendar:
    """The working days between two days, and sums over them."""

    def __init__(self, first: date, last: date, overrides: Mapping[date, bool]) -> None:
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        self._days = [day for day in days if is_working_day(day, overrides)]

    def works(self, day: date) -> bool:
        place = bisect_left(self._days, day)
        return place < len(self._days) and self._days[place] == day

    def add(self, day: date, count: int) -> date:
        """The day `count` working days after a day; with 0 the day itself, or the next working day."""
        place = bisect_left(self._days, day) if count == 0 else bisect_right(self._days, day) + count - 1
        return self._days[min(place, len(self._days) - 1)]


def filing_days(rng: Random, calendar: WorkCalendar, first: date, last: date, count: int) -> list[date]:
    """`count` days of filing between two days, both included, in order: mostly working days, quiet at Tết."""
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    weights = accumulate(
        _MONTH[day.month - 1] * (_WEEKDAY[day.weekday()] if calendar.works(day) else _WEEKDAY[-1]) for day in days
    )
    return sorted(rng.choices(days, cum_weights=list(weights), k=count))


def desk_moment(rng: Random, day: date, *, after: datetime | None = None) -> datetime:
    """A moment in desk hours, later than `after` where that lies on the same day; one in three shows seconds."""
    opens = datetime.combine(day, _OPENS)
    if after is not None and after >= opens:
        if after.date() != day:
            raise ValueError(f"{after} is later than {day}")
        opens = after + timedelta(minutes=1)
    minutes = max(1, int((datetime.combine(day, _CLOSES) - opens).total_seconds() // 60))
    seconds = rng.randrange(60) if rng.random() < 0.33 else 0
    return (opens + timedelta(minutes=rng.randrange(minutes))).replace(second=seconds)


def home_moment(rng: Random, day: date) -> datetime:
    """A moment at which somebody files from home, until late in the evening."""
    return datetime.combine(day, time(rng.choice((6, 8, 9, 10, 12, 14, 15, 19, 20, 21, 22)), rng.randrange(1, 60)))
