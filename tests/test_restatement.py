"""A correction changes a closed period only through a new publication, and the ledger says what it changed and why."""

from __future__ import annotations

from datetime import date

from exports import STATUS_WORDS, csv_list, dossier
from warehouses import Warehouse

LATE = dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="13/01/2026")
IN_TIME = dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="12/01/2026")
OTHER = dossier("H42.1-260106-0002", status=STATUS_WORDS[9], finished_at="09/01/2026")

LEDGER = (
    "select publication_id, old_numerator, old_denominator, new_numerator, new_denominator, cause "
    "from mart.restatement where unit_code = '18373' and field_code = '*' and basis = 'as_reported' "
    "and metric_id = 'on_time' and profile = 'TT01_06A' and period_calendar = 'CALENDAR' and period_label = '2026-01'"
)


def test_a_correction_after_the_period_is_closed_is_restated_by_the_file(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    assert warehouse.query(LEDGER) == []
    warehouse.load(date(2026, 2, 11), {"mot_cua_csv/a.csv": csv_list([IN_TIME, OTHER])})
    (row,) = warehouse.query(LEDGER)
    assert tuple(row.values()) == (2, 1, 2, 2, 2, "file")


def test_what_the_passing_of_time_moves_in_an_open_period_is_not_laid_to_a_file(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 1, 12), {"mot_cua_csv/a.csv": csv_list([OTHER])})
    warehouse.load(date(2026, 1, 14), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    (row,) = warehouse.query(LEDGER)
    assert tuple(row.values()) == (2, 1, 1, 1, 2, "time")


def test_a_night_that_changes_nothing_restates_nothing(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    warehouse.load(date(2026, 2, 11), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    assert warehouse.value("select count(*) from mart.publication") == 2
    assert warehouse.value("select count(*) from mart.restatement where cause = 'file'") == 0


def test_the_ledger_tells_the_history_of_a_figure(warehouse: Warehouse) -> None:
    """Each publication's figure is the one before, changed as the ledger says."""
    for night, row in enumerate((LATE, IN_TIME, LATE), start=10):
        warehouse.load(date(2026, 2, night), {"mot_cua_csv/a.csv": csv_list([row, OTHER])})
    history = warehouse.query(
        "select publication_id, numerator from mart.kpi_history where unit_code = '18373' and field_code = '*' "
        "and basis = 'as_reported' and metric_id = 'on_time' and profile = 'TT01_06A' "
        "and period_calendar = 'CALENDAR' and period_label = '2026-01' order by publication_id"
    )
    assert [row["numerator"] for row in history] == [1, 2, 1]
    told = sorted(warehouse.query(LEDGER), key=lambda row: row["publication_id"])
    assert [(row["old_numerator"], row["new_numerator"]) for row in told] == [(1, 2), (2, 1)]


def test_a_component_of_the_index_that_dossiers_cannot_tell_is_missing_not_zero_or_full(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    rows = warehouse.query(
        "select component_id, numerator, denominator, points, max_points, missing from mart.index_766 "
        "where unit_code = '18373' and period_calendar = 'CALENDAR' and period_label = '2026-01'"
    )
    assert sum(row["max_points"] for row in rows) == 100
    by_id = {row["component_id"]: row for row in rows}
    assert (by_id["2.1"]["numerator"], by_id["2.1"]["denominator"], by_id["2.1"]["points"]) == (1, 2, 10)
    assert by_id["5.2"]["missing"]
    assert by_id["5.2"]["points"] is None
