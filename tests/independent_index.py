"""Computes mart.index_766 and its totals from the figures of `independent.py`: "Index 766" of docs/definitions.md, read once more."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from independent_rows import REFERENCE

Rows = dict[tuple[str, ...], dict[str, Any]]
_GUESSED = {"from_summary", "manual_input"}  # there a figure without a row is not known; of dossiers it is 0


def _file(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _thousandths(points: Fraction) -> Decimal:
    return (Decimal(points.numerator) / points.denominator).quantize(Decimal("0.001"), ROUND_HALF_UP)


def _component(row: Mapping[str, str], figure: Mapping[str, Any] | None, level: str, is_zero: bool) -> dict[str, Any]:
    """One component; `is_zero`: a figure that has no row is 0 over 0."""
    full = Fraction(row["max_points"])
    pair = (figure["numerator"], figure["denominator"]) if figure else (0, 0) if is_zero else (None, None)
    points: Fraction | None = None
    if level in row["not_for"].split():
        state, points = "not_applicable", full
    elif pair[0] is None:
        state = "missing"
    elif pair[1] == 0:
        state, points = "nothing", Fraction(row["points_at_zero"]) if row["points_at_zero"] else None
    else:
        state, points = "told", min(full, full * Fraction(*pair) / Fraction(row["full_at"]))
    return {
        "metric_id": row["metric_id"], "profile": row["profile"], "numerator": pair[0], "denominator": pair[1], "points": None if points is None else _thousandths(points),
        "max_points": _thousandths(full), "missing": state == "missing", "state": state,
        "units_expected": figure and figure["units_expected"], "units_reported": figure and figure["units_reported"],
    }  # fmt: skip


def index(kpi: Rows) -> tuple[Rows, Rows]:
    """The rows of mart.index_766 and of mart.index_766_total: of every unit and period that has a figure as reported."""
    told: dict[tuple[str, ...], dict[tuple[str, str], Mapping[str, Any]]] = {}
    for (*period, unit, basis, name, metric, profile), figure in kpi.items():
        if (basis, name) == ("as_reported", "*"):
            told.setdefault((*period, unit), {})[metric, profile] = figure
    stated = {row["indicator"] for row in _file("manual_indicators.csv")}
    components, bands = _file("index_766.csv"), _file("index_766_bands.csv")
    rows, totals = Rows(), Rows()
    for place, figures in told.items():
        of_dossiers = any(not _GUESSED & set(figure["flags"]) for figure in figures.values())
        level = next(iter(figures.values()))["unit_level"]
        groups: dict[str, list[dict[str, Any]]] = {"*": []}
        for row in components:
            metric = row["metric_id"], row["profile"]
            one = _component(row, figures.get(metric), level, of_dossiers and metric[0] not in stated)
            rows[*place, row["group_code"], row["component_id"]] = one
            groups.setdefault(row["group_code"], []).append(one)
            groups["*"].append(one)
        for group, members in groups.items():
            totals[*place, group] = _total(members, bands if group == "*" else [])
    return rows, totals


def _total(members: list[dict[str, Any]], bands: list[dict[str, str]]) -> dict[str, Any]:
    told = [one for one in members if one["points"] is not None]
    missing = sum(one["missing"] for one in members)
    points, most = sum(one["points"] for one in told), sum(one["max_points"] for one in told)
    reached = ((Decimal(band["from_share"]), band["band"]) for band in bands)
    return {
        "points": points, "max_points_told": most, "max_points": sum(one["max_points"] for one in members),
        "components_told": len(told), "components_missing": missing,
        "band": max((pair for pair in reached if points >= pair[0] * most), default=(0, None))[1]
        if most and not missing else None,
    }  # fmt: skip
