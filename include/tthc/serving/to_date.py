"""A running period beside as many days of the one before and of last year: what an overview shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from tthc.serving import wording
from tthc.serving.figures import OVERDUE, Figure, Period, mappings

SIDES = {"": "Kỳ này", "previous_": "Kỳ trước", "last_year_": "Cùng kỳ năm trước"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A period as far as it is counted. `label` None: there is no such period. `notes`: flags of its figures in words,
    and why a difference cannot be told."""

    title: str
    label: str | None
    start: date | None
    until: date | None
    notes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A metric (id, profile): its figure of each side, and what this period has more than the other sides: percentage
    points, of counts and of what is overdue a number; "" where that cannot be told."""

    metric: tuple[str, str]
    figures: Sequence[Figure]
    more: Sequence[str]


def figures_to_date(
    connection: sa.Connection, period: Period, basis: str, unit_code: str
) -> tuple[Sequence[Side], Sequence[Line]]:
    """What `mart.kpi_to_date` tells of the main figures: the sides in the order of SIDES, and a line a metric."""
    rows = mappings(connection, "to_date", period, basis, unit=unit_code, kind=period.kind)
    return [_side(rows, name) for name in SIDES], [_line(row) for row in rows]


def _side(rows: Sequence[sa.RowMapping], name: str) -> Side:
    first = rows[0]
    flags = {flag for row in rows for flag in row[f"{name}flags"] or ()}
    remarks = dict.fromkeys(row[f"{name}remark"] for row in rows if name and row[f"{name}remark"])
    return Side(
        title=SIDES[name],
        label=wording.period_name(first["period_kind"], first[f"{name or 'period_'}label"])
        if first[f"{name or 'period_'}label"]
        else None,
        start=first[f"{name or 'period_'}start"],
        until=first[f"{name}as_of"],
        notes=[wording.flags([flag]) for flag in wording.FLAGS if flag in flags]
        + [f"không tính chênh lệch: {remark}" for remark in remarks],
    )


def _line(row: sa.RowMapping) -> Line:
    return Line(
        metric=(row["metric_id"], row["profile"]),
        figures=[
            Figure(
                numerator=row[f"{name}numerator"],
                denominator=row[f"{name}denominator"],
                is_told=row[f"{name}numerator"] is not None,
            )
            for name in SIDES
        ],
        more=[_more(row, name) for name in SIDES if name],
    )


def _more(row: sa.RowMapping, name: str) -> str:
    if not row[f"{name}comparable"]:
        return ""
    if row["denominator"] is None or (row["metric_id"], row["profile"]) == OVERDUE:
        return wording.signed(row["numerator"] - row[f"{name}numerator"])
    points: Decimal | None = row[f"{name}points"]
    return "" if points is None else wording.signed_points(points)
