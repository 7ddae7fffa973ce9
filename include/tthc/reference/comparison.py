"""From how many dossiers on communes are ranked (`comparison.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`ranking_minimum`: the least denominator of a ranked commune."""

    ranking_minimum: int


def read_comparison(settings: Settings) -> Comparison:
    """The settings in force; the overlay's replace shipped ones one by one. Raises ReferenceFault."""
    tables: dict[str, dict[str, Any]] = {"ranking": {}}
    for directory in directories(settings):
        path = directory / "comparison.toml"
        for name, table in (read_toml(path) if path.exists() else {}).items():
            if name not in tables or not isinstance(table, dict):
                raise ReferenceFault(f"{path}: [{name}] is no table of this file")
            tables[name] |= table
    minimum = tables["ranking"].pop("minimum", None)
    if any(tables.values()) or type(minimum) is not int or not 1 <= minimum <= _LARGEST:
        raise ReferenceFault(f"comparison.toml needs [ranking] minimum, from 1 to {_LARGEST}, and no more")
    return Comparison(ranking_minimum=minimum)
