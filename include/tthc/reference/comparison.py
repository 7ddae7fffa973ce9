"""From how many dossiers on units are ranked, and which counts are too small to leave the department
(`comparison.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`ranking_minimum`: the least denominator of a ranked unit. `smallest_cell`: the least count told outside."""

    ranking_minimum: int
    smallest_cell: int


def read_comparison(settings: Settings) -> Comparison:
    """The settings in force; the overlay's replace shipped ones one by one. Raises ReferenceFault."""
    tables: dict[str, dict[str, Any]] = {"ranking": {}, "small_cells": {}}
    for directory in directories(settings):
        path = directory / "comparison.toml"
        for name, table in (read_toml(path) if path.exists() else {}).items():
            if name not in tables or not isinstance(table, dict):
                raise ReferenceFault(f"{path}: [{name}] is no table of this file")
            tables[name] |= table
    minimum, smallest = tables["ranking"].pop("minimum", None), tables["small_cells"].pop("smallest", None)
    if any(tables.values()) or not _is_count(minimum) or not _is_count(smallest):
        raise ReferenceFault(
            f"comparison.toml needs [ranking] minimum and [small_cells] smallest, from 1 to {_LARGEST}, and no more"
        )
    return Comparison(ranking_minimum=minimum, smallest_cell=smallest)


def _is_count(told: object) -> bool:
    return type(told) is int and 1 <= told <= _LARGEST
