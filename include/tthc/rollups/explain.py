"""From a figure to its dossiers and the rows of the files they came from, and from a row back to figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.reference.kpis import Metric
from tthc.reference.manual import Indicator

KEY = ("period_calendar", "period_label", "unit_code", "basis", "field_code", "metric_id", "profile")
_BEHIND = sa.text(
    "select * from mart.explain(:metric_id, :unit_code, :period_label, :period_calendar, :profile, :basis, :field_code)"
)
_HASHES = sa.text(
    "select distinct file_sha256 from core.delivery where file_sha256 = lower(:file) or file_name = :file order by 1"
)
_FIGURES = sa.text("select * from mart.figures_of(:sha256, :sheet, :row_no)")


@dataclass(slots=True)
class Explanation:
    """`figure`: the row of mart.kpi. `metric`: its definition. `dossiers`: the rows of mart.explain. `forms`: those of
    form II.06 that speak for units without dossiers, or the lines in which units stated the figure."""

    figure: dict[str, Any]
    metric: Metric | Indicator
    dossiers: list[dict[str, Any]]
    forms: list[dict[str, Any]]

    @property
    def citation(self) -> str:
        """Where the definition comes from."""
        return self.metric.source if isinstance(self.metric, Indicator) else self.metric.citation

    @property
    def agrees(self) -> bool:
        """Whether the dossiers found make up the figure; False after the core moved and before it is published."""
        if self.forms or self.figure["numerator"] is None:
            return True
        inside = sum(dossier["in_numerator"] for dossier in self.dossiers)
        below = sum(dossier["in_denominator"] for dossier in self.dossiers)
        return bool(inside == self.figure["numerator"] and below == (self.figure["denominator"] or below))


def explain(
    connection: sa.Connection, key: dict[str, str], metrics: Sequence[Metric], indicators: Mapping[str, Indicator]
) -> Explanation:
    """Explain one figure of the current publication; `key` holds the columns of KEY.

    Raises Misconfigured when no metric or no figure has this key (a missing row of mart.kpi is zero).
    """
    versions: dict[str, Metric | Indicator] = {
        m.version: m for m in metrics if (m.id, m.profile) == (key["metric_id"], key["profile"])
    }
    if key["metric_id"] in indicators and key["profile"] == "*":
        versions = {indicators[key["metric_id"]].version: indicators[key["metric_id"]]}
    if not versions:
        known = ", ".join(dict.fromkeys([*(f"{m.id}/{m.profile}" for m in metrics), *(f"{i}/*" for i in indicators)]))
        raise Misconfigured(f"no metric {key['metric_id']!r} with profile {key['profile']!r}; there are {known}")
    conditions = " and ".join(f"{name} = :{name}" for name in KEY)
    figure = connection.execute(sa.text(f"select * from mart.kpi where {conditions}"), key).mappings().first()  # noqa: S608  (names of ours)
    if figure is None:
        raise Misconfigured(
            f"no figure has the key {key}: it is zero, nobody has stated it, or unit, period or field do not exist"
        )
    metric = versions.get(figure["definition_version"])
    if metric is None:
        raise Misconfigured(
            f"the registry has no version {figure['definition_version']!r} of {key['metric_id']!r} {key['profile']!r}, "
            "by which this figure was published; run `tthc rollup` to publish by the definitions in force"
        )
    rows = [dict(row) for row in connection.execute(_BEHIND, key).mappings()]
    return Explanation(
        figure=dict(figure),
        metric=metric,
        dossiers=[row for row in rows if row["dossier_key"]],
        forms=[row for row in rows if not row["dossier_key"]],
    )


def figures_of(connection: sa.Connection, file: str, row_no: int, sheet: str | None = None) -> list[dict[str, Any]]:
    """What became of a row of a file, given by hash or name, and the figures it is in now: rows of mart.figures_of.

    Raises Misconfigured when no delivery has this hash or name, or none of its rows is known by this number.
    """
    hashes = connection.execute(_HASHES, {"file": file}).scalars().all()
    if not hashes:
        raise Misconfigured(f"no file {file!r} was delivered: give its name or its SHA-256")
    rows = [
        dict(row)
        for sha256 in hashes
        for row in connection.execute(_FIGURES, {"sha256": sha256, "sheet": sheet, "row_no": row_no}).mappings()
    ]
    if not rows:
        raise Misconfigured(f"{file!r} has no row {row_no} that was loaded or refused (numbers are those of the file)")
    return rows
