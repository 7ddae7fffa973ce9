"""Which days are worked: Vietnamese public holidays with the reviewed overrides laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import holidays


@cache
def _public(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("VN", years=year, language="vi")


def is_working_day(day: date, overrides: Mapping[date, bool]) -> bool:
    """Whether public offices work on a day; `overrides` (calendar.csv) beat the holiday package."""
    return overrides.get(day, _public(day.year).is_working_day(day))


def working_index(first: date, last: date, overrides: Mapping[date, bool]) -> dict[date, int]:
    """Day → number of working days from `first` up to and including it; a difference counts (from, to]."""
    index, count = {}, 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        count += is_working_day(day, overrides)
        index[day] = count
    return index


def after_working_days(day: date, days: int, overrides: Mapping[date, bool]) -> date:
    """The last of `days` working days that follow a day, which itself does not count.

    For 0 it is the day itself, or the next working day where nobody works on it: no deadline falls on a free day.
    """
    if days == 0 and not is_working_day(day, overrides):
        days = 1
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day, overrides)
    return day
