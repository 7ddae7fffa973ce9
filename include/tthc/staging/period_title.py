"""Which reporting period a title line, a file name or a portal's request names: exactly a known one, or none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from tthc.domain.errors import FileRefused
from tthc.domain.period import PeriodCalendar, ReportingPeriod, periods_containing, periods_of_year
from tthc.domain.text import fold

_DAYS = re.compile(r"(\d{1,2}/\d{1,2}/\d{4})\D+(\d{1,2}/\d{1,2}/\d{4})")
_DAYS_OF_MACHINES = re.compile(r"(?<!\d)(\d{4}-?\d{2}-?\d{2})(?!\d)\D+(\d{4}-?\d{2}-?\d{2})(?!\d)")
_SPOKEN_DAY = re.compile(r"(\d{1,2}) tháng (\d{1,2}) năm (\d{4})")
_YEAR = r"(?:năm )?(\d{4})"
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
# What a period is called, and the label suffix it then has ({} is the number named).
_NAMES = (
    (re.compile(rf"quý (iv|i{{1,3}}|[1-4])(?:/| - |-| ){_YEAR}(?!\d)"), "-Q{}"),
    (re.compile(rf"tháng (0?[1-9]|1[0-2])(?:/| - |-| ){_YEAR}(?!\d)"), "-{:0>2}"),
    (re.compile(rf"()6 tháng đầu (?:năm )?{_YEAR}(?!\d)"), "-H1"),
    (re.compile(rf"()6 tháng cuối (?:năm )?{_YEAR}(?!\d)"), "-H2"),
    (re.compile(rf"()9 tháng(?: đầu)?(?:/| ){_YEAR}(?!\d)"), "-9M"),
    (re.compile(r"()năm (\d{4})(?!\d)"), ""),
)
_LABEL = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2]|q[1-4]|h[12]|9m))?")


def period_of(text: str, calendar: str = "") -> ReportingPeriod:
    """The period with exactly the days named; where only its name is told, the one of the layout's `calendar`.

    Days may be written 15/12/2025, 15 tháng 12 năm 2025 or 20251215; names Quý I/2026, Tháng 3/2026, 6 tháng đầu
    năm 2026, 9 tháng 2026, Năm 2026 or 2026-Q1. A name beside the days must be the name of these days. Raises
    FileRefused: PERIOD.
    """
    words = _SPOKEN_DAY.sub(r"\1/\2/\3", fold(text).lstrip("( "))
    named = _label(words)
    days = _days(words)
    if days is not None:
        fitting = [period for period in _spanning(*days) if calendar in ("", period.calendar)]
    elif named and calendar:
        year = int(named[:4])
        fitting = list(periods_of_year(PeriodCalendar(calendar), year)) if year else []
        fitting = [period for period in fitting if period.label == named]
    else:
        raise FileRefused("PERIOD", "không thấy ngày đầu và ngày cuối của kỳ báo cáo / the period's days are not named")
    if not fitting or (named and named != fitting[0].label):
        raise FileRefused(
            "PERIOD", "kỳ báo cáo (từ ngày – đến ngày) không khớp kỳ nào đã quy định / not a known reporting period"
        )
    return fitting[0]


def _label(words: str) -> str | None:
    if _LABEL.fullmatch(words):
        return words.upper()
    for form, suffix in _NAMES:
        if match := form.match(words):
            return match.group(2) + suffix.format(_ROMAN.get(match.group(1), match.group(1)))
    return None


def _days(words: str) -> tuple[date, date] | None:
    """Raises FileRefused when what stands in the place of a day is none."""
    if match := _DAYS.search(words):
        parts = [text.split("/")[::-1] for text in match.groups()]
    elif match := _DAYS_OF_MACHINES.search(words):
        parts = [[text[:4], text[4:6], text[6:]] for text in (text.replace("-", "") for text in match.groups())]
    else:
        return None
    try:
        first, last = (date(*map(int, numbers)) for numbers in parts)
    except ValueError as error:
        raise FileRefused("PERIOD", "ngày của kỳ báo cáo không có thật / no such day") from error
    return first, last


def _spanning(first: date, last: date) -> Iterator[ReportingPeriod]:
    if first.year in (date.min.year, date.max.year):
        return
    for calendar in PeriodCalendar:
        yield from (p for p in periods_containing(calendar, first) if (p.start, p.end) == (first, last))
