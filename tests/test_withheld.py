"""A figure that contradicts itself is withheld: its row stays, without numbers, and an incident says so."""

from __future__ import annotations

from datetime import date
from unittest import mock

import sqlalchemy as sa

from exports import STATUS_WORDS, csv_list, dossier
from tthc import pipeline
from tthc.rollups import check
from warehouses import Warehouse

ROWS = [
    dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="13/01/2026"),
    dossier("H42.1-260106-0002", unit_name="UBND xã Cổ Đạm"),
]


def spoiled(warehouse: Warehouse, statement: str) -> None:
    """Publish with counters spoiled between counting and checking."""
    whole = check.withhold

    def spoil_then_check(connection: sa.Connection) -> list[check.Broken]:
        connection.execute(sa.text(statement))
        return whole(connection)

    with mock.patch.object(check, "withhold", spoil_then_check), warehouse.kept():
        pipeline.publish(warehouse.settings, full=True)


def test_a_part_greater_than_its_whole_is_withheld_and_the_rest_is_published(warehouse: Warehouse) -> None:
    warehouse.load_only(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    spoiled(warehouse, "update fresh set overdue = in_progress + 1 where unit_code = '18394'")
    rows = warehouse.query("select numerator, denominator, rate, flags from mart.kpi where unit_code = '18394'")
    assert rows
    for row in rows:
        assert row["flags"] == ["withheld"]
        assert (row["numerator"], row["denominator"], row["rate"]) == (None, None, None)
    assert warehouse.value("select count(*) from mart.form_06a where unit_code = '18394'") == 0
    assert warehouse.value("select count(*) from mart.kpi where unit_code = '18373' and numerator is null") == 0
    assert warehouse.query("select rule_id, severity, state from alerts.incident where source_id = 'figures'") == [
        {"rule_id": "PARTS", "severity": "critical", "state": "open"}
    ]


def test_a_province_that_is_not_the_sum_of_its_units_is_withheld(warehouse: Warehouse) -> None:
    warehouse.load_only(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    spoiled(warehouse, "update fresh set received = received + 1 where unit_code = '42' and field_code = '*'")
    assert warehouse.value("select count(*) from mart.kpi where unit_code = '42' and field_code = '*'") > 0
    assert (
        warehouse.value(
            "select count(*) from mart.kpi where unit_code = '42' and field_code = '*' and numerator is not null"
        )
        == 0
    )
    rules = warehouse.query("select distinct rule_id from alerts.incident where source_id = 'figures'")
    assert "SUM_OF_UNITS" in {row["rule_id"] for row in rules}


def test_the_next_sound_publication_gives_the_figure_again(warehouse: Warehouse) -> None:
    warehouse.load_only(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    spoiled(warehouse, "update fresh set overdue = in_progress + 1 where unit_code = '18394'")
    with warehouse.kept():
        pipeline.publish(warehouse.settings, full=True)
    assert warehouse.value("select count(*) from mart.kpi where 'withheld' = any(flags)") == 0
    assert warehouse.figure("received", unit="18394", period="2026-01", profile="TT01_06A") == (1, None)
    states = warehouse.query("select state, resolved_on from alerts.incident where source_id = 'figures'")
    assert states == [{"state": "resolved", "resolved_on": date(2026, 2, 10)}]
    kinds = warehouse.query("select kind from alerts.outbox order by event_id")
    assert [row["kind"] for row in kinds][-2:] == ["opened", "resolved"]
