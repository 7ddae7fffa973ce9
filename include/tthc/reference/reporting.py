"""Who is expected to report and by when, and how long an owner has to repair refused rows (`reporting.toml`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings

GROUPS = ("named", "communes", "departments")
TURNS = ("night", "month", "quarter", "half", "nine_months", "year", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one source owes: of which units (a group, or the listed codes), how often, in how many working days."""

    source_id: str
    units: str
    unit_codes: tuple[str, ...]
    every: str
    working_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """`coverage_floor`: the share 0–1 of expected units below which a figure stays provisional."""

    repair_working_days: int
    coverage_floor: float
    expected: tuple[Expected, ...]


def read_reporting(settings: Settings, sources: Iterable[str]) -> Reporting:
    """The rules in force for these sources; the overlay's settings replace shipped ones one by one.

    Raises ReferenceFault for an unknown setting or source.
    """
    known = list(sources)
    tables: dict[str, dict[str, Any]] = {"repair": {}, "coverage": {}}
    told: dict[str, dict[str, Any]] = {}
    for directory in directories(settings):
        path = directory / "reporting.toml"
        for name, table in (read_toml(path) if path.exists() else {}).items():
            if name == "expected":
                for source, rule in table.items():
                    told[source] = told.get(source, {}) | rule
            elif name in tables:
                tables[name] |= table
            else:
                raise ReferenceFault(f"{path}: [{name}] is no table of this file")
    strange = set(told) - {"*", *known}
    if strange:
        raise ReferenceFault(f"reporting.toml: {sorted(strange)} is no source of sources.toml")
    days, floor = tables["repair"].pop("working_days", None), tables["coverage"].pop("floor", None)
    if any(tables.values()) or not _days(days) or not isinstance(floor, int | float) or not 0 <= floor <= 1:
        raise ReferenceFault(
            "reporting.toml needs [repair] working_days, from 0 to 60, and [coverage] floor, from 0 to 1, and no more"
        )
    rules = [_expected(source, told.get("*", {}) | told.get(source, {})) for source in known]
    return Reporting(repair_working_days=days, coverage_floor=float(floor), expected=tuple(rules))


def _days(days: object) -> bool:
    return type(days) is int and 0 <= days <= 60


def _expected(source_id: str, raw: dict[str, Any]) -> Expected:
    units, every, days = raw.get("units", "named"), raw.get("every"), raw.get("working_days", 1)
    listed = isinstance(units, list) and all(isinstance(code, str) for code in units)
    unknown = set(raw) - {"units", "every", "working_days"}
    if unknown or every not in TURNS or not _days(days) or not (listed or units in GROUPS):
        raise ReferenceFault(
            f"reporting.toml, expected.{source_id}: units must be one of {GROUPS} or a list of codes, every one of "
            f"{TURNS}, working_days from 0 to 60; unknown settings: {sorted(unknown)}"
        )
    return Expected(
        source_id=source_id,
        units="listed" if listed else units,
        unit_codes=tuple(units) if listed else (),
        every=every,
        working_days=days,
    )
