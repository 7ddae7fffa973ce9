"""A warehouse filled by an older version keeps what it holds, and goes on as one that was made today would.

The tables of the older version are filled with what a night writes today, as far as they have room for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from exports import FORM_COLUMNS, counts, csv_list, dossier, form_06a
from tthc import pipeline
from tthc.domain.errors import Misconfigured
from tthc.reference.files import fingerprint
from tthc.settings import CHECKOUT
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

NIGHT, NEXT = date(2026, 3, 20), date(2026, 3, 21)
SOUND, ODD = dossier("H42-260105-0001"), dossier("H42-260105-0002", due_at="01/01/2026")
LIST = "mot_cua_csv/danh-sach.csv"
KEPT = {"mot_cua_csv/b.csv": csv_list([dossier("H42-260105-0003", unit_name="UBND xã Cổ Đạm")])}
FORM = "tong_hop_06a_xlsx/a.xlsx"
FIRST = {
    LIST: csv_list([SOUND, ODD]),
    "mot_cua_csv/rong.csv": csv_list([SOUND]).splitlines(keepends=True)[0],  # held
    "mot_cua_csv/hong.csv": b"khong,co\n1,2\n",  # rejected
    FORM: form_06a([("Hộ tịch", counts(direct=3, in_time=3)), ("Đất đai", counts(online=1, early=2))]),
    **KEPT,
}
SECOND = {LIST: csv_list([SOUND, {**ODD, "due_at": "12/01/2026"}]), **KEPT}
SCHEMAS = ("core", "rollup", "alerts")
# Columns by today's name → the name they had up to a revision.
OLD_NAMES = {
    "0004": {("alerts.incident", "opened_at"): "recorded_at", ("alerts.outbox", "event_id"): "message_id"},
}
OLD_KINDS = {"opened", "resolved"}  # of the outbox up to 0004

Table = list[dict[str, Any]]


@dataclass
class Today:
    """What today's version holds after the first night; its figures and incidents after the second."""

    tables: dict[str, Table]
    figures: Table
    incidents: Table


def tables_of(warehouse: Warehouse) -> dict[str, list[str]]:
    """Table → columns, but the one whose default, -infinity, is no moment of Python."""
    rows = warehouse.query(
        "select table_schema || '.' || table_name as name, array_agg(column_name::text) as columns "
        "from information_schema.columns join information_schema.tables using (table_schema, table_name) "
        "where table_schema = any(:schemas) and table_type = 'BASE TABLE' "
        "and table_name not in ('alembic_version', 'writer') and column_name <> 'not_before' group by 1",
        schemas=list(SCHEMAS),
    )
    return {row["name"]: row["columns"] for row in rows}


def figures(warehouse: Warehouse) -> Table:
    return sorted(
        warehouse.query(
            "select period_calendar, period_label, unit_code, field_code, basis, metric_id, profile, numerator, "
            "denominator, status, units_expected, units_reported from mart.kpi"
        ),
        key=repr,
    )


def incidents(warehouse: Warehouse) -> Table:
    return warehouse.query(
        "select rule_id, source_id, unit_code, state, (select count(*) from alerts.outbox "
        "where outbox.incident_id = incident.incident_id) as told from alerts.incident order by 1, 2, 3, 4"
    )


@pytest.fixture(scope="module")
def today(module_warehouse: Warehouse) -> Iterator[Today]:
    module_warehouse.load(NIGHT, FIRST)
    tables = {
        name: module_warehouse.query(f"select {', '.join(columns)} from {name}")
        for name, columns in tables_of(module_warehouse).items()
    }
    assert all(tables[name] for name in ("core.quarantine", "core.reported", "alerts.incident", "rollup.counter"))
    module_warehouse.load(NEXT, SECOND)
    yield Today(tables, figures(module_warehouse), incidents(module_warehouse))


def build(warehouse: Warehouse, revision: str, today: Today) -> dict[str, list[str]]:
    """The tables of a revision, filled; returns them with today's names of their columns."""
    with transaction(warehouse.settings, writing=True) as connection:
        config = Config()
        config.set_main_option("script_location", str(CHECKOUT / "include/tthc/warehouse/migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    old = {at: name for until, names in OLD_NAMES.items() if revision <= until for at, name in names.items()}
    filled = {}
    with transaction(warehouse.settings) as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))  # in any order of tables
        for table, columns in tables_of(warehouse).items():
            known = {old.get((table, name), name): name for name in (today.tables.get(table) or [{}])[0]}
            shared = [column for column in columns if column in known]
            if not shared:
                continue
            filled[table] = [known[column] for column in shared]
            rows = [row for row in today.tables[table] if has_room(table, row, revision)]
            held = [{column: row[known[column]] for column in shared} for row in rows]
            if table == "rollup.publication" and revision < "0012":  # one version for all metrics, until then
                shared = [*shared, "definition_version"]
                held = [{**row, "definition_version": "2026.1"} for row in held]
            insert(connection, table, shared, held)
        if revision < "0004":
            insert(connection, "core.summary_06a", *forms(today.tables["core.reported"]))
        if revision < "0008":  # the reference data of today are said to be there, but for what came later
            connection.execute(
                sa.text("insert into ref.loaded (fingerprint) values (:now)"), {"now": fingerprint(warehouse.settings)}
            )
    return filled


