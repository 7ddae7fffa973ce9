"""The unit a row means, by the layout's order of clues on the day of receipt; a unit of elsewhere is told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd

from tthc.reference.layout import Layout
from tthc.reference.units import Places
from tthc.staging.plausible import latest


def units_of(
    cell: Callable[[str], pd.Series], received_on: pd.Series, layout: Layout, places: Places, night: date
) -> tuple[pd.Series, pd.Series]:
    """(unit code of every row, mask of rows that name a unit of another province); unknown receipt: the night.

    No unit was valid on a mistyped day (0206). What such a row names is the unit of the night, or the last one of that
    name: the row is refused for its day, not for its place.
    """
    plausible = received_on.between(pd.Timestamp(layout.earliest), latest(night)) | received_on.isna()
    on = received_on.where(plausible).fillna(pd.Timestamp(night))
    units = pd.Series([None] * len(on), index=on.index, dtype=object)
    elsewhere = pd.Series(False, index=on.index)
    for clue in layout.unit_from:
        if clue == "agency_prefix":
            texts, spans_of = cell("dossier_code").str.split("-", n=1).str[0], places.spans_of_alias
        else:
            texts, spans_of = cell(clue), places.spans_of
        codes, names = pd.factorize(texts.where(units.isna()))
        for number, name in enumerate(names):
            spans = spans_of(name)
            mask = codes == number
            if not spans:
                elsewhere |= mask & (clue != "agency_prefix" and places.is_elsewhere(name))
                continue
            known = {day: places.choose(spans, day.date()) for day in on[mask].unique()}
            units[mask] = on[mask].map(known)
            units[mask & ~plausible] = places.choose(spans, night) or places.last_of(spans)
    return units.where(units.notna(), None), elsewhere & units.isna()


def unit_told(told: Mapping[str, str], places: Places, on: date) -> str | None:
    """The one unit that code and name mean on a day, whole and exact; None when unknown or when they contradict."""
    found = {
        places.choose(places.spans_of(text), on) for name in ("unit_code", "unit_name") if (text := told.get(name))
    }
    known = found - {None}
    return known.pop() if len(known) == 1 else None
