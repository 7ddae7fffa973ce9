"""Figures as they are published: what they may be called, the row in which one stands, and the rows beside it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.domain.text import fold
from tthc.reference.index_766 import IndexComponent
from tthc.reference.kpis import Metric
from tthc.reference.manual import Indicator
from tthc.reference.measures import Measure

KEY = ("period_calendar", "period_label", "unit_code", "basis", "field_code", "metric_id", "profile")
INDEX = "index_766"  # how the whole of mart.index_766_total is asked for; its groups and components by their codes
SIDES = {
    "dossiers": "Dossiers of units of which both sides tell one",
    "only_province": "Dossiers that only the province's systems tell",
    "only_nation": "Dossiers that only the national portal tells",
    "in_both": "Dossiers that both sides tell",
    "differing": "Dossiers that both sides tell differently",
    **{
        f"{name}_differs": f"Dossiers whose {name} the two sides tell differently"
        for name in ("status", "unit", "procedure", "received", "due", "finished")
    },
}  # counts of mart.source_difference
_OF_METRIC = ("basis", "metric_id", "profile")  # columns that only figures of metrics have
_SUBMITTED = sa.text(
    "select submission_id, publication_id from mart.submission "
    "where (period_calendar, period_label) = (:period_calendar, :period_label) "
    "and unit_code in (:unit_code, (select province from core.hmac_key order by key_id limit 1)) "
    "and :version in (version, 0) order by unit_code = :unit_code desc, version desc limit 1"
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
_PUBLICATIONS = sa.text("select publication_id from mart.publication")


@dataclass(slots=True, kw_only=True)
class Known:
    """What may be asked for by name: metrics in all their versions, indicators of manual input, what reports measure,
    and components of index 766."""

    metrics: Sequence[Metric]
    indicators: Mapping[str, Indicator]
    measures: Mapping[str, Measure]
    components: Sequence[IndexComponent]

    def profiles(self, name: str) -> list[str]:
        """The profiles under which a name means something, sorted."""
        found = {one.profile for one in self.metrics if one.id == name}
        if name in self.measures and self.measures[name].recomputed:
            found.add(str(self.measures[name].profile))
        return sorted(found or {"*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """Which figures are meant: those of a publication, or those handed in, which rest on one; else the current ones."""

    publication: int | None = None
    submission: int | None = None

    @property
    def is_current(self) -> bool:
        return self.publication is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A published figure: its row, with `numerator` and `denominator`, and what it means (see Explanation)."""

    row: dict[str, Any]
    title: str
    formula: tuple[str, str | None]
    citation: str


def handed_in(connection: sa.Connection, key: dict[str, str], version: int) -> Edition:
    """The figures of a unit and period in a version handed in, 0 for the newest: of the unit itself, else of the
    province, which has all units. Raises Misconfigured."""
    found = connection.execute(_SUBMITTED, key | {"version": version}).first()
    if found is None:
        which = f"version {version}" if version else "version"
        raise Misconfigured(
            f"no {which} of {key['period_label']} was handed in; `tthc submissions list` shows what was"
        )
    return Edition(publication=found.publication_id, submission=found.submission_id)


def figure_of(connection: sa.Connection, key: dict[str, str], known: Known, edition: Edition) -> Figure:
    """The figure with this key. Raises Misconfigured when nothing is called so or nothing has the key."""
    name, profile = key["metric_id"], key["profile"]
    versions: dict[str, Metric | Indicator] = {
        m.version: m for m in known.metrics if (m.id, m.profile) == (name, profile)
    }
    if name in known.indicators and profile == "*":
        versions = {known.indicators[name].version: known.indicators[name]}
    if versions:
        row = row_of(connection, "kpi", KEY, key, edition)
        metric = versions.get(row["definition_version"])
        if metric is None:
            raise Misconfigured(
                f"the registry has no version {row['definition_version']!r} of {name!r} {profile!r}, by which this "
                "figure was published; run `tthc rollup` to publish by the definitions in force"
            )
        citation = metric.source if isinstance(metric, Indicator) else metric.citation
        formula = (metric.numerator, metric.denominator)
        return Figure(row=row, title=metric.title, formula=formula, citation=citation)
    measure = known.measures.get(name)
    if measure is not None and measure.recomputed and measure.profile == profile:
        row = _measured(connection, key, name, edition)
        return Figure(row=row, title=measure.title, formula=(measure.recomputed, None), citation=measure.source)
    if name in SIDES and profile == "*":
        if not edition.is_current:
            raise Misconfigured("what the two sides tell is compared in the current publication only")
        row = row_of(connection, "source_difference", [one for one in KEY if one not in _OF_METRIC], key, edition)
        row |= {"numerator": row[name], "denominator": None}
        return Figure(row=row, title=SIDES[name], formula=(name, None), citation="mart.source_difference")
    raise Misconfigured(_no_such_name(key, known))


def _measured(connection: sa.Connection, key: dict[str, str], name: str, edition: Edition) -> dict[str, Any]:
    """A cell of form 06a, or what the dossiers give for another cell of a report."""
    columns = list(connection.execute(sa.text("select * from mart.form_06a limit 0")).keys())
    if name in columns:
        if not edition.is_current and edition.submission is None:
            raise Misconfigured("form 06a is kept of the current publication and as handed in: --submitted")
        row = row_of(connection, "form_06a", [one for one in KEY if one not in _OF_METRIC[1:]], key, edition)
        return row | {"numerator": row[name], "denominator": None}
    if not edition.is_current:
        raise Misconfigured("reports are compared with the current publication only")
    names = [*(one for one in KEY if one not in _OF_METRIC), "measure"]
    row = row_of(connection, "reported", names, key | {"measure": name}, edition)
    return row | {"numerator": row["recomputed"], "denominator": None}