def has_room(table: str, row: dict[str, Any], revision: str) -> bool:
    return table != "alerts.outbox" or revision > "0004" or row["kind"] in OLD_KINDS


def insert(connection: sa.Connection, table: str, columns: list[str], rows: Table) -> None:
    names, values = ", ".join(columns), ", ".join(f":{column}" for column in columns)
    if rows:
        connection.execute(sa.text(f"insert into {table} ({names}) overriding system value values ({values})"), rows)
    for column in columns:
        sequence = connection.execute(sa.select(sa.func.pg_get_serial_sequence(table, column))).scalar()
        if sequence:
            connection.execute(
                sa.text(f"select setval(:sequence, greatest(max({column}), 1)) from {table}"), {"sequence": sequence}
            )


def forms(reported: Table) -> tuple[list[str], Table]:
    """Cells of form II.06 as the rows that the first tables kept."""
    key = ("delivery_id", "row_no", "calendar", "kind", "label", "unit_code", "field_name", "field_key")
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in reported:
        place = tuple(cell[name] for name in key)
        rows.setdefault(place, dict(zip(key, place, strict=True)))[cell["measure"]] = cell["value"]
    return [*key, *FORM_COLUMNS], list(rows.values())


def ordered(rows: Table, columns: list[str]) -> list[str]:
    return sorted(repr([row[column] for column in sorted(columns)]) for row in rows)


@pytest.mark.parametrize("revision", ["0003", "0005", "0009"])
def test_a_filled_older_warehouse_keeps_what_it_holds(warehouses: Warehouses, today: Today, revision: str) -> None:
    with warehouses.bare() as warehouse:
        filled = build(warehouse, revision, today)
        assert {"core.delivery", "core.quarantine", "core.dossier_version", "alerts.incident", "rollup.counter"} <= {
            *filled
        }
        pipeline.init(warehouse.settings)
        for table, columns in filled.items():
            held = [row for row in today.tables[table] if has_room(table, row, revision)]
            assert ordered(warehouse.query(f"select {', '.join(columns)} from {table}"), columns) == ordered(
                held, columns
            ), table
        cells = ["delivery_id", "row_no", "label", "unit_code", "field_key", "measure", "value"]
        assert ordered(warehouse.query("select * from core.reported"), cells) == ordered(
            today.tables["core.reported"], cells
        )
        assert warehouse.value("select count(*) from core.quarantine where state = 'open' and ended_at is null") == 1
        assert warehouse.value("select count(*) from ref.expected_reporter where source_id = 'mot_cua_csv'") == 1
        assert (
            warehouse.query(
                "select incident_id from alerts.incident where severe_since <> opened_on or turn <> 1 or is_group "
                "or not exists (select from alerts.incident_history as told "
                "where told.incident_id = incident.incident_id and what = 'opened')"
            )
            == []
        )
        if revision == "0003":
            goes_on(warehouse, today)


def goes_on(warehouse: Warehouse, today: Today) -> None:
    """The next night brings the figures it brings today; what was told is not told again, what is over is told once."""
    warehouse.load(NEXT, SECOND)
    assert figures(warehouse) == today.figures
    assert incidents(warehouse) == today.incidents
    assert {"open", "resolved"} == {incident["state"] for incident in today.incidents}
    assert warehouse.value("select state from core.quarantine") == "repaired"
    assert warehouse.value("select verdict from core.delivery where file_name = 'b.csv' and night = :n", n=NEXT) == (
        "already_known"
    )


def test_the_tables_of_another_version_are_not_written_into(warehouse: Warehouse) -> None:
    def of(revision: str) -> None:
        with transaction(warehouse.settings) as connection:
            connection.execute(sa.text("update core.alembic_version set version_num = :now"), {"now": revision})

    of("9999")
    for step in (lambda: pipeline.init(warehouse.settings), lambda: warehouse.load_only(NIGHT, KEPT)):
        with pytest.raises(
            Misconfigured, match=r"newer version of tthc \(revision 9999, this program knows up to 00\d\d"
        ):
            step()
    of("0009")
    with pytest.raises(Misconfigured, match="older version of tthc: run `tthc init`"):
        warehouse.load_only(NIGHT, KEPT)
    assert warehouse.value("select count(*) from core.delivery") == 0
