"""Cell by cell: what mart shows against what the independent program says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from independent import Rows
from independent_rows import fold
from warehouses import Warehouse

_PLACE = ("period_calendar", "period_kind", "period_label", "unit_code", "basis", "field_code")
_SHARED = ("period_start", "period_end", "as_of", "unit_level", "unit_name", "flags")
_KPI = (
    *_SHARED, "units_expected", "units_reported", "status", "definition_version", "numerator", "denominator", "rate",
)  # fmt: skip
_FORM = (
    *_SHARED, "field_name", "received_total", "received_online", "received_direct", "carried_over", "resolved_total",
    "resolved_early", "resolved_on_time", "resolved_late", "in_progress_total", "in_progress_in_time",
    "in_progress_overdue", "withdrawn", "stopped",
)  # fmt: skip
_fold = cache(fold)
_WORDS = {*_SHARED, "units_expected", "units_reported", "status", "definition_version", "field_name"}


def _read(warehouse: Warehouse, view: str, key: tuple[str, ...], cells: tuple[str, ...]) -> dict[Any, tuple[Any, ...]]:
    """The rows of a view by their key, fields folded; rows of zeros, which need not exist, are left out."""
    found: dict[Any, tuple[Any, ...]] = {}
    names = (*key, *cells)
    flags = names.index("flags")
    numbers = [column for column, name in enumerate(names) if name not in {*key, *_WORDS}]
    folded = [column for column, name in enumerate(names) if name in ("field_code", "field_name")]
    for told in warehouse.rows(f"select {', '.join(names)} from mart.{view}"):
        if any(told[column] for column in numbers):
            row = list(told)
            row[flags].sort()
            for column in folded:
                row[column] = _fold(row[column])
            place = tuple(row[: len(key)])
            assert place not in found, f"{view} {place} stands twice"
            found[place] = tuple(row[len(key) :])
    return found


_OF_NO_DOSSIER = {"units_expected", "units_reported", "status"}  # of the period and unit, whatever a dossier is


def differences(
    warehouse: Warehouse, expected: tuple[Rows, Rows], *, coverage: bool = True
) -> Iterator[tuple[str, str]]:
    """Field (folded) and a line, for each cell that differs and each row that only one side has.

    `coverage`: whether the units that have reported, and the status that rests on them, are compared as well.
    """
    views = (
        (
            "kpi",
            (*_PLACE, "metric_id", "profile"),
            _KPI if coverage else tuple(c for c in _KPI if c not in _OF_NO_DOSSIER),
            expected[0],
        ),
        ("form_06a", _PLACE, _FORM, expected[1]),
    )
    for view, key, cells, ours in views:
        seen = _read(warehouse, view, key, cells)
        assert seen, f"mart.{view} holds no figure"
        for place in seen.keys() | ours.keys():
            if place not in seen or place not in ours:
                yield place[5], f"{view} {place}: {'missing' if place not in seen else 'not expected'}"
                continue
            told = tuple(ours[place][cell] for cell in cells)
            for cell, one, other in zip(cells, seen[place], told, strict=True) if seen[place] != told else ():
                if one != other:
                    yield place[5], f"{view} {place} {cell}: {one}, expected {other}"


def compare(warehouse: Warehouse, expected: tuple[Rows, Rows]) -> None:
    """Fail with the first cells that differ."""
    found = [line for _, line in differences(warehouse, expected)]
    assert not found, f"{len(found)} cells differ\n" + "\n".join(found[:20])
