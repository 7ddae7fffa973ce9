"""How metrics are made of counters in SQL: the registry's sums, as the lines of a VALUES list."""

from __future__ import annotations

from collections.abc import Sequence

from tthc.reference.kpis import Metric


def metric_lines(metrics: Sequence[Metric]) -> str:
    """Lines (metric_id, profile, numerator, denominator) over a row named `counter`.

    The registry lets only lower-case names joined by " + " through, so that nothing else can enter the SQL.
    """
    return ",\n    ".join(
        f"('{metric.id}', '{metric.profile}', {_sum(metric.numerator)}, "
        f"{_sum(metric.denominator) if metric.denominator else 'null::bigint'})"
        for metric in metrics
    )


def _sum(expression: str) -> str:
    return " + ".join(f"counter.{name}" for name in expression.split(" + "))
