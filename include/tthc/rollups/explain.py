"""From a figure to its dossiers and the rows of the files they came from, and from a row back to figures."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.domain.text import fold
from tthc.reference.kpis import Metric
from tthc.reference.manual import Indicator

KEY = ("period_calendar", "period_label", "unit_code", "basis", "field_code", "metric_id", "profile")
_BEHIND = sa.text(
    "select * from mart.explain("
    ":metric_id, :unit_code, :period_label, :period_calendar, :profile, :basis, :field_code, :most, :beyond)"
)
_TOTALS = ("total_rows", "total_numerator", "total_denominator")
_WITHHELD_BY = sa.text(
    "select distinct rule_id from mart.judgement where source_id = 'figures' and rows_failed > 0 "
    "and night = (select night from mart.publication where is_current) order by rule_id"
)
_CAME_TO = sa.text(
    "select * from mart.data_quality where file_sha256 = any(:hashes) and rule_id is null order by night desc limit 1"
)
# What a key may hold, to name what is nearest to a mistyped word: of a figure that is there, or could be.
_KNOWN = {
    "period_label": sa.text("select distinct label from ref.period where calendar = :period_calendar"),
    "unit_code": sa.text("select distinct unit_code from ref.unit"),
    "field_code": sa.text(
        "select distinct field_code from mart.kpi "
        "where (period_calendar, period_label) = (:period_calendar, :period_label)"
    ),
}
_HASHES = sa.text(
    "select distinct file_sha256 from core.delivery where file_sha256 = lower(:file) or file_name = :file order by 1"
)
_FIGURES = sa.text("select * from mart.figures_of(:sha256, :sheet, :row_no)")


@dataclass(slots=True)
class Explanation:
    """`figure`: the row of mart.kpi. `metric`: its definition. `dossiers`: the rows of mart.explain. `forms`: those of
    form II.06 that speak for units without dossiers, or the lines in which units stated the figure. Of both only the
    part that was asked for; `total_*` are of all. `withheld_by`: of a figure withheld, the rules broken that night."""

    figure: dict[str, Any]
    metric: Metric | Indicator
    dossiers: list[dict[str, Any]]
    forms: list[dict[str, Any]]
    total_rows: int
    total_numerator: int
    total_denominator: int
    withheld_by: list[str]

    @property
    def citation(self) -> str:
        """Where the definition comes from."""
        return self.metric.source if isinstance(self.metric, Indicator) else self.metric.citation

    @property
    def agrees(self) -> bool:
        """Whether the rows found make up the figure; False after the core moved and before it is published."""
        if self.figure["numerator"] is None:
            return True
        of_rows = (self.total_numerator, self.total_denominator)
        return of_rows == (self.figure["numerator"], self.figure["denominator"] or self.total_denominator)


def explain(
    connection: sa.Connection,
    key: dict[str, str],
    metrics: Sequence[Metric],
    indicators: Mapping[str, Indicator],
    *,
    most: int | None = None,
    beyond: int = 0,
) -> Explanation:
    """Explain one figure of the current publication by at most `most` rows from the one after `beyond` on; `key` holds
    the columns of KEY.

    Raises Misconfigured when no metric or no figure has this key (a missing row of mart.kpi is zero).
    """
    versions: dict[str, Metric | Indicator] = {
        m.version: m for m in metrics if (m.id, m.profile) == (key["metric_id"], key["profile"])
    }
    if key["metric_id"] in indicators and key["profile"] == "*":
        versions = {indicators[key["metric_id"]].version: indicators[key["metric_id"]]}
    if not versions:
        known = list(dict.fromkeys([*(f"{m.id}/{m.profile}" for m in metrics), *(f"{i}/*" for i in indicators)]))
        raise Misconfigured(
            f"no metric {key['metric_id']!r} with profile {key['profile']!r}"
            f"{_nearest(key['metric_id'], [m.id for m in metrics] + list(indicators))}; there are {', '.join(known)}"
        )
    conditions = " and ".join(f"{name} = :{name}" for name in KEY)
    figure = connection.execute(sa.text(f"select * from mart.kpi where {conditions}"), key).mappings().first()  # noqa: S608  (names of ours)
    if figure is None:
        raise Misconfigured(_why_none(connection, key))
    metric = versions.get(figure["definition_version"])
    if metric is None:
        raise Misconfigured(
            f"the registry has no version {figure['definition_version']!r} of {key['metric_id']!r} {key['profile']!r}, "
            "by which this figure was published; run `tthc rollup` to publish by the definitions in force"
        )
    rows = [dict(row) for row in connection.execute(_BEHIND, {**key, "most": most, "beyond": beyond}).mappings()]
    # beyond the last row there is none to say the totals
    first = {**key, "most": 1, "beyond": 0}
    totals = rows[:1] if rows or not beyond else [dict(row) for row in connection.execute(_BEHIND, first).mappings()]
    withheld = figure["numerator"] is None
    return Explanation(
        figure=dict(figure),
        metric=metric,
        dossiers=[_own(row) for row in rows if row["dossier_key"]],
        forms=[_own(row) for row in rows if not row["dossier_key"]],
        withheld_by=list(connection.execute(_WITHHELD_BY).scalars()) if withheld else [],
        **{name: totals[0][name] or 0 if totals else 0 for name in _TOTALS},
    )


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _TOTALS}


def _why_none(connection: sa.Connection, key: dict[str, str]) -> str:
    """Why no figure has this key: the word in it that names nothing, and what is nearest to it, or that it is zero."""
    for name, statement in _KNOWN.items():
        known = [str(word) for word in connection.execute(statement, key).scalars()]
        if key[name] not in known and (name, key[name]) != ("field_code", "*"):
            return f"no figure has the key {key}: there is no {name} {key[name]!r}{_nearest(key[name], known)}"
    return (
        f"no figure has the key {key}: it is zero, or nobody has stated it (for a figure of basis current_boundary, "
        "ask for the unit of today)"
    )


def _why_no_row(connection: sa.Connection, file: str, row_no: int, hashes: Sequence[str]) -> str:
    """Why a row is not known: what its file came to. Which rows were dropped or repeated is not kept, only how many."""
    told = connection.execute(_CAME_TO, {"hashes": hashes}).one()
    return (
        f"{file!r} has no row {row_no} that was loaded or refused (numbers are those of the file). It is {told.verdict}"
        f"{f' ({told.reason})' if told.reason else ''}: of {told.rows_read} rows {told.rows_accepted} were accepted, "
        f"{told.rows_quarantined} refused, {told.rows_dropped} dropped as totals or notes, {told.rows_duplicate} said "
        "twice in it"
    )


def _nearest(word: str, known: Sequence[str]) -> str:
    folded = {fold(one): one for one in known}
    near = [folded[one] for one in difflib.get_close_matches(fold(word), list(folded), n=3)]
    return f" (did you mean {' or '.join(near)}?)" if near else ""


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
        raise Misconfigured(_why_no_row(connection, file, row_no, hashes))
    return rows
