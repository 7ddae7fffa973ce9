"""Where each dossier and form stands on either basis, and what is to be said of it: "Places" of docs/definitions.md, read once more."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from uuid import UUID

from independent_rows import table

PROVINCE = "42"


def dossier_key(code: str, secret: str) -> str:
    """HMAC-SHA-256 of province and normalised code, cut to 128 bits."""
    digest = hmac.new(secret.encode(), f"{PROVINCE}|{''.join(code.split()).upper()}".encode(), "sha256").digest()
    return str(UUID(bytes=digest[:16]))


class Boundary:
    """What became of the units of the province, change by change."""

    def __init__(self, units: Sequence[Mapping[str, str]], overlay: Path | None, secret: str) -> None:
        self._secret = secret
        self._spans: dict[str, list[Mapping[str, str]]] = defaultdict(list)
        for unit in units:
            self._spans[unit["unit_code"]].append(unit)
        self._changes: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
        self._givers: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in table("unit_successions.csv", overlay):
            if row["old_code"] in self._spans or row["new_code"] in self._spans:
                self._changes[row["old_code"]][row["effective_date"]].append(row)
                self._givers[row["new_code"], row["effective_date"]].add(row["old_code"])

    def _is_the_same(self, unit: str, on: str) -> bool:
        """The unit went on whole, under its code, and nothing was added."""
        rows = self._changes[unit][on]
        return [row["new_code"] for row in rows] == [unit] and self._givers[unit, on] == {unit}

    def _is_reused(self, unit: str, day: str, cut: str) -> bool:
        """By the cut-off the code means another territory than on the day of receipt."""
        return any(
            max(on, span["valid_from"]) <= cut
            for on in self._changes[unit]
            if on > day and not self._is_the_same(unit, on)
            for span in self._spans[unit]
            if not span["valid_to"] or span["valid_to"] >= on
        )

    def _home(self, unit: str, day: str, code: str | None) -> tuple[str, set[str], set[str]]:
        """Today's unit of a dossier, or of a form (no code), which no weight divides; its flags; the units that got a
        part of a unit that stays undivided."""
        flags: set[str] = set()
        point = None
        named = unit
        while later := [on for on in self._changes[unit] if on > day]:
            day = min(later)
            parts = sorted(self._changes[unit][day], key=lambda row: row["new_code"])
            if len(parts) == 1 and parts[0]["is_partial"] != "true":
                if not self._is_the_same(unit, day):
                    flags.add("merged_unit")
                unit = parts[0]["new_code"]
                continue
            if code is None or not all(part["weight"] for part in parts):
                got = {
                    today for part in parts if part["new_code"] != unit for today in self._today(part["new_code"], day)
                }
                return unit, flags | {"split_unit"}, got - {unit}
            flags.add("split_weighted")
            point = self._point(code, named) if point is None else point
            for part in parts:
                weight = Fraction(part["weight"])
                if point < weight:
                    unit, point = part["new_code"], point / weight
                    break
                point -= weight
        return unit, flags, set()

    def _today(self, unit: str, day: str) -> set[str]:
        """The units into which a unit went, as far as nobody split it undivided."""
        later = [on for on in self._changes[unit] if on > day]
        if not later:
            return {unit}
        parts = self._changes[unit][min(later)]
        if (len(parts) > 1 or parts[0]["is_partial"] == "true") and not all(part["weight"] for part in parts):
            return {unit}
        return {today for part in parts for today in self._today(part["new_code"], min(later))}

    def lacking(self, unit: str, day: str, code: str | None) -> set[str]:
        """Units of today whose figures lack a dossier, or a form: each got a part of its unit that nobody divided."""
        return self._home(unit, day, code)[2]

    def places(self, unit: str, day: str, cut: str, code: str | None) -> Iterator[tuple[str, str, set[str], set[str]]]:
        """(basis, unit, flags of the unit, flags of the province) of a dossier, or of a form (no code), of a day."""
        yield "as_reported", unit, {"code_reused"} if code and self._is_reused(unit, day, cut) else set(), set()
        home, flags, _ = self._home(unit, day, code)
        yield "current_boundary", home, flags, flags & {"split_unit"}

    def _point(self, code: str, unit: str) -> Fraction:
        """The dossier's own point between 0 and 1."""
        text = dossier_key(code, self._secret) + unit
        return Fraction(int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16), 2**32)


def unit_on(units: Sequence[Mapping[str, str]], unit: str, cut: str) -> Mapping[str, str]:
    """The row of a unit at the cut-off, else its last one."""
    spans = [row for row in units if row["unit_code"] == unit]
    valid = [row for row in spans if row["valid_from"] <= cut <= (row["valid_to"] or "9999")]
    return max(valid or spans, key=lambda row: row["valid_from"])


def full_name(unit: Mapping[str, str]) -> str:
    """Kind and name, a department's name alone."""
    if unit["level"] == "department":
        return unit["name"]
    return f"{unit['kind'][0].upper()}{unit['kind'][1:]} {unit['name']}"
