"""Computes mart.kpi, mart.form_06a and the index a dossier at a time from docs/definitions.md: a second reading, sharing nothing with the product.

`figures` takes what `independent_rows.py` has read and gives the rows that these views must show, zero rows left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import independent_statements
from independent_counters import DEFINITIONS, RESOLVED, Calendar, Definition, Period, counters, in_force, periods
from independent_index import Rows, index
from independent_places import PROVINCE, Boundary, full_name, unit_on
from independent_rows import FORM, SOURCES, Form, Places, State, fold, form, states, table


@dataclass
class Group:
    """The counters and flags of one unit, field, period and basis."""

    counts: Counter[str] = field(default_factory=Counter)
    flags: set[str] = field(default_factory=set)


Key = tuple[Period, str, str, str]  # period, unit, basis, field


class Knowledge:
    """Everything delivered so far; each delivery counts at its own night, in whatever order it was given.

    `overlay`: a folder of reference files laid over the shipped ones; `secret`: what the keys of dossiers are made with;
    `sources`: those of dossiers, in order of trust.
    """

    def __init__(self, overlay: Path | None, secret: str, sources: Sequence[str] = SOURCES) -> None:
        self.overlay, self.sources = overlay, sources
        self.places = Places(overlay)
        self.boundary = Boundary(self.places.units, overlay, secret)
        self._states: dict[tuple[str, str], tuple[tuple[date, str], State]] = {}
        self._forms: dict[tuple[str, date, date], tuple[tuple[date, str], Form]] = {}
        self.stated: list[tuple[tuple[date, str], independent_statements.Statement]] = []
        self.reported: set[tuple[date, str]] = set()
        self.night = date.min

    def deliver(self, night: date, name: str, content: bytes) -> None:
        """One file, `<source>/<file>`, of a night."""
        self.night = max(self.night, night)
        source, file = name.split("/")
        order = (night, file)
        if source == independent_statements.SOURCE:
            lines = independent_statements.statements(content, self._level)
            self.stated += [(order, line) for line in lines]
            return
        if source == FORM:
            told = form(content, self.places)
            self.reported.add((night, told.unit))
            place = (told.unit, told.start, told.end)
            if place not in self._forms or self._forms[place][0] <= order:
                self._forms[place] = order, told
            return
        for state in states(source, content, night, self.places):
            self.reported.add((night, state.unit))
            known = self._states.get((state.code, source))
            if known is None or known[0] <= order:
                self._states[state.code, source] = order, state

    def _level(self, unit: str, day: date) -> str:
        return unit_on(self.places.units, unit, day.isoformat())["level"]

    def dossiers(self) -> Iterator[State]:
        """Each dossier once, as its most trusted source tells it; statuses 1 and 3 are in no figure."""
        for code in {code for code, _ in self._states}:
            first = next(source for source in self.sources if (code, source) in self._states)
            state = self._states[code, first][1]
            if state.status not in (1, 3):
                yield state

    def forms(self) -> Iterator[Form]:
        return (told for _, told in self._forms.values())


def _groups(known: Knowledge, spans: list[Period]) -> dict[Key, Group]:
    groups: dict[Key, Group] = defaultdict(Group)
    torn: set[Key] = set()
    registry = {row["procedure_code"]: row for row in table("procedures.csv", known.overlay)}
    names = {fold(row["field_name"]): row["field_code"] or row["field_name"] for row in registry.values()}
    calendar = Calendar(known.overlay)

    def add(period: Period, place: tuple[str, str, set[str], set[str]], name: str, count: Mapping[str, int]) -> None:
        basis, unit, flags, flags_above = place
        for code, said in ((unit, flags), (PROVINCE, flags_above)):
            group = groups[period, code, basis, name]
            for counter, value in count.items():
                group.counts[counter] += value
            group.flags |= said

    for state in known.dossiers():
        assert state.received
        procedure = registry.get(state.procedure)
        registered = procedure and (procedure["field_code"] or procedure["field_name"])
        name = fold(registered or names.get(fold(state.field), state.field)) or "*"
        for period in spans:
            cut = min(period.end, known.night)
            if count := counters(state, procedure, period.start, cut, calendar):
                day = state.received.day.isoformat()
                for place in known.boundary.places(state.unit, day, cut.isoformat(), state.code):
                    for fields in {"*", name}:
                        add(period, place, fields, count)
                lacking = known.boundary.lacking(state.unit, day, state.code)
                torn |= {(period, unit, "current_boundary", fields) for unit in lacking for fields in ("*", name)}
    counted = {(period, unit) for period, unit, basis, _ in groups if basis == "as_reported"}
    for told in known.forms():
        for period in spans:
            if (period.start, period.end) == (told.start, told.end) and (period, told.unit) not in counted:
                end = period.end.isoformat()
                for basis, unit, flags, above in known.boundary.places(told.unit, end, end, None):
                    place = basis, unit, flags | {"from_summary"}, above | {"from_summary"}
                    for written, row in told.rows.items():
                        name = "*" if written == "*" else fold(names.get(fold(written), written))
                        add(period, place, name, _form_counters(row))
                        lacking = known.boundary.lacking(told.unit, end, None)
                        torn |= {(period, unit, "current_boundary", name) for unit in lacking}
    for key in torn & groups.keys():
        groups[key].flags.add("split_unit")
    return groups


def _form_counters(row: Mapping[str, int]) -> Counter[str]:
    count = Counter({name: row[name] for name in RESOLVED})
    count["received"] = row["received_online"] + row["received_direct"]
    count["online"], count["overdue"] = row["received_online"], row["in_progress_overdue"]
    count["in_progress"] = row["in_progress_total"]
    # A form does not tell who withdrew, so a definition that takes the withdrawn away takes nothing away of a form.
    count["kept"], count["kept_in_time"] = row["resolved_total"], row["resolved_early"] + row["resolved_on_time"]
    return +count


def figures(known: Knowledge, definitions: Sequence[Definition] = DEFINITIONS) -> dict[str, Rows]:
    """View of mart → its rows by their keys (fields folded), without rows of zeros."""
    first = min((state.received.day.year for state in known.dossiers() if state.received), default=known.night.year)
    spans = [period for period in periods(first, known.night.year + 1) if period.start <= known.night]
    coverage = {period: _Coverage(known, period, min(period.end, known.night)) for period in spans}
    kpi, forms = Rows(), Rows()
    registry = sorted(table("procedures.csv", known.overlay), key=lambda row: row["field_name"], reverse=True)
    fields = {fold(row["field_code"]): fold(row["field_name"]) for row in registry if row["field_code"]}
    metrics = {period: in_force(definitions, period.end) for period in spans}

    @cache
    def of_unit(period: Period, unit: str) -> dict[str, Any]:
        return _of_place(known, period, unit) | coverage[period].of(unit)

    for (period, unit, basis, name), group in _groups(known, spans).items():
        count = group.counts
        shared = of_unit(period, unit) | {"flags": sorted(group.flags)}
        key = (*period[:3], unit, basis, name)
        for metric in metrics[period]:
            numerator = sum(count[part] for part in metric.above)
            denominator = sum(count[part] for part in metric.below) if metric.below else None
            if numerator or denominator:
                kpi[*key, metric.id, metric.profile] = shared | {
                    "numerator": numerator, "denominator": denominator, "rate": _rate(numerator, denominator),
                    "definition_version": metric.version,
                }  # fmt: skip
        resolved, open_now = sum(count[part] for part in RESOLVED), count["in_progress"]
        if any(count.values()):
            forms[key] = shared | {
                "field_name": "tổng số" if name == "*" else fields.get(name, name),
                "received_total": resolved + open_now, "received_online": count["online"],
                "received_direct": count["received"] - count["online"],
                "carried_over": resolved + open_now - count["received"], "resolved_total": resolved,
                **{part: count[part] for part in (*RESOLVED, "withdrawn", "stopped")}, "in_progress_total": open_now,
                "in_progress_in_time": open_now - count["overdue"], "in_progress_overdue": count["overdue"],
            }  # fmt: skip
    for (period, unit, basis, indicator), (held, is_sum) in independent_statements.stated(
        known.stated, spans, known.boundary
    ).items():
        cut = min(period.end, known.night)
        asked = independent_statements.units_asked(indicator, known.places.units, cut)
        told = independent_statements.row(held, is_sum, indicator, asked, known.night < period.end)
        rate = _rate(held.numerator, held.denominator)
        kpi[*period[:3], unit, basis, "*", indicator, "*"] = _of_place(known, period, unit) | told | {"rate": rate}
    components, totals = index(kpi)
    return {"kpi": kpi, "form_06a": forms, "index_766": components, "index_766_total": totals}


def _of_place(known: Knowledge, period: Period, unit: str) -> dict[str, Any]:
    cut = min(period.end, known.night)
    place = unit_on(known.places.units, unit, cut.isoformat())
    return {
        "period_start": period.start, "period_end": period.end, "as_of": cut, "unit_level": place["level"],
        "unit_name": full_name(place),
    }  # fmt: skip


@cache
def _rate(numerator: int, denominator: int | None) -> Decimal | None:
    if not denominator:
        return None
    return (Decimal(numerator) / denominator).quantize(Decimal("0.000001"), ROUND_HALF_UP)


class _Coverage:
    """Units expected and reported: those of the province valid at the cut-off; of a unit, itself while it is valid."""

    def __init__(self, known: Knowledge, period: Period, cut: date) -> None:
        self._interim = known.night < period.end
        self._heard = {unit for night, unit in known.reported if night >= period.start}
        self._expected = {
            unit["unit_code"]
            for unit in known.places.units
            if unit["level"] != "province"
            and unit["valid_from"] <= cut.isoformat()
            and (not unit["valid_to"] or cut.isoformat() <= unit["valid_to"])
        }

    def of(self, unit: str) -> dict[str, Any]:
        expected = self._expected if unit == PROVINCE else self._expected & {unit}
        heard = expected & self._heard
        status = "interim" if self._interim else "final" if heard == expected else "provisional"
        told = (len(expected), len(heard)) if expected else (None, None)
        return {"units_expected": told[0], "units_reported": told[1], "status": status}
