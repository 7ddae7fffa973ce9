"""A term counted in days: the day that comes so many days, or working days, after another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd

from tthc.domain.working_days import HOME, is_working_day


def days_after(
    start: pd.Series, counts: pd.Series, calendar: Mapping[date, bool] | None, earliest: date, country: str = HOME
) -> pd.Series:
    """Day by day as `after_working_days` counts; every day counts where no `calendar` is given. Unknown where the
    start or the count is; also where the start is a mistyped day, before `earliest`, for which the row is refused.
    `country`: whose public holidays these are."""
    found = pd.Series(pd.NaT, index=start.index, dtype="datetime64[us]")
    known = start.notna() & counts.notna()
    if calendar is not None:
        known &= start.between(pd.Timestamp(earliest), pd.Timestamp(2200, 1, 1))
    if not known.any():
        return found
    begins, days = start[known], counts[known].astype("int64")
    if calendar is None:
        found[known] = begins + pd.to_timedelta(days, unit="D")
        return found
    last = begins.max().date() + timedelta(days=40 + 2 * int(days.max()))
    worked = _worked(begins.min().date(), last, calendar, country)
    # Day 0 is the first worked day from the start on, day 1 the first one behind it.
    place = np.searchsorted(worked, begins.to_numpy("datetime64[D]"), side="left")
    place += np.where(days > 0, days - (worked[place] > begins.to_numpy("datetime64[D]")), 0)
    found[known] = worked[place].astype("datetime64[us]")
    return found


def _worked(first: date, last: date, calendar: Mapping[date, bool], country: str) -> np.ndarray:
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return np.array([day for day in days if is_working_day(day, calendar, country)], dtype="datetime64[D]")
