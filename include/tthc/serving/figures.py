"""Which published figures answer a question about a unit and a period; what is unknown is refused with a sentence.

Everything is read from schema mart as tthc_analyst, in one snapshot, so that all figures of a page or workbook belong
to one publication.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.domain.period import calendar_named
from tthc.reference.kpis import Metric
from tthc.reference.units import Unit
from tthc.serving import wording
from tthc.settings import Settings
from tthc.warehouse.connect import transaction

NOTHING_PUBLISHED = "no figure is published yet; run `tthc load` first"
DEFAULT_CALENDAR, DEFAULT_BASIS = "VPCP_15_14", "as_reported"
ON_TIME, OVERDUE = ("on_time", "TT01_06A"), ("overdue_open", "TT01_06A")
RECEIVED, RESOLVED, IN_PROGRESS = ("received", "TT01_06A"), ("resolved", "TT01_06A"), ("in_progress", "TT01_06A")
# What a form II.06a tells of a unit without dossiers.
FORM_TELLS = (RECEIVED, RESOLVED, IN_PROGRESS, ON_TIME, OVERDUE, ("online_submission", "*"))
ONLINE, PAYMENT, DIGITISED = ("online_submission", "*"), ("online_payment", "*"), ("digitised_full", "*")

_SQL = Path(__file__).parent / "sql"
_KEPT = re.compile(r"\bmart\.(kpi|kpi_vs_target|form_06a|ranking)\b")  # what a submission keeps rows of


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The publication everything is read from."""

    publication_id: int
    published_at: datetime
    night: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What was handed in for a period, kept as it stood: the publication it was, its cut-off, who was missing."""

    submission_id: int
    version: int
    publication: Publication
    as_of: date
    is_interim: bool
    units_expected: int | None
    units_reported: int | None
    waiver: str | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A reporting period with figures; `as_of` is their cut-off. `submission` None: as published."""

    calendar: str
    kind: str
    label: str
    start: date
    end: date
    as_of: date
    submission: Submission | None = None

    @property
    def key(self) -> str:
        return f"{self.calendar}.{self.label}"

    @property
    def title(self) -> str:
        return wording.period_title(self.kind, self.label, self.start, self.end)

    @property
    def edition(self) -> str:
        """ "; bản chốt số 2, ngày 16/3/2026" of what was handed in; nothing for what is published."""
        if self.submission is None:
            return ""
        interim = " (tạm tính)" if self.submission.is_interim else ""
        return f"; bản chốt số {self.submission.version}{interim}, {wording.moment(self.submission.submitted_at)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric of one unit. `numerator` None: withheld. `denominator` None: a count; 0: nothing occurred.

    Not `is_told`: neither the figure nor what it would be counted from is known. `coverage`: units that have told it,
    of those asked; of a figure that units state themselves.
    """

    numerator: int | None
    denominator: int | None
    flags: tuple[str, ...] = ()
    is_told: bool = True
    coverage: tuple[int, int] | None = None

    @property
    def percent(self) -> str:
        return wording.percent(self.numerator, self.denominator) if self.is_told else wording.NOT_TOLD

    @property
    def above(self) -> str:
        """The numerator for a reader."""
        return wording.count(self.numerator) if self.is_told else wording.NOT_TOLD

    @property
    def below(self) -> str:
        """The denominator for a reader; nothing of a count and of what nobody told."""
        return wording.count(self.denominator) if self.is_told and self.denominator is not None else ""


@dataclass(slots=True)
class UnitFigures:
    """All figures of one unit in one period. A missing one is zero where the unit told of its dossiers, or sent a form
    that would say so; else nobody has told it. Coverage is None where nobody is expected to report."""

    unit_code: str
    unit_name: str
    unit_level: str
    figures: dict[tuple[str, str], Figure]
    status: str | None = None
    units_expected: int | None = None
    units_reported: int | None = None

    def of(self, metric: tuple[str, str], *, is_count: bool = False) -> Figure:
        none = Figure(numerator=0, denominator=None if is_count else 0, is_told=self._tells(metric))
        return self.figures.get(metric, none)

    def stated(self, indicator: str) -> Figure:
        """What units state themselves; without a statement it is not known."""
        return self.figures.get((indicator, "*"), Figure(numerator=0, denominator=0, is_told=False))

    def _tells(self, metric: tuple[str, str]) -> bool:
        flags = [set(figure.flags) for figure in self.figures.values()]
        if any(not each & {"manual_input", "from_summary"} for each in flags):
            return True
        if any("from_summary" in each for each in flags):
            return metric in FORM_TELLS
        return self.units_reported != 0

    def of_metric(self, metric: Metric) -> Figure:
        return self.of((metric.id, metric.profile), is_count=metric.denominator is None)

    @property
    def flags(self) -> list[str]:
        """What is to be said of the unit's figures, whichever of them are not zero; not of what it stated itself."""
        said = {flag for figure in self.figures.values() if "manual_input" not in figure.flags for flag in figure.flags}
        return [flag for flag in wording.FLAGS if flag in said]

    @property
    def coverage(self) -> str:
        if self.units_expected is None:
            return wording.UNKNOWN
        return f"{wording.count(self.units_reported)}/{wording.count(self.units_expected)}"

    @property
    def status_name(self) -> str:
        return wording.STATUSES.get(self.status or "", wording.UNKNOWN)


