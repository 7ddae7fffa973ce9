"""Random histories of units, and where each dossier belongs on today's boundary: followed change by change, one at a time.

The readings of "Places" in docs/definitions.md in plain Python; nothing here comes from `rollups`.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from model import periods

PROVINCE, FORMER = "ZZ", "ZY"
FIRST, NIGHT = date(2024, 1, 1), date(2026, 4, 10)
CHANGES = (date(2024, 7, 1), date(2025, 7, 1), date(2026, 2, 10))  # the last one in the middle of periods
ALWAYS = date(9999, 12, 31)
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Span:
    """A unit under one name: code, province of the time, first and last day."""

    code: str
    parent: str
    since: date
    until: date = ALWAYS


@dataclass(slots=True)
class History:
    """`parts`: (code, day of the change) → (successor, is partial, weight)."""

    spans: list[Span] = field(default_factory=list)
    parts: dict[tuple[str, date], list[tuple[str, bool, Decimal | None]]] = field(default_factory=dict)

    def live(self, on: date) -> list[Span]:
        return [span for span in self.spans if span.since <= on <= span.until]

    def changes_nothing(self, code: str, on: date) -> bool:
        """The unit went on whole, under its code, and nothing was added."""
        givers = {old for (old, day), parts in self.parts.items() if day == on for new, _, _ in parts if new == code}
        return self.parts[code, on] == [(code, False, None)] and givers == {code}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A dossier, as far as places ask for it."""

    key: UUID
    unit: str
    field_name: str | None
    received: date
    finished: date | None

    def is_in(self, start: date, cut_off: date) -> tuple[bool, bool, bool]:
        """Received in a period, resolved in it, in progress at its cut-off."""
        ended = self.finished is not None and self.finished <= cut_off
        received = start <= self.received <= cut_off
        return received, ended and start <= self.finished, self.received <= cut_off and not ended  # type: ignore[operator]  # ended says so


def random_history(dice: random.Random) -> History:
    """Mergers, splits with and without weights, parts given away, renamings, and codes that come back elsewhere."""
    history = History()
    for number in range(8):
        history.spans.append(Span(f"U{number}", FORMER if number % 3 == 0 else PROVINCE, date(1, 1, 1)))
    for on in CHANGES:
        _change(history, on, dice)
    return history


def _change(history: History, on: date, dice: random.Random) -> None:
    before = history.live(on - _DAY)
    dice.shuffle(before)
    used = {span.code for span in before}
    free = [f"U{number}" for number in range(30) if f"U{number}" not in used]  # never used, or elsewhere before
    dice.shuffle(free)
    goes_on = set[str]()
    while before:
        event = dice.choice(("nothing", "merge", "split", "give", "rename"))
        one, *rest = before
        if event == "merge" and len(rest) > 1 and free:
            gone = before[: dice.randint(2, 3)]
            before = before[len(gone) :]
            target = dice.choice([*(span.code for span in gone), free.pop()])
            for span in gone:
                history.parts[span.code, on] = [(target, False, None)]
            goes_on.add(target)
            continue
        before = rest
        if event == "split" and len(free) > 3:
            targets = [free.pop(), free.pop(), *dice.sample([one.code, free.pop()], 1)]
            history.parts[one.code, on] = _divided(targets, dice)
            goes_on |= set(targets)
        elif event == "give" and goes_on:
            history.parts[one.code, on] = _divided([one.code, dice.choice(sorted(goes_on))], dice)
            goes_on.add(one.code)
        else:
            if event == "rename" and dice.random() < 0.5:
                history.parts[one.code, on] = [(one.code, False, None)]
            goes_on.add(one.code)
    for span in history.live(on - _DAY):
        if span.code not in goes_on or (span.code, on) in history.parts or on == CHANGES[1]:
            span.until = on - _DAY
    standing = {span.code for span in history.live(on)}
    for code in sorted(goes_on - standing):
        parent = PROVINCE if on >= CHANGES[1] else dice.choice((PROVINCE, FORMER))
        history.spans.append(Span(code, parent, on))


def _divided(targets: list[str], dice: random.Random) -> list[tuple[str, bool, Decimal | None]]:
    if dice.random() < 0.4:
        return [(target, True, None) for target in targets]
    cuts = [0, *sorted(dice.sample(range(1, 100), len(targets) - 1)), 100]
    return [(t, True, Decimal(b - a) / 100) for t, (a, b) in zip(targets, pairwise(cuts), strict=True)]


