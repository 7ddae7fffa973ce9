"""Which unit a row means: by code or alias, then by exact name within the province, valid on the day of receipt."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tthc.domain.errors import ReferenceFault
from tthc.domain.text import fold
from tthc.reference.files import day, read_rows, truth
from tthc.settings import Settings

UNIT_COLUMNS = (
    "unit_code", "level", "kind", "name", "parent_code", "province_code", "district", "valid_from", "valid_to",
    "source",
)  # fmt: skip
SUCCESSION_COLUMNS = ("old_code", "new_code", "effective_date", "is_partial", "weight", "source")
AGENCY_COLUMNS = ("alias", "unit_code", "valid_from", "valid_to", "source")

# What an office calls itself before the name of its commune.
_OFFICES = re.compile(
    r"^(?:(?:ubnd|ủy ban nhân dân|(?:trung tâm|điểm) (?:phục vụ )?hành chính công|trung tâm pvhcc"
    r"|bộ phận (?:một cửa|tiếp nhận và trả kết quả)|bp một cửa|của)\s+)+"
)
_KINDS = {"p": "phường", "x": "xã", "đk": "đặc khu", "tx": "thị xã", "tp": "thành phố", "tt": "thị trấn"}
_SHORT_KIND = re.compile(rf"^({'|'.join(_KINDS)})\. ?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An administrative unit or department during one span of validity."""

    unit_code: str
    level: str  # province | commune | department
    kind: str  # xã, phường, đặc khu, thị trấn, tỉnh, thành phố, sở …
    name: str
    parent_code: str
    province_code: str
    district: str
    valid_from: date | None
    valid_to: date | None
    source: str

    @property
    def full_name(self) -> str:
        if self.level == "department":
            return self.name
        return f"{self.kind[:1].upper()}{self.kind[1:]} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What became of a unit: the whole of it, or a part, went into another. `weight`: the part of its dossiers that
    goes there, as a person has declared it; None where nobody has."""

    old_code: str
    new_code: str
    effective_date: date
    is_partial: bool
    weight: Decimal | None
    source: str


@dataclass(frozen=True, slots=True)
class Span:
    """A unit code that a name or code meant from one day to another, both included; None is open.

    `is_code`: by the unit's own code or an alias, which on its days is believed before a name.
    """

    unit_code: str
    valid_from: date | None
    valid_to: date | None
    is_code: bool = False

    def covers(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


class Places:
    """The units of one province and every text that names them."""

    def __init__(self, units: list[Unit], agencies: list[tuple[str, Span]], province: str) -> None:
        self.units = [unit for unit in units if unit.province_code == province or unit.unit_code == province]
        if not any(unit.unit_code == province and unit.level == "province" for unit in self.units):
            raise ReferenceFault(f"TTHC_PROVINCE is {province!r}, but units.csv has no province of that code")
        mine = {unit.unit_code for unit in self.units}
        self._elsewhere = {
            fold(text)
            for unit in units
            if unit.level == "commune" and unit.unit_code not in mine
            for text in (unit.unit_code, f"{unit.kind} {unit.name}")
        }
        self._aliases: dict[str, list[Span]] = defaultdict(list)
        self._names: dict[str, list[Span]] = defaultdict(list)
        for alias, span in agencies:
            self._aliases[fold(alias)].append(replace(span, is_code=True))
        for unit in self.units:
            if unit.level == "province":
                continue
            span = Span(unit.unit_code, unit.valid_from, unit.valid_to)
            self._aliases[fold(unit.unit_code)].append(replace(span, is_code=True))
            if unit.level == "department":
                self._names[fold(unit.name)].append(span)
            else:
                self._names[fold(unit.name)].append(span)
                self._names[fold(f"{unit.kind} {unit.name}")].append(span)

    def spans_of_alias(self, text: str) -> list[Span]:
        """Spans under a code or alias, none when it is unknown; a code may have lost leading zeros."""
        found = self._aliases.get(fold(text), [])
        return found or (self._aliases.get(text.zfill(5), []) if text.isdecimal() else [])

    def spans_of(self, text: str) -> list[Span]:
        """Spans of a unit cell: as code or alias, and as a name with the usual prefixes."""
        return [*self.spans_of_alias(text), *self._names.get(_whole_name(text), [])]

    def is_elsewhere(self, text: str) -> bool:
        """Whether a cell names a commune of another province for certain: by its code, or by kind and name where this
        province never had a unit of that name."""
        name = _whole_name(text)
        return {name, name.zfill(5) if name.isdecimal() else name} & self._elsewhere != set() and not any(
            known.endswith(f" {name.partition(' ')[2]}") for known in self._names if " " in name
        )

    def is_province(self, code: str, name: str, on: date) -> bool:
        """Whether code and name, with the usual prefixes, are those of the province itself on a day."""
        return any(
            unit.level == "province"
            and unit.unit_code == code
            and Span(code, unit.valid_from, unit.valid_to).covers(on)
            and _whole_name(name) in {fold(unit.name), fold(f"{unit.kind} {unit.name}")}
            for unit in self.units
        )

    @staticmethod
    def choose(spans: list[Span], on: date) -> str | None:
        """The one unit valid on a day, by code or alias, else by name; None when there is none or two would fit."""
        valid = [span for span in spans if span.covers(on)]
        codes = {span.unit_code for span in valid if span.is_code} or {span.unit_code for span in valid}
        return codes.pop() if len(codes) == 1 else None

    @staticmethod
    def last_of(spans: list[Span]) -> str:
        """The unit that was the last to be meant."""
        return max(spans, key=lambda span: (span.valid_to or date.max, span.unit_code)).unit_code


def _whole_name(text: str) -> str:
    """The name of a unit folded, without the office that acts for it, its kind spelt out: "UBND P. Phú Lợi" is "phường
    phú lợi"."""
    return _SHORT_KIND.sub(lambda short: f"{_KINDS[short[1]]} ", _OFFICES.sub("", fold(text)))


