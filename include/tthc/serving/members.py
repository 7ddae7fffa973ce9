"""The figures of a unit even where it has none: zero if it was heard from, else not told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from tthc.reference.units import Unit
from tthc.serving.figures import Period, Submission, UnitFigures, figures_of, is_valid, statement, units_on


def figures_of_unit(connection: sa.Connection, period: Period, basis: str, unit: Unit) -> UnitFigures:
    """The figures of one unit in a period."""
    found = figures_of(connection, period, basis, [unit.unit_code])
    mine = found.get(unit.unit_code)
    if mine is not None and mine.status is not None:
        return mine
    (silent,) = _without_figures(connection, period, [unit])
    return silent if mine is None else replace(silent, figures=mine.figures)


def members_of(connection: sa.Connection, units: Sequence[Unit], period: Period, basis: str) -> list[UnitFigures]:
    """Communes and departments: those valid at the period's cut-off and those with figures in it."""
    found = figures_of(connection, period, basis, [unit.unit_code for unit in units if unit.level != "province"])
    valid = [unit for level in ("commune", "department") for unit in units_on(units, level, period.as_of)]
    heard_of = {code for code, one in found.items() if one.status is not None}
    stated = {code: one.figures for code, one in found.items() if code not in heard_of}
    silent = [unit for unit in valid if unit.unit_code not in heard_of]
    others = [
        replace(one, figures=stated.get(one.unit_code, {})) for one in _without_figures(connection, period, silent)
    ]
    return [*(found[code] for code in found if code in heard_of), *others]


def _without_figures(connection: sa.Connection, period: Period, units: Sequence[Unit]) -> list[UnitFigures]:
    if not units:
        return []
    if period.submission is not None:  # a submission knows whom it missed by number only
        return [_handed_in(unit, period.submission) for unit in units]
    heard = set(connection.execute(statement("heard"), {"start": period.start}).scalars())
    return [_zero(unit, period, unit.unit_code in heard) for unit in units]


def _handed_in(unit: Unit, submission: Submission) -> UnitFigures:
    zero = UnitFigures(unit.unit_code, unit.full_name, unit.level, {})
    zero.status = "interim" if submission.is_interim else None
    return zero


def _zero(unit: Unit, period: Period, was_heard: bool) -> UnitFigures:
    zero = UnitFigures(unit.unit_code, unit.full_name, unit.level, {})
    if unit.level != "province" and is_valid(unit, period.as_of):  # nobody expects a unit that does not exist
        zero.units_expected, zero.units_reported = 1, int(was_heard)
        zero.status = "interim" if period.as_of < period.end else "final" if was_heard else "provisional"
    return zero
