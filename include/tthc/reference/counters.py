"""The counters that metrics and reported measures are made of: their names, which rows they count, their wording."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tthc.domain.errors import ReferenceFault

_EXPRESSION = re.compile(r"[a-z_]+(?: [+-] [a-z_]+)*")


class Counter(NamedTuple):
    """A column of rollup.counter. `rows`: which rows it counts, those received, ended or open in a period.

    `over_time`: a longer period has the `sum` of its parts, the value of the `last` one, or (`cut_off`) looks at each
    dossier anew at its own cut-off.
    """

    name: str
    rows: str
    over_time: str
    wording: str


@cache
def counters() -> dict[str, Counter]:
    """All counters by name, in the order of their columns."""
    with Path(__file__).with_name("counters.csv").open(encoding="utf-8", newline="") as handle:
        return {row["counter"]: Counter(*row.values()) for row in csv.DictReader(handle)}


def check_counters(expression: str, where: str) -> None:
    """Nothing but known counters joined by " + " and " - ". Raises ReferenceFault."""
    if not _EXPRESSION.fullmatch(expression):
        raise ReferenceFault(f"{where}: {expression!r} is not counters joined by ' + ' and ' - '")
    if unknown := sorted({*re.split(r" [+-] ", expression)} - set(counters())):
        raise ReferenceFault(f"{where}: {', '.join(unknown)} is no counter; there are {', '.join(counters())}")


def parts(expression: str) -> tuple[list[str], list[str]]:
    """The counters added and the counters taken away: "a + b - c" → (["a", "b"], ["c"])."""
    words = ["+", *expression.split(" ")]
    signed = list(zip(words[::2], words[1::2], strict=True))
    return [name for sign, name in signed if sign == "+"], [name for sign, name in signed if sign == "-"]
