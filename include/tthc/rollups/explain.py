"""From a figure to its counts, its dossiers and the rows of the files they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.reference.counters import parts
from tthc.reference.kpis import Metric
from tthc.rollups import build
from tthc.rollups.metrics import statement

KEY = ("period_calendar", "period_label", "unit_code", "basis", "field_code", "metric_id", "profile")


@dataclass(slots=True)
class Explanation:
    """`figure`: the row of mart.kpi. `metric`: its definition. `dossiers`: key, which part of the figure it is in, and
    source, night, file, hash, layout, sheet and row of the state that was counted. `forms`: deliveries of form II.06
    that speak for units without dossiers."""

    figure: dict[str, Any]
    metric: Metric
    dossiers: list[dict[str, Any]]
    forms: list[dict[str, Any]]

    @property
    def agrees(self) -> bool:
        """Whether the dossiers found make up the figure; False after the core moved and before it is published."""
        if self.forms or self.figure["numerator"] is None:
            return True
        inside = sum(dossier["in_numerator"] for dossier in self.dossiers)
        below = sum(dossier["in_denominator"] for dossier in self.dossiers)
        return bool(inside == self.figure["numerator"] and below == (self.figure["denominator"] or below))


def explain(connection: sa.Connection, key: dict[str, str], metrics: list[Metric], province: str) -> Explanation:
    """Explain one figure of the current publication; `key` holds the columns of KEY.

    Raises Misconfigured when no metric or no figure has this key (a missing row of mart.kpi is zero).
    """
    versions = {m.version: m for m in metrics if (m.id, m.profile) == (key["metric_id"], key["profile"])}
    if not versions:
        known = ", ".join(dict.fromkeys(f"{m.id}/{m.profile}" for m in metrics))
        raise Misconfigured(f"no metric {key['metric_id']!r} with profile {key['profile']!r}; there are {known}")
    conditions = " and ".join(f"{name} = :{name}" for name in KEY)
    figure = connection.execute(sa.text(f"select * from mart.kpi where {conditions}"), key).mappings().first()  # noqa: S608  (names of ours)
    if figure is None:
        raise Misconfigured(f"no figure has the key {key}: it is zero, or unit, period or field do not exist")
    metric = versions.get(figure["definition_version"])
    if metric is None:
        raise Misconfigured(
            f"kpis.toml has no version {figure['definition_version']!r} of {key['metric_id']!r} {key['profile']!r}, "
            "by which this figure was published; run `tthc rollup` to publish by the definitions in force"
        )
    night = connection.execute(sa.text("select night from mart.publication where is_current")).scalar_one()
    build.judge(connection, night=night, province=province)
    parameters = {
        "calendar": key["period_calendar"],
        "label": key["period_label"],
        "unit": key["unit_code"],
        "basis": key["basis"],
        "field": key["field_code"],
        **_parts("numerator", metric.numerator),
        **_parts("denominator", metric.denominator),
    }
    dossiers = [dict(row) for row in connection.execute(sa.text(statement("explain")), parameters).mappings()]
    forms = []
    if "from_summary" in figure["flags"]:
        forms = [dict(row) for row in connection.execute(sa.text(statement("explain_forms")), parameters).mappings()]
    return Explanation(figure=dict(figure), metric=metric, dossiers=dossiers, forms=forms)


def _parts(name: str, expression: str | None) -> dict[str, list[str]]:
    """Parameters of explain.sql: the counters that put a dossier into a part of the figure, and that take it out."""
    added, taken = parts(expression) if expression else ([], [])
    return {name: added, f"{name}_less": taken}
