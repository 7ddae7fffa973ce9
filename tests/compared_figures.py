"""Cell by cell: what mart shows against what the independent program says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from independent_index import Rows
from independent_rows import fold
from warehouses import Warehouse

_PLACE = ("period_calendar", "period_kind", "period_label", "unit_code", "basis", "field_code")
_SHARED = ("period_start", "period_end", "as_of", "unit_level", "unit_name", "flags")
_INDEX = (*_PLACE[:4], "group_code")
# Every view that is compared: what a row is found by, and its cells.
VIEWS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "kpi": (
        (*_PLACE, "metric_id", "profile"),
        (
            *_SHARED, "units_expected", "units_reported", "status", "definition_version", "numerator", "denominator",
            "rate",
        ),
    ),
    "form_06a": (
        _PLACE,
        (
            *_SHARED, "field_name", "received_total", "received_online", "received_direct", "carried_over",
            "resolved_total", "resolved_early", "resolved_on_time", "resolved_late", "in_progress_total",
            "in_progress_in_time", "in_progress_overdue", "withdrawn", "stopped",
        ),
    ),
    "index_766": (
        (*_INDEX, "component_id"),
        ("metric_id", "profile", "numerator", "denominator", "points", "max_points", "missing", "state", "units_expected", "units_reported"),
    ),
    "index_766_total": (
        _INDEX,
        ("points", "max_points_told", "max_points", "components_told", "components_missing", "band"),
    ),
}  # fmt: skip
# Columns of these views that are not compared. A publication is numbered by how often its warehouse has published.
NOT_COMPARED = frozenset({"publication_id"})
_fold = cache(fold)
_WORDS = {
    *_SHARED,
    "units_expected",
    "units_reported",
    "status",
    "definition_version",
    "field_name",
    "metric_id",
    "profile",
}


def _read(warehouse: Warehouse, view: str, version: int | None) -> dict[Any, tuple[Any, ...]]:
    """The rows of a view by their key, fields folded; rows of zeros, which need not exist, are left out, but for what
    units stated themselves: there 0 over 0 is a word. `version`: of what was handed in, else what is published."""
    key, cells = VIEWS[view]
    found: dict[Any, tuple[Any, ...]] = {}
    names = (*key, *cells)
    flags = names.index("flags") if "flags" in names else None
    numbers = [column for column, name in enumerate(names) if name not in {*key, *_WORDS}]
    folded = [column for column, name in enumerate(names) if name in ("field_code", "field_name")]
    source = f"mart.{view}" if version is None else f"mart.submitted_{view} where version = {version}"
    for told in warehouse.rows(f"select {', '.join(names)} from {source}"):
        if any(told[column] for column in numbers) or (flags is not None and "manual_input" in told[flags]):
            row = list(told)
            if flags is not None:
                row[flags].sort()
            for column in folded:
                row[column] = _fold(row[column])
            place = tuple(row[: len(key)])
            assert place not in found, f"{view} {place} stands twice"
            found[place] = tuple(row[len(key) :])
    return found


def differences(warehouse: Warehouse, expected: Mapping[str, Rows], version: int | None = None) -> Iterator[str]:
    """A line for each cell that differs and each row that only one side has, in the views that are expected."""
    for view, ours in expected.items():
        seen, cells = _read(warehouse, view, version), VIEWS[view][1]
        assert seen, f"mart.{view} holds no figure"
        for place in seen.keys() | ours.keys():
            if place not in seen or place not in ours:
                yield f"{view} {place}: {'missing' if place not in seen else 'not expected'}"
                continue
            told = tuple(ours[place][cell] for cell in cells)
            for cell, one, other in zip(cells, seen[place], told, strict=True) if seen[place] != told else ():
                if one != other:
                    yield f"{view} {place} {cell}: {one}, expected {other}"


def count_of_cells(expected: Mapping[str, Rows]) -> int:
    return sum(len(rows) * len(VIEWS[view][1]) for view, rows in expected.items())


def compare(warehouse: Warehouse, expected: Mapping[str, Rows], version: int | None = None) -> None:
    """Fail with the first cells that differ."""
    found = list(differences(warehouse, expected, version))
    assert not found, f"{len(found)} cells differ\n" + "\n".join(found[:20])


def fingerprint(warehouse: Warehouse) -> dict[str, str]:
    """What is shown and what is stored for it, each as one number, but for the numbers of publications."""
    lines = {
        view: f"select row({', '.join((*key, *cells))})::text as line from mart.{view}"
        for view, (key, cells) in VIEWS.items()
    }
    lines["kpi_public"] = "select (to_jsonb(told) - 'publication_id')::text as line from mart.kpi_public as told"
    lines["flow_day"] = "select told::text as line from mart.flow_day as told"
    lines |= {
        name: f"select told::text as line from rollup.{name} as told" for name in ("counter", "manual", "coverage")
    }
    numbers = (
        f"""(select md5(string_agg(line, '|' order by line collate "C")) from ({text}) as told) as {name}"""
        for name, text in lines.items()
    )
    return warehouse.query(f"select {', '.join(numbers)}")[0]
