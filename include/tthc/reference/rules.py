"""What is said of rows, files, portals and runs outside the suites: `rules.csv`, one entry a rule and its subject."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# What an entry is about.
ROW, NOTE, DROPPED, FILE, NOTICE, PORTAL, WHOLE = "row", "note", "dropped", "file", "notice", "portal", "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A rule no suite decides. `vi`, `en`: what is wrong; `why_vi`, `why`: why it is asked; `owner`: who mends it."""

    of: str
    rule_id: str
    severity: str
    owner: str
    vi: str
    en: str
    why_vi: str
    why: str


@cache
def told_rules() -> tuple[Told, ...]:
    """All of them, in order."""
    with Path(__file__).with_name("rules.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(Told(**row) for row in csv.DictReader(handle))


def words_of(*kinds: str) -> dict[str, str]:
    """Rule → what a clerk reads, of the entries about these."""
    return {one.rule_id: one.vi for one in told_rules() if one.of in kinds}
