"""What summary reports count: the measures of `measures.csv`, and the identities a report of them promises."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import read_rows, truth
from tthc.settings import Settings

COLUMNS = ("measure", "title", "kind", "additive", "profile", "recomputed", "source")
COUNT, PERCENT = "count", "percent"
_ID = re.compile(r"[a-z][a-z0-9_]*")
_COUNTERS = re.compile(r"[a-z_]+(?: [+-] [a-z_]+)*")
_SUM = r"[a-z0-9_]+(?: \+ [a-z0-9_]+)*"
_IDENTITY = re.compile(rf"({_SUM}) = (?:({_SUM})|\(?({_SUM})\)? / ({_SUM}))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing a report counts. `recomputed`: the same as counters joined by + and -, under `profile`; None where
    our dossiers do not say it. `additive`: units and fields add up to the total."""

    id: str
    title: str
    kind: str
    additive: bool
    profile: str | None
    recomputed: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Identity:
    """`left` adds up to `right`, or, where `per` is named, is `right` over `per` in per cent."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    per: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset((*self.left, *self.right, *self.per))


def read_measures(settings: Settings) -> dict[str, Measure]:
    """All measures by id; an overlay's row of the same id replaces ours."""
    found = {}
    for row in read_rows(settings, "measures.csv", columns=COLUMNS, key=("measure",)):
        where = f"measures.csv, {row['measure']!r}"
        if not _ID.fullmatch(row["measure"]) or row["kind"] not in (COUNT, PERCENT):
            raise ReferenceFault(f"{where}: the measure must be like received_total, its kind count or percent")
        if bool(row["recomputed"]) != bool(row["profile"]) or (row["recomputed"] and row["kind"] == PERCENT):
            raise ReferenceFault(f"{where}: a count has both profile and recomputed or neither, a percent neither")
        if row["recomputed"] and not _COUNTERS.fullmatch(row["recomputed"]):
            raise ReferenceFault(f"{where}: {row['recomputed']!r} is not counters joined by ' + ' and ' - '")
        found[row["measure"]] = Measure(
            id=row["measure"],
            title=row["title"],
            kind=row["kind"],
            additive=bool(truth(row["additive"], where=where)),
            profile=row["profile"] or None,
            recomputed=row["recomputed"] or None,
            source=row["source"],
        )
    return found


def identity_of(text: str, *, where: str) -> Identity:
    """ "a = b + c", "a + b = c + d", or a displayed per cent, "p = (a + b) / c". Raises ReferenceFault."""
    match = _IDENTITY.fullmatch(text)
    if match is None:
        raise ReferenceFault(f"{where}: {text!r} is no identity like 'a = b + c' or 'p = (a + b) / c'")
    left, right, numerator, denominator = (tuple(part.split(" + ")) if part else () for part in match.groups())
    return Identity(left, right or numerator, denominator)
