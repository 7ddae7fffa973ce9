"""What units state themselves because dossiers cannot tell it: the indicators of `manual_indicators.csv`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import read_rows, truth
from tthc.reference.kpis import read_metrics
from tthc.settings import Settings

COLUMNS = (
    "indicator", "version", "section", "title", "numerator", "denominator", "counted", "levels", "summed", "source",
)  # fmt: skip
LEVELS = ("commune", "department", "province")
_TEXTS = ("version", "section", "title", "numerator", "denominator", "counted", "source")
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One share a unit states as two whole numbers. Its id is a metric_id of mart.kpi, under profile `*`.

    `version` changes when what is counted changes. `numerator`, `denominator`: what to count, in the words of the form;
    `counted`: what is counted. `levels`: who is asked. `summed`: the province is the sum of its units; else it states
    its own, because the things counted are the same in every unit (a procedure that 69 communes handle is one).
    """

    id: str
    version: str
    section: str
    title: str
    numerator: str
    denominator: str
    counted: str
    levels: tuple[str, ...]
    summed: bool
    source: str


def read_indicators(settings: Settings) -> dict[str, Indicator]:
    """All indicators by id, in order; an overlay's row of the same id replaces ours. Raises ReferenceFault."""
    counted = {metric.id for metric in read_metrics(settings)}
    found = {}
    for row in read_rows(settings, "manual_indicators.csv", columns=COLUMNS, key=("indicator",)):
        where, levels = f"manual_indicators.csv, {row['indicator']!r}", tuple(row["levels"].split())
        if not _ID.fullmatch(row["indicator"]) or row["indicator"] in counted:
            raise ReferenceFault(f"{where}: the id must be like iso_process and not that of a metric of kpis.toml")
        if not levels or set(levels) - set(LEVELS):
            raise ReferenceFault(f"{where}: levels must be some of {', '.join(LEVELS)}")
        summed = bool(truth(row["summed"], where=where))
        if summed and "province" in levels:
            raise ReferenceFault(f"{where}: a province that is the sum of its units cannot state the figure itself")
        if not all(row[name] for name in _TEXTS):
            raise ReferenceFault(f"{where}: {', '.join(_TEXTS)} must be filled")
        texts = {name: row[name] for name in _TEXTS}
        found[row["indicator"]] = Indicator(id=row["indicator"], levels=levels, summed=summed, **texts)
    return found
