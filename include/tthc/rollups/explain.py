"""From a figure to its dossiers and the rows of the files they came from, and from a row back to figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.reference.index_766 import IndexComponent
from tthc.rollups.published import INDEX, Edition, Known, beside, figure_of, handed_in, row_of, why_none

_BEHIND = sa.text(
    "select * from mart.explain("
    ":metric_id, :unit_code, :period_label, :period_calendar, :profile, :basis, :field_code, :most, :beyond, "
    ":publication_id)"
)
_TOTALS = ("total_rows", "total_numerator", "total_denominator")
_WITHHELD_BY = sa.text(
    "select distinct rule_id from mart.judgement where source_id = 'figures' and rows_failed > 0 "
    "and night = (select night from mart.publication where is_current) order by rule_id"
)
_CAME_TO = sa.text(
    "select * from mart.data_quality where file_sha256 = any(:hashes) and rule_id is null order by night desc limit 1"
)
_HASHES = sa.text(
    "select distinct file_sha256 from core.delivery where file_sha256 = lower(:file) or file_name = :file order by 1"
)
_VERSIONS = sa.text(
    "select case when version.version_id = dossier.version_id then 'counted' else 'superseded' end as outcome, "
    "version.source_id, version.night, version.file_name, delivery.file_sha256, version.sheet, version.row_no "
    "from core.dossier join core.dossier_version as version using (dossier_key) "
    "join core.delivery using (delivery_id) where dossier_key = cast(:dossier as uuid) "
    "order by version.night desc, version.version_id desc"
)
_FIGURES = sa.text("select * from mart.figures_of(:sha256, :sheet, :row_no)")


@dataclass(slots=True, kw_only=True)
class Explanation:
    """`figure`: its row as published, of mart.kpi, mart.form_06a, mart.reported, mart.source_difference or
    mart.index_766_total, with `numerator` and `denominator`. `title`, `formula` (counters, or words), `citation`: what
    it means. `beside`: the rows of other views it stands in, each with the name of the view. `parts`: of an index its
    components, rows of mart.index_766, each of which can be explained by its metric. `dossiers`: the rows of
    mart.explain. `forms`: those of form II.06 that speak for units without dossiers, or the lines in which units stated
    the figure. Of both only the part that was asked for; `total_*` are of all. `withheld_by`: of a figure withheld,
    the rules broken that night."""

    figure: dict[str, Any]
    title: str
    formula: tuple[str, str | None]
    citation: str
    beside: list[dict[str, Any]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
    dossiers: list[dict[str, Any]] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)
    total_rows: int = 0
    total_numerator: int = 0
    total_denominator: int = 0
    withheld_by: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether the rows, or the points of the parts, make up the figure. False where the lists of units,
        procedures or days, or the order of trust, have changed since it was published."""
        if "points" in self.figure:
            return (self.figure["points"] or 0) == sum(part["points"] or 0 for part in self.parts)
        if self.figure["numerator"] is None:
            return True
        of_rows = (self.total_numerator, self.total_denominator)
        return of_rows == (self.figure["numerator"], self.figure["denominator"] or self.total_denominator)


def explain(
    connection: sa.Connection,
    key: dict[str, str],
    known: Known,
    *,
    most: int | None = None,
    beyond: int = 0,
    publication: int | None = None,
    submitted: int | None = None,
) -> Explanation:
    """Explain one figure by at most `most` rows from the one after `beyond` on; `key` holds the columns of KEY.

    Of the current publication, of an older one, or as handed in (`submitted`: a version, 0 for the newest). Raises
    Misconfigured when nothing is called so, or no figure has this key (a missing row of mart.kpi is zero).
    """
    name = key["metric_id"]
    of_index = [one for one in known.components if name in (INDEX, one.group_code, one.component_id)]
    if of_index and (publication, submitted) != (None, None):
        raise Misconfigured("index 766 is kept of the current publication only; ask for a metric of it")
    if of_index and name != of_index[0].component_id:
        return _index(connection, key, of_index)
    if of_index:
        (component,), parts = of_index, _index_parts(connection, key, of_index)
        if parts[0]["state"] not in ("told", "missing") or component.metric_id is None:
            return _component(component, parts)
        key = key | {"metric_id": component.metric_id, "profile": str(component.profile)}
    edition = Edition(publication=publication) if submitted is None else handed_in(connection, key, submitted)
    figure = figure_of(connection, key, known, edition)
    asked = {**key, "most": most, "beyond": beyond, "publication_id": edition.publication}
    rows = [dict(row) for row in connection.execute(_BEHIND, asked).mappings()]
    totals = rows[:1]
    if not rows and beyond:  # beyond the last row there is none to say the totals
        totals = [dict(row) for row in connection.execute(_BEHIND, {**asked, "most": 1, "beyond": 0}).mappings()]
    total = totals[0] if totals else dict.fromkeys(_TOTALS, 0)
    is_withheld = figure.row["numerator"] is None and edition.is_current
    return Explanation(
        figure=figure.row,
        title=figure.title,
        formula=figure.formula,
        citation=figure.citation,
        beside=beside(connection, key) if edition.is_current else [],
        dossiers=[_own(row) for row in rows if row["dossier_key"]],
        forms=[_own(row) for row in rows if not row["dossier_key"]],
        total_rows=total["total_rows"] or 0,
        total_numerator=total["total_numerator"] or 0,
        total_denominator=total["total_denominator"] or 0,
        withheld_by=list(connection.execute(_WITHHELD_BY).scalars()) if is_withheld else [],
    )