def statement(name: str, submission: Submission | None = None) -> sa.TextClause:
    """One SQL file of this room; of a submission it reads what was kept in place of what is published."""
    text = (_SQL / f"{name}.sql").read_text(encoding="utf-8")
    if submission is not None:
        kept = rf"(select * from mart.submitted_\1 where submission_id = {submission.submission_id:d}) as \1"  # noqa: S608  (a number)
        text = _KEPT.sub(kept, text)
    return sa.text(text)


@contextmanager
def as_analyst(settings: Settings) -> Iterator[sa.Connection]:
    """A read-only snapshot in the role tthc_analyst. Raises OutsideSystemFailed, Misconfigured before `tthc init`."""
    with transaction(settings) as connection:
        connection.execute(sa.text("set transaction isolation level repeatable read, read only"))
        if connection.execute(sa.text("select to_regclass('mart.publication')")).scalar() is None:
            raise Misconfigured(NOTHING_PUBLISHED)
        connection.execute(sa.text("set local role tthc_analyst"))
        connection.execute(sa.text("set local statement_timeout = '20s'"))
        yield connection


def current_publication(connection: sa.Connection) -> Publication | None:
    """The current publication; None before the first one."""
    row = connection.execute(
        sa.text("select publication_id, published_at, night from mart.publication where is_current")
    ).first()
    return None if row is None else Publication(publication_id=row[0], published_at=row[1], night=row[2])


def periods(connection: sa.Connection, province: str) -> list[Period]:
    """Published periods, the newest first within each calendar; none before the first publication."""
    if current_publication(connection) is None:
        return []
    found = connection.execute(statement("periods"), {"province": province}).mappings()
    return [Period(**row) for row in found]


def newest_closed(published: Sequence[Period]) -> Period | None:
    """The newest quarter of the official calendar that has ended, else the newest period there is."""
    quarters = [p for p in published if p.calendar == DEFAULT_CALENDAR and p.kind == "quarter" and p.as_of == p.end]
    return next(iter(quarters or published), None)


def newest_reported(connection: sa.Connection, published: Sequence[Period]) -> Period | None:
    """The quarter of the official calendar in which the newest report of a unit was due, open or closed; else the
    newest closed one."""
    night: date | None = connection.execute(sa.text("select max(night) from mart.coverage")).scalar()
    of_night = [
        p for p in published
        if p.calendar == DEFAULT_CALENDAR and p.kind == "quarter" and night and p.start <= night <= p.as_of
    ]  # fmt: skip
    return next(iter(of_night), newest_closed(published))


def period_of(published: Sequence[Period], calendar: str, label: str) -> Period:
    """The published period of that label. Raises Misconfigured."""
    calendar_named(calendar)
    labels = [period.label for period in published if period.calendar == calendar]
    if not labels:
        raise Misconfigured(NOTHING_PUBLISHED)
    if label not in labels:
        raise Misconfigured(
            f"no figure is published for period {label!r} in calendar {calendar}; there are {', '.join(sorted(labels))}"
        )
    return next(period for period in published if (period.calendar, period.label) == (calendar, label))


