"""Reporting periods (kỳ báo cáo) of both calendars: which day belongs to which period, and where it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tthc.domain.errors import Misconfigured

_YEARS = (1900, 2100)  # what a typed label may name


class PeriodCalendar(StrEnum):
    """Periodic reports run from the 15th to the 14th (NĐ 09/2019/NĐ-CP Điều 12); index 766 by calendar months."""

    VPCP_15_14 = "VPCP_15_14"
    CALENDAR = "CALENDAR"


class PeriodKind(StrEnum):
    MONTH = "month"  # tháng
    QUARTER = "quarter"  # quý
    HALF = "half"  # 6 tháng
    NINE_MONTHS = "nine_months"  # 9 tháng
    YEAR = "year"  # năm


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingPeriod:
    """A period with its first and last day, both included."""

    calendar: PeriodCalendar
    kind: PeriodKind
    label: str
    start: date
    end: date
    last_month: int  # year * 12 + month - 1 of the last reporting month: stocks are taken there

    def cut_off(self, night: date) -> date:
        """The earlier of the period's end and the night the figure is published for."""
        return min(self.end, night)


# kind → (first month, last month, label suffix) of every period of a year
_SPANS: dict[PeriodKind, list[tuple[int, int, str]]] = {
    PeriodKind.MONTH: [(m, m, f"-{m:02d}") for m in range(1, 13)],
    PeriodKind.QUARTER: [(3 * q - 2, 3 * q, f"-Q{q}") for q in range(1, 5)],
    PeriodKind.HALF: [(1, 6, "-H1"), (7, 12, "-H2")],
    PeriodKind.NINE_MONTHS: [(1, 9, "-9M")],
    PeriodKind.YEAR: [(1, 12, "")],
}


def _opens(calendar: PeriodCalendar, year: int, month: int) -> date:
    if calendar is PeriodCalendar.CALENDAR:
        return date(year, month, 1)
    return date(year - 1, 12, 15) if month == 1 else date(year, month - 1, 15)


def periods_of_year(calendar: PeriodCalendar, year: int) -> Iterator[ReportingPeriod]:
    """Every period of one reporting year: 12 months, 4 quarters, 2 halves, nine months, the year."""
    for kind, spans in _SPANS.items():
        for first, last, suffix in spans:
            following = (year, last + 1) if last < 12 else (year + 1, 1)
            yield ReportingPeriod(
                calendar=calendar,
                kind=kind,
                label=f"{year}{suffix}",
                start=_opens(calendar, year, first),
                end=_opens(calendar, *following) - timedelta(days=1),
                last_month=year * 12 + last - 1,
            )


def periods_between(first_year: int, last_year: int) -> list[ReportingPeriod]:
    """Every period of both calendars whose reporting year lies between the two, both included."""
    return [
        period
        for calendar in PeriodCalendar
        for year in range(first_year, last_year + 1)
        for period in periods_of_year(calendar, year)
    ]


def periods_containing(calendar: PeriodCalendar, day: date) -> list[ReportingPeriod]:
    """The periods of one calendar in which a day lies (4 or 5 of them: the last quarter has no nine months)."""
    return [
        period
        for year in (day.year, day.year + 1)
        for period in periods_of_year(calendar, year)
        if period.start <= day <= period.end
    ]


def last_closed(calendar: PeriodCalendar, kind: PeriodKind, night: date) -> ReportingPeriod:
    """The newest period of a calendar and kind that had ended before a night."""
    years = (night.year - 1, night.year, night.year + 1)
    ended = [period for year in years for period in periods_of_year(calendar, year) if period.end < night]
    return max((period for period in ended if period.kind == kind), key=lambda period: period.end)


def calendar_named(name: str) -> PeriodCalendar:
    """The calendar as typed by a person. Raises Misconfigured."""
    if name not in set(PeriodCalendar):
        raise Misconfigured(f"calendar {name!r} is not known; choose one of {', '.join(PeriodCalendar)}")
    return PeriodCalendar(name)


def period_labelled(calendar: str, label: str) -> ReportingPeriod:
    """The period as typed by a person. Raises Misconfigured."""
    chosen = calendar_named(calendar)
    year = int(label[:4]) if label[:4].isascii() and label[:4].isdecimal() else 0
    known = periods_of_year(chosen, year) if _YEARS[0] <= year <= _YEARS[1] else ()
    found = [one for one in known if one.label == label]
    if not found:
        raise Misconfigured(f"{label!r} is no period; labels look like 2026-03, 2026-Q1, 2026-H1, 2026-9M, 2026")
    return found[0]
