"""Figures as reported and on today's boundary, before and after the mergers of 1 July 2025; province totals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from exports import Row, csv_list, dossier
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)
OLD_QUARTER = "2025-Q3"  # 15/6/2025–14/9/2025


def _told(number: int, unit: str, received: str, finished: str = "") -> Row:
    status = "Đã xử lý xong" if finished else "Đang xử lý"
    day, month, year = received.split("/")
    code = f"H42.7-{year[2:]}{month}{day}-{number:04d}"
    return dossier(code, unit_name=unit, received_at=received, due_at="20/12/2025", finished_at=finished, status=status)


ROWS = [
    _told(1, "UBND xã Xuân Yên", "16/06/2025", "20/06/2025"),  # all of it went into Tiên Điền
    _told(2, "UBND thị trấn Tiên Điền", "17/06/2025"),  # the same code as the new commune, not the same territory
    _told(3, "UBND xã Tiên Điền", "02/07/2025"),
    _told(4, "UBND phường Đại Nài", "18/06/2025"),  # split between Thành Sen and Hà Huy Tập
    _told(5, "Sở Nội vụ", "16/06/2025"),
    _told(6, "phường Thành Sen", "02/07/2025", "19/12/2025"),
]


@pytest.fixture(scope="module")
def places(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        made.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS)})
        yield made


def _received(places: Warehouse, basis: str) -> dict[str, int]:
    rows = places.query(
        "select unit_code, numerator from mart.kpi where metric_id = 'received' and field_code = '*' "
        "and period_calendar = 'VPCP_15_14' and period_label = :label and basis = :basis",
        label=OLD_QUARTER,
        basis=basis,
    )
    return {row["unit_code"]: row["numerator"] for row in rows}


def _flags(places: Warehouse, unit: str, basis: str) -> list[str]:
    flags: list[str] = places.value(
        "select flags from mart.kpi where metric_id = 'received' and field_code = '*' and unit_code = :unit "
        "and period_calendar = 'VPCP_15_14' and period_label = :label and basis = :basis",
        unit=unit,
        label=OLD_QUARTER,
        basis=basis,
    )
    return flags


def test_as_reported_keeps_the_unit_the_row_named(places: Warehouse) -> None:
    assert _received(places, "as_reported") == {
        "18376": 1, "18373": 2, "18082": 1, "42-SNV": 1, "18073": 1, "42": 6,
    }  # fmt: skip


def test_on_todays_boundary_whole_mergers_have_moved_and_split_units_have_not(places: Warehouse) -> None:
    assert _received(places, "current_boundary") == {"18373": 3, "18082": 1, "42-SNV": 1, "18073": 1, "42": 6}


def test_what_moved_and_what_was_split_is_flagged(places: Warehouse) -> None:
    assert _flags(places, "18082", "current_boundary") == ["split_unit"]
    assert _flags(places, "42", "current_boundary") == ["split_unit"]
    assert _flags(places, "18373", "current_boundary") == ["merged_unit"]
    assert _flags(places, "18073", "current_boundary") == ["split_unit"]  # Thành Sen got a part of Đại Nài
    assert _flags(places, "18082", "as_reported") == []
    assert _flags(places, "42", "as_reported") == []


def test_a_code_that_meant_two_territories_in_the_period_is_flagged_as_reported(places: Warehouse) -> None:
    assert _flags(places, "18373", "as_reported") == ["code_reused"]
    assert places.query(
        "select period_label, unit_name, numerator, flags from mart.kpi where unit_code = '18373' and field_code = '*' "
        "and metric_id = 'received' and period_kind = 'month' and period_calendar = 'CALENDAR' "
        "and basis = 'as_reported' order by 1"
    ) == [
        {"period_label": "2025-06", "unit_name": "Thị trấn Tiên Điền", "numerator": 1, "flags": []},
        {"period_label": "2025-07", "unit_name": "Xã Tiên Điền", "numerator": 1, "flags": ["code_reused"]},
    ]  # an old dossier is still open in July


def test_an_open_dossier_of_an_old_unit_is_carried_over_under_its_successor_today(places: Warehouse) -> None:
    key = {"period": "2026-Q1", "profile": "TT01_06A"}
    assert places.figure("in_progress", unit="18373", **key) == (2, None)
    assert places.figure("in_progress", unit="18373", basis="current_boundary", **key) == (2, None)
    assert places.figure("in_progress", unit="18376", **key) is None
    assert places.figure("in_progress", unit="18082", basis="current_boundary", **key) == (1, None)


def test_a_unit_that_has_ended_keeps_its_name_and_level(places: Warehouse) -> None:
    assert places.query("select distinct unit_level, unit_name from mart.kpi where unit_code = '18376'") == [
        {"unit_level": "commune", "unit_name": "Xã Xuân Yên"}
    ]


def test_the_province_is_the_sum_of_its_units_in_every_figure_and_basis(places: Warehouse) -> None:
    assert (
        places.query(
            "select metric_id, profile, period_label, basis from mart.kpi where status is not null "
            "group by period_calendar, period_kind, period_label, basis, field_code, metric_id, profile "
            "having sum(numerator) filter (where unit_level <> 'province') "
            "is distinct from sum(numerator) filter (where unit_level = 'province') "
            "or sum(denominator) filter (where unit_level <> 'province') "
            "is distinct from sum(denominator) filter (where unit_level = 'province')"
        )
        == []
    )


def test_a_total_is_the_ratio_of_sums_never_the_mean_of_ratios(warehouse: Warehouse) -> None:
    late = [
        dossier(
            f"H42-260105-{n:04d}", unit_name="xã Cổ Đạm", finished_at="13/01/2026" if n else "12/01/2026", status="9"
        )
        for n in range(3)
    ]
    right = dossier("H42-260105-0009", finished_at="12/01/2026", status="9")
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([*late, right])})
    key = {"period": "2026-Q1", "profile": "TT01_06A"}
    assert warehouse.figure("on_time", unit="18394", **key) == (1, 3)
    assert warehouse.figure("on_time", unit="18373", **key) == (1, 1)
    assert warehouse.figure("on_time", unit="42", **key) == (2, 4)


def test_a_dossier_that_moves_to_another_commune_is_counted_there_only(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([dossier("H42-260105-0001")])})
    moved = dossier("H42-260105-0001", unit_name="UBND xã Cổ Đạm")
    warehouse.load(date(2026, 4, 11), {"mot_cua_csv/b.csv": csv_list([moved])})
    key = {"period": "2026-Q1", "profile": "TT01_06A"}
    assert warehouse.figure("received", unit="18373", **key) is None
    assert warehouse.figure("received", unit="18394", **key) == (1, None)
    assert warehouse.figure("received", unit="42", **key) == (1, None)
