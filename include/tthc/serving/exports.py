"""What goes into a form or scorecard: the questions asked of mart and of the registries for a unit and a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.reference.kpis import Metric, edition, read_metrics, valid_on
from tthc.reference.layouts import SUMMARIES, read_layouts
from tthc.reference.lists import Target, read_targets
from tthc.reference.manual import Indicator, read_indicators
from tthc.reference.units import Succession, Unit, read_places, read_successions
from tthc.serving import figures, form_06a, scorecard
from tthc.serving.assessment import assess
from tthc.serving.differences import differing_cells
from tthc.serving.figures import DEFAULT_BASIS, Period, Publication
from tthc.serving.members import figures_of_unit, members_of
from tthc.serving.submissions import handed_in
from tthc.serving.workbooks import checked_target
from tthc.settings import Settings


class Writer(Protocol):
    """Writes one workbook about a unit and a period; returns False when a figure in it is withheld."""

    def __call__(
        self, connection: sa.Connection, registry: Registry, target: Path | BytesIO, *, unit: Unit, period: Period
    ) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The reference files serving reads: units of the province, every version of every metric, targets,
    titles of reports by layout, indicators that units state themselves, what became of units."""

    province: str
    units: Sequence[Unit]
    metrics: Sequence[Metric]
    targets: Sequence[Target]
    reports: Mapping[str, str]
    indicators: Sequence[Indicator]
    successions: Sequence[Succession]

    def stated_by(self, level: str) -> list[Indicator]:
        """Indicators that a unit of a level states itself, or sums up."""
        return [one for one in self.indicators if level in one.levels or (level == "province" and one.summed)]


def read_registry(settings: Settings) -> Registry:
    """Read once, used for many questions. Raises ReferenceFault."""
    return Registry(
        province=settings.province,
        units=read_places(settings).units,
        metrics=read_metrics(settings),
        targets=read_targets(settings),
        reports={layout.id: layout.title for layout in read_layouts(settings).values() if layout.feed in SUMMARIES},
        indicators=list(read_indicators(settings).values()),
        successions=read_successions(settings),
    )


def publication_of(connection: sa.Connection, period: Period | None = None) -> Publication:
    """The publication whose figures are shown: of what was handed in, else the current one. Raises Misconfigured when
    there is none."""
    if period is not None and period.submission is not None:
        return period.submission.publication
    publication = figures.current_publication(connection)
    if publication is None:
        raise Misconfigured(figures.NOTHING_PUBLISHED)
    return publication


def file_name(kind: str, unit: Unit, period: Period) -> str:
    """form-06a_42_VPCP_15_14_2026-Q1.xlsx."""
    return f"{kind}_{unit.unit_code}_{period.calendar}_{period.label}.xlsx"


def export(
    settings: Settings,
    write: Writer,
    *,
    unit: str,
    calendar: str,
    label: str,
    out: Path,
    submitted: int | None = None,
) -> bool:
    """One workbook as asked for on a command line; False when a figure in it is withheld. `submitted`: of that version
    of what was handed in, 0 of the newest. Raises Misconfigured."""
    target = checked_target(out)
    registry = read_registry(settings)
    with figures.as_analyst(settings) as connection:
        period = figures.period_of(figures.periods(connection, registry.province), calendar, label)
        place = figures.unit_of(registry.units, unit, registry.province, on=period.as_of)
        if submitted is not None:
            kept = handed_in(connection, period, place, registry.province, submitted or None)
            period = replace(period, as_of=kept.as_of, submission=kept)
        return write(connection, registry, target, unit=place, period=period)


def export_province(settings: Settings) -> list[Path]:
    """Form and scorecard of the province for its newest closed quarter; none before the first publication."""
    registry = read_registry(settings)
    place = figures.unit_of(registry.units, registry.province, registry.province)
    with figures.as_analyst(settings) as connection:
        period = figures.newest_closed(figures.periods(connection, registry.province))
        if period is None:
            return []
        written = []
        for kind, write in WRITERS.items():
            written.append(settings.out / file_name(kind, place, period))
            write(connection, registry, written[-1], unit=place, period=period)
    return written


def write_form(
    connection: sa.Connection, registry: Registry, target: Path | BytesIO, *, unit: Unit, period: Period
) -> bool:
    """Form II.06 of a unit; returns False when a figure of it is withheld."""
    rows = figures.form_rows(connection, period, DEFAULT_BASIS, unit.unit_code)
    form_06a.write(
        target,
        unit=figures_of_unit(connection, period, DEFAULT_BASIS, unit),
        period=period,
        publication=publication_of(connection, period),
        rows=rows,
        differing=0 if period.submission else len(differing_cells(connection, period, unit.unit_code)),
    )
    return not any("withheld" in row["flags"] for row in rows)


def write_scorecard(
    connection: sa.Connection, registry: Registry, target: Path | BytesIO, *, unit: Unit, period: Period
) -> bool:
    """The scorecard of a unit, with its communes and departments for a province; False when a figure is withheld."""
    own = figures_of_unit(connection, period, DEFAULT_BASIS, unit)
    members = members_of(connection, registry.units, period, DEFAULT_BASIS) if unit.level == "province" else []
    codes = {one.unit_code for one in members} | {unit.unit_code}
    metrics = valid_on(registry.metrics, period.end)
    rows = figures.target_rows(connection, period, DEFAULT_BASIS)
    scorecard.write(
        target,
        scorecard.Scorecard(
            unit=own,
            period=period,
            publication=publication_of(connection, period),
            definitions=edition(metrics),
            metrics=metrics,
            targets=assess([t for t in registry.targets if t.unit_code in codes], rows, period),
            members=members,
            bands=figures.bands(connection, period, DEFAULT_BASIS, registry.province) if members else {},
            indicators=registry.stated_by(unit.level),
        ),
    )
    return not any(figure.numerator is None for one in (own, *members) for figure in one.figures.values())


WRITERS: dict[str, Writer] = {"form-06a": write_form, "scorecard": write_scorecard}