_PARTS = """
select part.* from mart.index_766 as part
where (part.period_calendar, part.period_label, part.unit_code) = (:period_calendar, :period_label, :unit_code)
and part.component_id = any(:components) order by part.component_id
"""


def _index_parts(
    connection: sa.Connection, key: dict[str, str], components: Sequence[IndexComponent]
) -> list[dict[str, Any]]:
    if (key["basis"], key["field_code"]) != ("as_reported", "*"):
        raise Misconfigured("index 766 is told as reported, of all fields together")
    asked = {**key, "components": [one.component_id for one in components]}
    parts = [dict(row) for row in connection.execute(sa.text(_PARTS), asked).mappings()]
    if not parts:
        raise Misconfigured(why_none(connection, key, Edition()))
    return parts


def _index(connection: sa.Connection, key: dict[str, str], components: Sequence[IndexComponent]) -> Explanation:
    """The whole index, or a group of it, by its components."""
    parts = _index_parts(connection, key, components)
    group = "*" if key["metric_id"] == INDEX else key["metric_id"]
    total = row_of(
        connection, "index_766_total", ("period_calendar", "period_label", "unit_code", "group_code"),
        key | {"group_code": group}, Edition(),
    )  # fmt: skip
    title = "Chỉ số 766" if group == "*" else f"Chỉ số 766, nhóm {group}"
    return Explanation(
        figure=total, title=title, formula=("the points of its components", None), citation="QĐ 766/QĐ-TTg", parts=parts
    )


def _component(component: IndexComponent, parts: list[dict[str, Any]]) -> Explanation:
    """A component that has its points, or none, without any row: it does not apply, or there was nothing to count."""
    return Explanation(
        figure=parts[0], title=component.title, formula=(f"{component.metric_id}/{component.profile}", None),
        citation="QĐ 766/QĐ-TTg", parts=parts,
    )  # fmt: skip


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _TOTALS}


def _why_no_row(connection: sa.Connection, file: str, row_no: int, hashes: Sequence[str]) -> str:
    """Why a row is not known: what its file came to. Which rows were dropped or repeated is not kept, only how many."""
    told = connection.execute(_CAME_TO, {"hashes": hashes}).one()
    return (
        f"{file!r} has no row {row_no} that was loaded or refused (numbers are those of the file). It is {told.verdict}"
        f"{f' ({told.reason})' if told.reason else ''}: of {told.rows_read} rows {told.rows_accepted} were accepted, "
        f"{told.rows_quarantined} refused, {told.rows_dropped} dropped as totals or notes, {told.rows_duplicate} said "
        "twice in it"
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
        raise Misconfigured(_why_no_row(connection, file, row_no, hashes))
    return rows


def history_of(connection: sa.Connection, dossier: str) -> list[dict[str, Any]]:
    """The rows that told a new state of a dossier, the newest first; one of them is counted. Raises Misconfigured when
    no dossier has this key."""
    try:
        told = [dict(row) for row in connection.execute(_VERSIONS, {"dossier": str(UUID(dossier))}).mappings()]
    except ValueError:
        told = []
    if not told:
        raise Misconfigured(
            f"no dossier has the key {dossier!r}: give a dossier_key as `tthc explain` shows it with --json"
        )
    return told
