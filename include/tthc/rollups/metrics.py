"""How metrics and reported measures are made of counters in SQL: the registries' sums, as lines of a VALUES list."""

from __future__ import annotations

from collections.abc import Sequence

from tthc.reference.kpis import Metric
from tthc.reference.measures import Measure


def metric_lines(metrics: Sequence[Metric]) -> str:
    """Lines (metric_id, profile, numerator, denominator) over a row named `counter`.

    The registry lets only lower-case names joined by " + " through, so that nothing else can enter the SQL.
    """
    return ",\n    ".join(
        f"('{metric.id}', '{metric.profile}', {_sum(metric.numerator)}, "
        f"{_sum(metric.denominator) if metric.denominator else 'null::bigint'})"
        for metric in metrics
    )


def measure_lines(measures: Sequence[Measure]) -> str:
    """Lines (measure, whether dossiers say it, what they say) over a row named `counter`; names as strict as above."""
    return ",\n    ".join(
        f"('{measure.id}', {str(measure.recomputed is not None).lower()}, "
        f"{_sum(measure.recomputed) if measure.recomputed else 'null::bigint'})"
        for measure in measures
    )


def _sum(expression: str) -> str:
    return " ".join(word if word in "+-" else f"counter.{word}" for word in expression.split(" "))
