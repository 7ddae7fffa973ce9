"""Which units of a province file exports, under which names, how busy and how good they are."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from tthc.reference.units import Places, Span, Unit, read_places
from tthc.settings import Settings

_NAMES = (
    "UBND {kind} {name}",
    "Ủy ban nhân dân {kind} {name}",
    "Trung tâm Phục vụ hành chính công {kind} {name}",
    "{Kind} {name}",
    "{name}",
)
_DEPARTMENTS_SHARE = 0.12  # of all dossiers of a province; assumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A unit at its one-stop desk. Shares are 0–1; `days_only`: its system keeps no time of day."""

    unit_code: str
    level: str
    prefix: str  # of its dossier codes
    names: tuple[tuple[Span, str], ...]
    weight: float
    late_share: float
    online_share: float
    paid_online_share: float
    digitised_share: float
    days_only: bool

    def open_on(self, day: date) -> bool:
        return any(span.covers(day) for span, _ in self.names)

    def name_on(self, day: date) -> str:
        """How the unit calls itself on a day; before or after its time, by the nearest name it has."""
        return next((name for span, name in self.names if span.covers(day)), self.names[-1][1])


def read_offices(settings: Settings, province: str, rng: Random, first: date, last: date) -> list[Office]:
    """The communes and departments of a province with a day of validity between two days, by code."""
    places = read_places(replace(settings, province=province))
    spans: dict[str, list[Unit]] = defaultdict(list)
    for unit in places.units:
        begins, ends = max(unit.valid_from or first, first), min(unit.valid_to or last, last)
        if unit.level != "province" and begins <= ends:
            spans[unit.unit_code].append(unit)
    offices = []
    for number, unit_code in enumerate(sorted(spans), start=1):
        units = sorted(spans[unit_code], key=lambda unit: unit.valid_from or date.min)
        pattern = rng.choices(_NAMES, weights=(5, 2, 2, 2, 1))[0]
        quality = rng.betavariate(6, 2)  # most are good, a few are not
        offices.append(
            Office(
                unit_code=unit_code,
                level=units[-1].level,
                prefix=_prefix(places, province, number),
                names=tuple(
                    (Span(unit_code, unit.valid_from, unit.valid_to), _name(places, unit, pattern, first, last))
                    for unit in units
                ),
                weight=rng.lognormvariate(0, 0.55) * (1.6 if units[-1].kind == "phường" else 1.0),
                late_share=0.005 + 0.14 * (1 - quality) ** 2 + 0.02 * rng.random(),
                online_share=min(0.99, 0.6 + 0.45 * quality),
                paid_online_share=min(0.97, 0.3 + 0.75 * quality),
                digitised_share=min(0.99, 0.55 + 0.5 * quality),
                days_only=rng.random() < 0.25,
            )
        )
    return _with_shares(offices)


def _with_shares(offices: list[Office]) -> list[Office]:
    """Weights so scaled that departments together receive their share of the province's dossiers."""
    total = {level: sum(o.weight for o in offices if o.level == level) for level in ("commune", "department")}
    if not total["department"] or not total["commune"]:
        return offices
    share = {"commune": 1 - _DEPARTMENTS_SHARE, "department": _DEPARTMENTS_SHARE}
    return [replace(o, weight=o.weight * share[o.level] / total[o.level]) for o in offices]


def _prefix(places: Places, province: str, number: int) -> str:
    """A code in the form of an agency's, `H42.15`, that no agency of the reference files has."""
    while places.spans_of_alias(f"H{province}.{number}"):
        number += 1000
    return f"H{province}.{number}"


def _name(places: Places, unit: Unit, pattern: str, first: date, last: date) -> str:
    """The unit's name in a pattern if that names it and nothing else, else a plainer one, else its code."""
    on = max(unit.valid_from or first, first), min(unit.valid_to or last, last)
    plain = "{name}" if unit.level == "department" else "{Kind} {name}"
    for chosen in (plain,) if unit.level == "department" else (pattern, plain):
        kind = unit.kind
        text = chosen.format(kind=kind, Kind=kind[:1].upper() + kind[1:], name=unit.name)
        spans = places.spans_of(re.sub(r"\s+", " ", text))
        if all(places.choose(spans, day) == unit.unit_code for day in on):
            return text
    return unit.unit_code
