"""How counters enter SQL: their lists in the files of `sql/`, and metrics and reported measures as sums of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tthc.reference.counters import check_counters, counters
from tthc.reference.kpis import Formula
from tthc.reference.measures import Measure

_SQL = Path(__file__).parent / "sql"


def statement(name: str) -> str:
    """A file of `sql/` with the lists of counters it asks for put in."""
    return with_counters((_SQL / f"{name}.sql").read_text(encoding="utf-8"))


def with_counters(text: str) -> str:
    """`:counters` are their names; `:counters_of(rows)` those that count received, ended or open rows,
    `:counts_of(rows)` how they count them, `:bits_of(rows)` one number that says which of them count a row, by the bits
    of `:counter_bits` (counter, rows, bit); `:counters_in(t)` as columns of a table, `:counter_columns` to make them,
    `:counters_or_zero` those that a join may have left out.
    The lists of sql/85_identity.sql leave out what a longer period looks at anew."""
    names = list(counters())
    bits = {name: f"{1 << place}::bigint" for place, name in enumerate(names)}
    adding = [counter.name for counter in counters().values() if counter.over_time == "sum"]
    lasting = [counter.name for counter in counters().values() if counter.over_time == "last"]
    lists = {
        ":counter_sums": _list(f"sum({name})::bigint as {name}" for name in names),
        ":counters_or_zero": _list(f"coalesce({name}, 0) as {name}" for name in names),
        ":counter_columns": _list(f"{name} bigint not null default 0" for name in names),
        ":counter_bits": _list(f"('{name}', '{one.rows}', {bits[name]})" for name, one in counters().items()),
        ":fields_over_own": _list(f"fields.{name} - own.{name}" for name in names),
        ":sums_of_adding(by_basis)": _list(f"sum(by_basis.{name})::bigint as {name}" for name in adding),
        ":sums_of_last(by_basis)": _list(
            f"coalesce(sum(by_basis.{name}) filter (where part.is_last), 0)::bigint as {name}" for name in lasting
        ),
        ":over_time_in(own)": _list(f"own.{name}" for name in (*adding, *lasting)),
        ":over_time_or_zero_in(parts)": _list(f"coalesce(parts.{name}, 0)" for name in (*adding, *lasting)),
    }
    for rows in ("received", "ended", "open"):
        own = [counter.name for counter in counters().values() if counter.rows == rows]
        lists[f":counters_of({rows})"] = _list(own)
        lists[f":bits_of({rows})"] = " | ".join(f"case when {name} then {bits[name]} else 0 end" for name in own)
        lists[f":counts_of({rows})"] = _list(f"count(*) filter (where {name}) as {name}" for name in own)
    for mark, replacement in lists.items():
        text = text.replace(mark, replacement)
    text = re.sub(r":counters_in\((\w+)\)", lambda match: _list(f"{match[1]}.{name}" for name in names), text)
    return re.sub(r":counters\b", _list(names), text)


def metric_lines(formulas: Iterable[Formula]) -> str:
    """Lines (metric_id, profile, version, numerator, denominator) over a row named `counter`.

    Nothing but known counters, joined by " + " and " - ", enters the SQL; other names were checked when they were read.
    """
    return ",\n    ".join(
        f"('{formula.metric_id}', '{formula.profile}', '{formula.version}', {_sum(formula.numerator)}, "
        f"{_sum(formula.denominator) if formula.denominator else 'null::bigint'})"
        for formula in formulas
    )


def measure_lines(measures: Sequence[Measure]) -> str:
    """Lines (measure, whether dossiers say it, what they say) over a row named `counter`; names as strict as above."""
    return ",\n    ".join(
        f"('{measure.id}', {str(measure.recomputed is not None).lower()}, "
        f"{_sum(measure.recomputed) if measure.recomputed else 'null::bigint'})"
        for measure in measures
    )


def _sum(expression: str) -> str:
    check_counters(expression, "a definition in the warehouse")
    return " ".join(word if word in "+-" else f"counter.{word}" for word in expression.split(" "))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