def row_of(
    connection: sa.Connection, view: str, names: Sequence[str], key: dict[str, str], edition: Edition
) -> dict[str, Any]:
    """The row of a view of schema mart with this key. Raises Misconfigured where there is none."""
    conditions = " and ".join(f"{name} = :{name}" for name in names)
    if edition.submission is not None:
        view, conditions = f"submitted_{view}", f"{conditions} and submission_id = :submission_id"
    elif edition.publication is not None:
        view, conditions = f"{view}_history", f"{conditions} and publication_id = :publication_id"
    asked = key | {"publication_id": edition.publication, "submission_id": edition.submission}
    row = connection.execute(sa.text(f"select * from mart.{view} where {conditions}"), asked).mappings().first()  # noqa: S608  (names of ours)
    if row is None:
        raise Misconfigured(why_none(connection, key, edition))
    return dict(row)


def _no_such_name(key: dict[str, str], known: Known) -> str:
    name = key["metric_id"]
    metrics = list(
        dict.fromkeys([*(f"{m.id}/{m.profile}" for m in known.metrics), *(f"{i}/*" for i in known.indicators)])
    )
    measures = [f"{m.id}/{m.profile}" for m in known.measures.values() if m.recomputed]
    words = [*(m.id for m in known.metrics), *known.indicators, *known.measures, *SIDES, INDEX]
    return (
        f"no metric {name!r} with profile {key['profile']!r}{nearest(name, list(dict.fromkeys(words)))}; there are "
        f"{', '.join(metrics)}; of forms and reports {', '.join(measures)}; of the two sides {', '.join(SIDES)}; "
        f"{INDEX}, its groups and components"
    )


# The views in which a figure of the current publication stands too: a verdict, a rank, a cell of a report.
_ELSEWHERE = {
    "kpi_vs_target": "target_id, comparator, target_value, met, gap, source_document, source_line, conflicts_with",
    "ranking": "rank, band, ranked, lower_bound, upper_bound, minimum_count",
    "index_766": "group_code, component_id, points, max_points, missing, state",
    "kpi_public": "numerator, denominator, suppressed, minimum_count",
    "reported": "reported, recomputed, difference, source_id, report, file_name, sheet, row_no, night",
    "submission_difference": (
        "version, submitted_numerator, submitted_denominator, current_numerator, current_denominator"
    ),
}
_NOT_IN = {
    "ranking": "field_code",
    "index_766": "basis field_code",
    "kpi_public": "basis field_code",
    "reported": "basis",
}


def beside(connection: sa.Connection, key: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of other views about a figure of the current publication, each with the name of its view."""
    found = []
    for view, columns in _ELSEWHERE.items():
        missing = _NOT_IN.get(view, "").split()
        whole = {"basis": "as_reported", "field_code": "*"}
        if any(key[name] != whole[name] for name in missing):
            continue
        names = {
            name: "measure" if (view, name) == ("reported", "metric_id") else name
            for name in KEY
            if name not in missing
        }
        conditions = " and ".join(f"{column} = :{name}" for name, column in names.items())
        rows = connection.execute(sa.text(f"select {columns} from mart.{view} where {conditions}"), key)  # noqa: S608  (names of ours)
        found += [{"view": view, **row} for row in rows.mappings()]
    return found


# Where on today's boundary the dossiers went of a unit that ended, or stay of which this unit got a part.
_MOVED = sa.text(
    "select old_code, effective_date, string_agg(new_code, ', ' order by new_code) as new_codes, "
    "(count(*) > 1 or bool_or(is_partial)) and count(weight) < count(*) as is_torn from ref.unit_succession "
    "group by old_code, effective_date having old_code = :unit_code or :unit_code = any(array_agg(new_code)) "
    "order by 2, 1"
)


def why_none(connection: sa.Connection, key: dict[str, str], edition: Edition) -> str:
    """Why no figure has this key: the word in it that names nothing, and what is nearest to it, or that it is zero."""
    if edition.publication not in (None, *connection.execute(_PUBLICATIONS).scalars()):
        return f"no publication {edition.publication}: mart.publication lists them"
    asked = {name: key[name] for name in KEY}
    for name, statement in _KNOWN.items():
        known = [str(word) for word in connection.execute(statement, key).scalars()]
        if key[name] not in known and (name, key[name]) != ("field_code", "*"):
            return f"no figure has the key {asked}: there is no {name} {key[name]!r}{nearest(key[name], known)}"
    moved = [
        f"{row.old_code} {'was split undivided' if row.is_torn else 'went'} into {row.new_codes} on "
        f"{row.effective_date:%d/%m/%Y}: ask for {row.old_code if row.is_torn else row.new_codes}"
        for row in connection.execute(_MOVED, key)
    ]
    elsewhere = f" ({'; '.join(moved)})" if moved and key["basis"] == "current_boundary" else ""
    return f"no figure has the key {asked}: it is zero, or nobody has stated it{elsewhere}"


def nearest(word: str, known: Sequence[str]) -> str:
    """The known words nearest to a mistyped one, as a remark; empty when none is near."""
    folded = {fold(one): one for one in known}
    near = [folded[one] for one in difflib.get_close_matches(fold(word), list(folded), n=3)]
    return f" (did you mean {' or '.join(near)}?)" if near else ""
