"""One dossier told by two sources: it counts once by their order, and what they tell differently is found by its rule."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from exports import Row, csv_list, record
from test_rules import sound
from tthc import pipeline
from warehouses import Warehouse

NIGHT = date(2026, 3, 12)
ROWS = [sound(number) for number in range(12)]
RULE = "DUPLICATE_ACROSS_SOURCES"


def portal(*rows: Row) -> bytes:
    return json.dumps([record(row) for row in rows], ensure_ascii=False).encode()


def found(warehouse: Warehouse) -> dict[str, int]:
    """Source → rows of which the rule spoke."""
    rows = warehouse.query(
        "select source_id, sum(row_count)::int as rows from core.delivery_finding join core.delivery using (delivery_id) "
        "where rule_id = :rule group by source_id",
        rule=RULE,
    )
    return {row["source_id"]: row["rows"] for row in rows}


def incidents(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    rows = warehouse.query(
        "select source_id, severity, state from alerts.incident where rule_id = :rule order by 1", rule=RULE
    )
    return [(row["source_id"], row["severity"], row["state"]) for row in rows]


def judged(warehouse: Warehouse) -> list[tuple[str, int, int]]:
    rows = warehouse.query(
        "select source_id, rows_judged, rows_failed from core.judgement where rule_id = :rule order by judgement_id",
        rule=RULE,
    )
    return [tuple(row.values()) for row in rows]


DIFFERENCES = {
    "another unit": {"unit_name": "UBND xã Cổ Đạm"},
    "another procedure": {"procedure_code": "1.000894"},
    "another day of receipt": {"received_at": "06/01/2026"},
}


def test_a_dossier_that_two_sources_tell_alike_is_no_fault(warehouse: Warehouse) -> None:
    """Nor is one whose state is newer in one of them."""
    newer = {"status": "Đã xử lý xong", "finished_at": "09/01/2026"}
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS)})
    warehouse.load_only(NIGHT, {"dvcqg_json/b.json": portal(*ROWS[:4], ROWS[4] | newer, sound(99))})
    assert found(warehouse) == {}
    assert judged(warehouse) == [("dvcqg_json", 5, 0)]
    assert warehouse.value("select count(*) from core.dossier") == 13


@pytest.mark.parametrize("what", DIFFERENCES)
def test_what_two_sources_tell_differently_is_a_warning_and_counts_once(warehouse: Warehouse, what: str) -> None:
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS)})
    warehouse.load(NIGHT, {"dvcqg_json/b.json": portal(ROWS[3] | DIFFERENCES[what], *ROWS[5:9])})
    assert found(warehouse) == {"dvcqg_json": 1}
    assert incidents(warehouse) == [("dvcqg_json", "warning", "open")]
    assert warehouse.value("select count(*) from core.dossier") == 12
    assert warehouse.value("select count(distinct (unit_code, procedure_code, received_on)) from core.dossier") == 1
    assert warehouse.value("select count(*) from core.quarantine") == 0


def test_the_order_of_arrival_does_not_hide_it_and_agreement_ends_it(warehouse: Warehouse) -> None:
    other = ROWS[3] | DIFFERENCES["another unit"]
    warehouse.load_only(NIGHT, {"dvcqg_json/b.json": portal(other, *ROWS[5:9])})
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS)})
    assert found(warehouse) == {"mot_cua_csv": 1}
    later = [row | {"field_name": "Chứng thực"} for row in ROWS]
    warehouse.load_only(NIGHT + timedelta(days=1), {"mot_cua_csv/a.csv": csv_list(later)})
    warehouse.load(NIGHT + timedelta(days=1), {"dvcqg_json/b.json": portal(other, *later[5:10])})
    assert found(warehouse) == {"mot_cua_csv": 1, "dvcqg_json": 1}
    assert ("dvcqg_json", "warning", "open") in incidents(warehouse)
    warehouse.load(NIGHT + timedelta(days=2), {"dvcqg_json/b.json": portal(*later[3:10])})
    assert {state for _, _, state in incidents(warehouse)} == {"resolved"}


def test_a_held_file_is_compared_when_it_is_released(warehouse: Warehouse) -> None:
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS)})
    rows = portal(
        ROWS[3] | DIFFERENCES["another unit"],
        *(sound(number, status="Đã xử lý xong") for number in range(50, 80)),
    )
    warehouse.load_only(NIGHT, {"dvcqg_json/b.json": rows})
    assert warehouse.value("select reason from core.delivery where verdict = 'held'") == "QUARANTINE_SHARE"
    assert found(warehouse) == {}
    held = int(warehouse.value("select delivery_id from core.delivery where verdict = 'held'"))
    with warehouse.kept():
        pipeline.decide(warehouse.settings, held, release=True, by="NGƯỜI GIẢ", reason="nạp các dòng đúng")
    assert found(warehouse) == {"dvcqg_json": 1}


def test_one_source_alone_is_not_judged(warehouse: Warehouse) -> None:
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS)})
    warehouse.load_only(
        NIGHT + timedelta(days=1), {"mot_cua_csv/a.csv": csv_list([ROWS[3] | DIFFERENCES["another unit"]])}
    )
    assert (found(warehouse), judged(warehouse)) == ({}, [])