def random_dossiers(history: History, count: int, dice: random.Random) -> list[Told]:
    """Of units that existed on the day of receipt; many end after a change."""
    found = []
    for _ in range(count):
        received = FIRST + dice.randrange((NIGHT - FIRST).days) * _DAY
        finished = received + dice.randrange(400) * _DAY if dice.random() < 0.7 else None
        found.append(
            Told(
                key=UUID(int=dice.getrandbits(128)),
                unit=dice.choice(history.live(received)).code,
                field_name=dice.choice(("Hộ tịch", "Đất đai", None)),
                received=received,
                finished=finished if finished and finished <= NIGHT else None,
            )
        )
    return found


def home(history: History, told: Told) -> tuple[str, set[str], set[str]]:
    """Today's unit of a dossier, what is to be said of a figure that holds it there, and the units whose figures may
    lack it: each got a part of the unit, and nobody said how much."""
    digest = hashlib.md5(f"{told.key}{told.unit}".encode(), usedforsecurity=False).hexdigest()
    point, code, day, flags = Fraction(int(digest[:8], 16), 2**32), told.unit, told.received, set[str]()
    while changes := [on for old, on in history.parts if old == code and on > day]:
        day = min(changes)
        parts = sorted(history.parts[code, day])
        if any(weight is None for _, _, weight in parts) and not (len(parts) == 1 and not parts[0][1]):
            parted = {unit for new, _, _ in parts if new != code for unit in today(history, new, day)}
            return code, flags | {"split_unit"}, parted - {code}
        if len(parts) == 1 and parts[0][2] is None:
            if not history.changes_nothing(code, day):
                flags.add("merged_unit")
            code = parts[0][0]
            continue
        flags.add("split_weighted")
        for successor, _, weight in parts:
            assert weight is not None
            if point < Fraction(weight):
                point /= Fraction(weight)
                code = successor
                break
            point -= Fraction(weight)
    return code, flags, set()


def today(history: History, code: str, day: date) -> set[str]:
    """The units into which all of a unit went that nobody split undivided."""
    later = sorted(on for old, on in history.parts if old == code and on > day)
    if not later:
        return {code}
    parts = history.parts[code, later[0]]
    if any(weight is None for _, _, weight in parts) and (len(parts) > 1 or parts[0][1]):
        return {code}
    return {unit for new, _, _ in parts for unit in today(history, new, later[0])}


def code_moved_on(history: History, told: Told, cut_off: date) -> bool:
    """By the cut-off the code means another territory than on the day of receipt."""
    return any(
        max(on, span.since) <= cut_off
        for old, on in history.parts
        if old == told.unit and on > told.received and not history.changes_nothing(old, on)
        for span in history.spans
        if span.code == told.unit and span.until >= on
    )


def parent(history: History, told: Told) -> str:
    (one,) = [span.parent for span in history.live(told.received) if span.code == told.unit]
    return one


Cell = tuple[str, str, str, str, str]  # calendar, label, unit, field, basis
Counts = tuple[int, int, int]  # received, resolved, in progress


def figures(history: History, dossiers: list[Told]) -> tuple[dict[Cell, Counts], dict[Cell, set[str]]]:
    """Counts and flags of every cell on both bases."""
    counts: dict[Cell, list[int]] = defaultdict(lambda: [0, 0, 0])
    flags: dict[Cell, set[str]] = defaultdict(set)
    torn: set[Cell] = set()
    homes = {told.key: home(history, told) for told in dossiers}
    for calendar, label, start, end in periods(2024, 2026):
        cut_off = min(end, NIGHT)
        for told in dossiers if start <= NIGHT else ():
            inside = told.is_in(start, cut_off)
            for basis, unit, said in _places(history, told, homes[told.key][:2], cut_off) if any(inside) else ():
                for name in {"*", told.field_name or "*"}:
                    if basis == "current_boundary" and unit != PROVINCE and "split_unit" in said:
                        torn |= {(calendar, label, part, name, basis) for part in homes[told.key][2]}
                    cell = (calendar, label, unit, name, basis)
                    flags[cell] |= said
                    for at, counted in enumerate(inside):
                        counts[cell][at] += counted
    for cell in torn & counts.keys():
        flags[cell].add("split_unit")
    return {cell: (n[0], n[1], n[2]) for cell, n in counts.items()}, dict(flags)


def _places(
    history: History, told: Told, today: tuple[str, set[str]], cut_off: date
) -> Iterator[tuple[str, str, set[str]]]:
    """(basis, unit, flags) of every row that counts a dossier."""
    own = parent(history, told)
    merged = {"merged_province"} if own != PROVINCE else set()
    yield "as_reported", told.unit, {"code_reused"} if code_moved_on(history, told, cut_off) else set()
    yield "as_reported", PROVINCE, merged
    if own != PROVINCE:
        yield "as_reported", own, {"former_province"}
    yield "current_boundary", today[0], today[1]
    yield "current_boundary", PROVINCE, merged | (today[1] & {"split_unit"})
