"""Which days are worked: Vietnamese public holidays with the reviewed overrides laid over them; or those elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import holidays

HOME = "VN"


@cache
def _public(year: int, place: str = HOME) -> holidays.HolidayBase:
    country, _, part = place.partition("-")
    return holidays.country_holidays(country, part or None, years=year, language="vi" if place == HOME else None)


def is_known_place(place: str) -> bool:
    """Whether the public holidays of a country ("US") or a part of one ("US-PA") are known."""
    try:
        return _public(2024, place) is not None
    except NotImplementedError:
        return False


def is_working_day(day: date, overrides: Mapping[date, bool], place: str = HOME) -> bool:
    """Whether public offices work on a day; `overrides` (calendar.csv) beat the holiday package, at home only."""
    worked = _public(day.year, place).is_working_day(day)
    return overrides.get(day, worked) if place == HOME else worked


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
