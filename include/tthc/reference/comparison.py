"""From how many dossiers on communes are ranked, and counts may leave the department (`comparison.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings

_LEAST = {"ranking": 1, "public": 2}  # a public minimum of 1 would hide nothing
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`ranking_minimum`: the least denominator of a ranked commune. `public_minimum`: the least count but 0 that leaves
    the department."""

    ranking_minimum: int
    public_minimum: int


def read_comparison(settings: Settings) -> Comparison:
    """The settings in force; the overlay's replace shipped ones one by one. Raises ReferenceFault."""
    tables: dict[str, dict[str, Any]] = {name: {} for name in _LEAST}
    for directory in directories(settings):
        path = directory / "comparison.toml"
        for name, table in (read_toml(path) if path.exists() else {}).items():
            if name not in tables or not isinstance(table, dict):
                raise ReferenceFault(f"{path}: [{name}] is no table of this file")
            tables[name] |= table
    minimum: dict[str, int] = {}
    for name, least in _LEAST.items():
        value = tables[name].pop("minimum", None)
        if tables[name] or type(value) is not int or not least <= value <= _LARGEST:
            raise ReferenceFault(f"comparison.toml needs [{name}] minimum, from {least} to {_LARGEST}, and no more")
        minimum[name] = value
    return Comparison(ranking_minimum=minimum["ranking"], public_minimum=minimum["public"])
