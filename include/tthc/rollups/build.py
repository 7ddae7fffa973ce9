"""Figures are built beside the published ones, from what is known tonight, and written only where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from tthc.reference.measures import Measure
from tthc.rollups.metrics import measure_lines, metric_lines, statement
from tthc.warehouse.connect import run_script
from tthc.warehouse.definitions import formulas


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A publication that is due: its night and what it rests on."""

    night: date
    based_on: str
    registry_id: int


_ROWS = ("15_place", "20_state", "30_period_day", "40_received_row", "50_ended_row", "60_open_row", "61_told_by")
_CELLS = (
    "45_received_cell", "55_ended_cell", "65_open_cell", "66_form", "70_cell", "80_fresh", "82_manual_told",
    "83_manual_fresh",
)  # fmt: skip
_WRITES = (
    "90_close", "91_open", "92_coverage_fresh", "93_coverage_close", "94_coverage_open", "95_flow_day",
    "96_status_day_clear", "97_status_day", "98_manual_write", "98_source_side", "98_compared", "99_source_day",
)  # fmt: skip


_REPORTS = ("98_word", "98_told", "98_told_cell")
# Temporary tables that later statements join: of one that was never looked at PostgreSQL believes what it likes.
_LOOKED_AT = {
    "15_place",
    "20_state",
    "30_period_day",
    "70_cell",
    "80_fresh",
    "92_coverage_fresh",
    "98_source_side",
    *_REPORTS,
}


def _run(connection: sa.Connection, *names: str) -> None:
    for name in names:
        run_script(connection, statement(name))
        if name in _LOOKED_AT:
            run_script(connection, f"analyze {name[3:]}")


def due(connection: sa.Connection, *, full: bool) -> Plan | None:
    """The next publication, of the newest night delivered; None when neither core, reference nor time has moved."""
    core = connection.execute(
        sa.text(
            "select max(night) as night, max(delivery_id) as newest, "
            "(select count(*) from core.decision) as decisions, (select count(*) from core.replay) as replays, "
            "loaded.fingerprint as reference, loaded.registry_id from ref.loaded left join core.delivery on true "
            "group by loaded.fingerprint, loaded.registry_id"
        )
    ).one()
    if core.night is None:
        return None
    based_on = (
        f"delivery {core.newest}, {core.decisions} decisions and {core.replays} replays, reference {core.reference}, "
        f"definitions {core.registry_id}"
    )
    current = connection.execute(
        sa.text("select night, based_on from rollup.publication join rollup.current_publication using (publication_id)")
    ).first()
    if current is not None and not full and (current.night, current.based_on) == (core.night, based_on):
        return None
    return Plan(night=core.night, based_on=based_on, registry_id=core.registry_id)


def begin(connection: sa.Connection, plan: Plan) -> int:
    """Open a publication; it becomes readable by `make_current`."""
    publication_id: int = connection.execute(
        sa.text(
            "insert into rollup.publication (night, based_on, registry_id, newest_delivery, newest_version) "
            "values (:night, :based_on, :registry_id, (select max(delivery_id) from core.delivery), "
            "coalesce((select max(version_id) from core.dossier_version), 0)) returning publication_id"
        ),
        {"night": plan.night, "based_on": plan.based_on, "registry_id": plan.registry_id},
    ).scalar_one()
    return publication_id


def make_current(connection: sa.Connection, publication_id: int) -> None:
    """Flip the one pointer readers follow."""
    connection.execute(
        sa.text(
            "insert into rollup.current_publication (publication_id) values (:id) "
            "on conflict (singleton) do update set publication_id = excluded.publication_id"
        ),
        {"id": publication_id},
    )
    run_script(connection, "analyze rollup.publication, rollup.current_publication")  # few rows: nobody else does


def judge(connection: sa.Connection, *, night: date, province: str, known_on: date | None = None) -> None:
    """Make the temporary relations received_row, ended_row and open_row: which dossier is in which counter of which
    period, from the current state of every dossier, or from the state known on an earlier night."""
    run_script(connection, "drop view if exists pg_temp.known cascade")
    run_script(
        connection,
        "create temporary table tonight (night date, province text, publication_id bigint, newest_delivery bigint) "
        "on commit drop",
    )
    connection.execute(
        sa.text("insert into tonight (night, province) values (:night, :province)"),
        {"night": known_on or night, "province": province},
    )
    if known_on is None:
        _run(connection, "05_field")
    _run(connection, "10_known_now" if known_on is None else "10_known_on", *_ROWS)


def compute(connection: sa.Connection, *, night: date, province: str, known_on: date | None = None) -> None:
    """Count what `judge` found into the temporary table `fresh` (see sql/80_fresh.sql)."""
    judge(connection, night=night, province=province, known_on=known_on)
    _run(connection, *_CELLS)


def write(connection: sa.Connection, publication_id: int) -> None:
    """Make `fresh` the figures of a publication: what changed ends and begins, what did not is not touched."""
    connection.execute(sa.text("update tonight set publication_id = :id"), {"id": publication_id})
    _run(connection, *_WRITES, "99_cause")
    # what was just written is asked at once, before the server has looked at it by itself
    run_script(connection, "analyze rollup.counter, rollup.cause, ref.definition, ref.registry_entry")
    run_script(connection, "drop view if exists pg_temp.known cascade")


def compare(connection: sa.Connection, measures: Sequence[Measure]) -> None:
    """Put the newest word of every summary report beside the figures just written (rollup.reported)."""
    run_script(connection, "delete from rollup.reported; analyze core.reported")
    _run(connection, *_REPORTS)
    run_script(connection, statement("99_reported").replace(":measures", measure_lines(measures)))


def figures_as_known(connection: sa.Connection, *, known_on: date, province: str, label: str) -> list[dict[str, Any]]:
    """Figures of one period as they were known on a night; nothing is published or kept.

    Columns of mart.kpi's key, numerator, denominator, rate; one row a unit, basis and metric, all fields together.
    """
    compute(connection, night=known_on, province=province, known_on=known_on)
    text = statement("known_figures").replace(":metrics", metric_lines(formulas(connection)))
    return [dict(row) for row in connection.execute(sa.text(text), {"label": label}).mappings()]