def read_units(settings: Settings) -> list[Unit]:
    """All spans of all units."""
    return [
        Unit(
            **{name: row[name] for name in UNIT_COLUMNS if not name.startswith("valid_")},
            valid_from=day(row["valid_from"], where=f"units.csv, {row['unit_code']}"),
            valid_to=day(row["valid_to"], where=f"units.csv, {row['unit_code']}"),
        )
        for row in read_rows(settings, "units.csv", columns=UNIT_COLUMNS, key=("unit_code", "valid_from"))
    ]


def read_successions(settings: Settings) -> list[Succession]:
    """Every merger and split. Raises ReferenceFault where the weights of a split are incomplete or do not sum to 1."""
    found = []
    for row in read_rows(
        settings, "unit_successions.csv", columns=SUCCESSION_COLUMNS, key=("old_code", "new_code", "effective_date")
    ):
        where = f"unit_successions.csv, {row['old_code']} to {row['new_code']}"
        effective, partial = day(row["effective_date"], where=where), truth(row["is_partial"], where=where)
        if effective is None or partial is None:
            raise ReferenceFault(f"{where}: effective_date and is_partial must be filled")
        found.append(
            Succession(
                old_code=row["old_code"],
                new_code=row["new_code"],
                effective_date=effective,
                is_partial=partial,
                weight=_weight(row["weight"], where=where),
                source=row["source"],
            )
        )
    _check_weights(found)
    return found


def _weight(text: str, *, where: str) -> Decimal | None:
    if not text:
        return None
    if not re.fullmatch(r"0\.\d{1,9}|1(\.0{1,9})?", text) or not Decimal(text):
        raise ReferenceFault(f"{where}: weight {text!r} must be above 0 and at most 1, such as 0.45, or empty")
    return Decimal(text)


def _check_weights(successions: list[Succession]) -> None:
    splits: dict[tuple[str, date], list[Succession]] = defaultdict(list)
    for succession in successions:
        splits[succession.old_code, succession.effective_date].append(succession)
    for (code, on), parts in splits.items():
        weights = [part.weight for part in parts if part.weight is not None]
        if not weights:
            continue
        where = f"unit_successions.csv, {code} on {on}"
        if len(weights) < len(parts):
            without = ", ".join(part.new_code for part in parts if part.weight is None)
            raise ReferenceFault(f"{where}: successor {without} has no weight; give all of them one, or none")
        if sum(weights) != 1:
            shares = " + ".join(f"{weight:f}" for weight in weights)
            raise ReferenceFault(f"{where}: the weights {shares} sum to {sum(weights):f}, not to 1")


def check_successions(successions: list[Succession], places: Places) -> None:
    """Raises ReferenceFault when a unit of the province would end in one that the province does not have."""
    mine = {unit.unit_code: unit for unit in places.units}
    for succession in successions:
        if succession.old_code in mine and succession.new_code not in mine:
            raise ReferenceFault(
                f"unit_successions.csv, {succession.old_code} to {succession.new_code}: "
                "the successor is no unit of the same province in units.csv"
            )


def read_places(settings: Settings) -> Places:
    """Units and aliases of the configured province."""
    units = read_units(settings)
    agencies = [
        (
            row["alias"],
            Span(
                row["unit_code"],
                day(row["valid_from"], where=f"agencies.csv, {row['alias']}"),
                day(row["valid_to"], where=f"agencies.csv, {row['alias']}"),
            ),
        )
        for row in read_rows(settings, "agencies.csv", columns=AGENCY_COLUMNS, key=("alias", "unit_code", "valid_from"))
    ]
    known = {unit.unit_code for unit in units}
    for alias, span in agencies:
        if span.unit_code not in known:
            raise ReferenceFault(f"agencies.csv, {alias!r}: unit {span.unit_code!r} is not in units.csv")
    return Places(units, agencies, settings.province)
