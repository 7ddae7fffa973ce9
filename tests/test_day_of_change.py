"""The very day on which something changes: the cut-off on the first day of a new boundary, and on the day of a stop."""

from __future__ import annotations

from datetime import date
from typing import Any

from exports import STATUS_WORDS, csv_list, dossier
from warehouses import Warehouse

OPEN = dossier(
    "H42.1-250620-0001", unit_name="thị trấn Tiên Điền", received_at="20/06/2025", due_at="31/07/2025",
    status=STATUS_WORDS[4],
)  # fmt: skip


def flags(place: Warehouse, period: str) -> list[str]:
    found: list[str] = place.value(
        "select flags from mart.kpi where unit_code = '18373' and field_code = '*' and metric_id = 'in_progress' "
        "and basis = 'as_reported' and period_calendar = 'CALENDAR' and period_label = :period",
        period=period,
    )
    return found


def test_a_code_is_reused_from_the_first_day_of_its_new_territory_though_no_count_has_changed(
    warehouse: Warehouse,
) -> None:
    warehouse.load(date(2025, 6, 30), {"mot_cua_csv/a.csv": csv_list([OPEN])})
    assert flags(warehouse, "2025") == []
    warehouse.load(date(2025, 7, 1), {"mot_cua_csv/a.csv": csv_list([OPEN])})
    assert (flags(warehouse, "2025-06"), flags(warehouse, "2025-07")) == ([], ["code_reused"])
    assert flags(warehouse, "2025") == ["code_reused"]


def test_a_dossier_stopped_on_the_night_itself_is_stopped_and_not_overdue(warehouse: Warehouse) -> None:
    stopped = dossier("H42.1-260302-0001", received_at="02/03/2026", due_at="09/03/2026", finished_at="20/03/2026",
                      status=STATUS_WORDS[8])  # fmt: skip
    warehouse.load(date(2026, 3, 20), {"mot_cua_csv/a.csv": csv_list([stopped])})
    rows: list[dict[str, Any]] = warehouse.query(
        "select in_progress_total, in_progress_in_time, in_progress_overdue, stopped from mart.form_06a "
        "where unit_code = '18373' and field_code = '*' and basis = 'as_reported' "
        "and (period_calendar, period_label) = ('CALENDAR', '2026-03')"
    )
    assert [tuple(row.values()) for row in rows] == [(1, 1, 0, 1)]
