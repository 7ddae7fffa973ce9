"""A list without rows: held until believed, then a reported zero of the unit it is of, and never of another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from exports import counts, csv_list, dossier, form_06a
from tthc import pipeline
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 12)
A, B = dossier("H42-260105-0001"), dossier("H42-260105-0002", unit_name="UBND xã Cổ Đạm")
EMPTY = csv_list([A]).splitlines()[0] + b"\r\n"


def on(days: int) -> date:
    return NIGHT + timedelta(days=days)


def file(unit: str, night: date) -> str:
    return f"mot_cua_csv/{unit}_{night:%Y%m%d}.csv"


def states(warehouse: Warehouse, night: date) -> dict[str, str]:
    rows = warehouse.query(
        "select distinct unit_code, state from mart.coverage where source_id = 'mot_cua_csv' and night = :night",
        night=night,
    )
    return {row["unit_code"]: row["state"] for row in rows}


def verdicts(warehouse: Warehouse, night: date) -> list[tuple[str, str | None]]:
    rows = warehouse.query("select verdict, reason from core.delivery where night = :night order by 1", night=night)
    return [(row["verdict"], row["reason"]) for row in rows]


@pytest.fixture
def trusting(warehouses: Warehouses, tmp_path: Path) -> Iterator[Warehouse]:
    """A house whose CSV source may send a header without rows."""
    (tmp_path / "sources.toml").write_text('[[source]]\nid = "mot_cua_csv"\nmay_be_empty = true\n', encoding="utf-8")
    with warehouses.fresh(tmp_path) as made:
        yield made


def test_a_released_empty_list_is_a_reported_zero_of_its_unit(warehouse: Warehouse) -> None:
    """Until a person has released it, its unit is missing; the next night asks again, whosever header it is."""
    warehouse.load_only(NIGHT, {file("18373", NIGHT): csv_list([A]), file("18394", NIGHT): csv_list([B])})
    warehouse.load_only(on(1), {file("18373", on(1)): EMPTY, file("18394", on(1)): csv_list([B])})
    assert verdicts(warehouse, on(1)) == [("already_known", "ALREADY_LOADED"), ("held", "ZERO_ROWS")]
    assert states(warehouse, on(1)).pop("18373") in {"missing", "not_due"}
    held = int(warehouse.value("select delivery_id from core.delivery where verdict = 'held'"))
    with warehouse.kept():
        pipeline.decide(warehouse.settings, held, release=True, by="NGƯỜI GIẢ", reason="không phát sinh hồ sơ")
    assert states(warehouse, on(1))["18373"] == "zero"
    assert states(warehouse, on(1))["18394"] != "zero"
    warehouse.load_only(on(2), {file("18394", on(2)): EMPTY})
    assert verdicts(warehouse, on(2)) == [("held", "ZERO_ROWS")]
    assert "zero" not in states(warehouse, on(2)).values()


def test_where_a_source_may_be_empty_each_empty_list_is_a_zero_of_its_own_unit(trusting: Warehouse) -> None:
    """Two communes send the same bytes: both have reported; who sent nothing has not, and dossiers stay."""
    trusting.load_only(NIGHT, {file("18373", NIGHT): csv_list([A]), file("18394", NIGHT): csv_list([B])})
    trusting.load_only(on(1), {file("18373", on(1)): EMPTY, file("18394", on(1)): EMPTY})
    assert verdicts(trusting, on(1)) == [("loaded", None)]
    assert states(trusting, on(1)) == {"18373": "zero", "18394": "zero"}
    trusting.load_only(on(2), {file("18394", on(2)): EMPTY})
    assert states(trusting, on(2))["18394"] == "zero"
    assert states(trusting, on(2))["18373"] != "zero"
    assert trusting.value("select count(*) from core.dossier") == 2
    trusting.publish()
    row = trusting.query("select distinct units_reported from mart.kpi where unit_code = '42' and period_label = "
                         "'2026-03' and period_calendar = 'CALENDAR'")  # fmt: skip
    assert row == [{"units_reported": 2}]


def test_an_empty_list_of_nobody_known_speaks_for_nobody(trusting: Warehouse) -> None:
    trusting.load_only(NIGHT, {file("18373", NIGHT): csv_list([A])})
    trusting.load_only(on(1), {"mot_cua_csv/khac.csv": EMPTY, "mot_cua_csv/ca_tinh.csv": csv_list([A, B])})
    trusting.load_only(on(2), {"mot_cua_csv/ca_tinh.csv": EMPTY})
    assert trusting.value("select count(*) from core.delivery_unit where row_count = 0") == 0


def test_a_form_whose_only_row_is_a_total_of_zeros_is_a_reported_zero(warehouse: Warehouse) -> None:
    forms = {
        "a": form_06a([], total=counts()),
        "b": form_06a([], unit="UBND xã Cổ Đạm", total=counts(direct=3, in_time=3)),
    }
    warehouse.load_only(date(2026, 3, 15), {f"tong_hop_06a_xlsx/{name}.xlsx": form for name, form in forms.items()})
    assert verdicts(warehouse, date(2026, 3, 15)) == [("loaded", None), ("rejected", "TOTAL_MISMATCH")]
    rows = warehouse.query("select distinct unit_code, state from mart.coverage where source_id = 'tong_hop_06a_xlsx'")
    assert rows == [{"unit_code": "18373", "state": "zero"}]