def unit_of(units: Sequence[Unit], code: str, province: str, on: date = date.max) -> Unit:
    """A unit of the province as it was on a day, else its newest span. Raises Misconfigured."""
    found = unit_on(units, code, on)
    if found is None:
        known = [next(u.unit_code for u in reversed(units) if u.level == level) for level in _levels_of(units)]
        raise Misconfigured(f"{code!r} is not a unit of province {province}; codes look like {', '.join(known)}")
    return found


def unit_on(units: Sequence[Unit], code: str, on: date) -> Unit | None:
    """The span of a unit on a day, else its newest; None when there is no such unit."""
    spans = [unit for unit in units if unit.unit_code == code]
    valid = [unit for unit in spans if is_valid(unit, on)]
    return max(valid or spans, key=lambda unit: unit.valid_from or date.min, default=None)


def is_valid(unit: Unit, on: date) -> bool:
    """Whether this span of a unit covers a day."""
    return (unit.valid_from or date.min) <= on <= (unit.valid_to or date.max)


def units_on(units: Sequence[Unit], level: str, on: date) -> list[Unit]:
    """The units of a level that are valid on a day."""
    return [unit for unit in units if unit.level == level and is_valid(unit, on)]


def figures_of(connection: sa.Connection, period: Period, basis: str, codes: Sequence[str]) -> dict[str, UnitFigures]:
    """Unit code → its figures in a period, all fields together; units without any figure are absent."""
    found: dict[str, UnitFigures] = {}
    for row in mappings(connection, "kpis", period, basis, units=list(codes)):
        unit = found.setdefault(
            row["unit_code"],
            UnitFigures(row["unit_code"], row["unit_name"], row["unit_level"], {}),
        )
        unit.figures[row["metric_id"], row["profile"]] = Figure(
            numerator=row["numerator"],
            denominator=row["denominator"],
            flags=tuple(row["flags"]),
            coverage=(row["units_reported"], row["units_expected"]) if "manual_input" in row["flags"] else None,
        )
        if "manual_input" not in row["flags"]:  # who stated one indicator is not who was heard
            unit.status, unit.units_expected = row["status"], row["units_expected"]
            unit.units_reported = row["units_reported"]
    return found


def bands(connection: sa.Connection, period: Period, basis: str, province: str) -> dict[str, str]:
    """Commune → its on-time rate beside the province's: cao hơn tỉnh, ngang tỉnh, thấp hơn tỉnh, ít hồ sơ."""
    rows = mappings(connection, "bands", period, basis, province=province)
    return {row["unit_code"]: row["band"] for row in rows}


def form_rows(connection: sa.Connection, period: Period, basis: str, unit_code: str) -> list[dict[str, Any]]:
    """Rows of form II.06 of a unit, as `mart.form_06a` has them; a withheld field is a row of None."""
    rows = [dict(row) for row in mappings(connection, "form_06a", period, basis, unit=unit_code)]
    for row in mappings(connection, "withheld_fields", period, basis, unit=unit_code):
        name = "Tổng số" if row["field_code"] == "*" else row["field_code"]
        rows.append({"field_code": row["field_code"], "field_name": name, "flags": ["withheld"]})
    return rows


def target_rows(connection: sa.Connection, period: Period, basis: str) -> dict[str, dict[str, Any]]:
    """Target → figure and verdict of `mart.kpi_vs_target`."""
    rows = [dict(row) for row in mappings(connection, "targets", period, basis)]
    if period.submission is None:  # a unit that was heard and has no dossier has none
        heard = set(connection.execute(statement("heard"), {"start": period.start}).scalars())
        for row in rows:
            row["is_zero"] |= row["is_counted"] and not row["speaks"] and row["unit_code"] in heard
    return {row["target_id"]: row for row in rows}


def mappings(connection: sa.Connection, name: str, period: Period, basis: str, **more: Any) -> Sequence[sa.RowMapping]:
    """The rows of one SQL file of this room about a period and a basis."""
    key = {"calendar": period.calendar, "label": period.label, "basis": basis, **more}
    return connection.execute(statement(name, period.submission), key).mappings().all()


def _levels_of(units: Sequence[Unit]) -> list[str]:
    return [level for level in ("commune", "department") if any(unit.level == level for unit in units)]
