"""A figure that contradicts itself is withheld: its row stays, without numbers, and an incident says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa

from exports import STATUS_WORDS, csv_list, dossier
from tthc import enquiries, pipeline
from tthc.domain.errors import ExpectationsNotRun
from tthc.rollups import check
from tthc.rollups.published import KEY
from tthc.settings import EXPECTATIONS
from tthc.staging import expectations
from warehouses import Warehouse

ROWS = [
    dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="13/01/2026"),
    dossier("H42.1-260106-0002", unit_name="UBND xã Cổ Đạm"),
]
# One of the two dossiers is open, so the same mistake in the province leaves it the sum of its units.
OF_BOTH = "where unit_code in ('18394', '42')"


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
    spoiled(warehouse, f"update fresh set overdue = in_progress + 1 {OF_BOTH}")
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
    asked = ("VPCP_15_14", "2026-01", "18394", "as_reported", "*", "received", "TT01_06A")
    found = enquiries.explain(warehouse.settings, dict(zip(KEY, asked, strict=True)))
    assert (found.withheld_by, found.total_numerator, len(found.dossiers)) == (["PARTS"], 1, 1)


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
    spoiled(warehouse, f"update fresh set overdue = in_progress + 1 {OF_BOTH}")
    with warehouse.kept():
        pipeline.publish(warehouse.settings, full=True)
    assert warehouse.value("select count(*) from mart.kpi where 'withheld' = any(flags)") == 0
    assert warehouse.figure("received", unit="18394", period="2026-01", profile="TT01_06A") == (1, None)
    states = warehouse.query("select state, resolved_on from alerts.incident where source_id = 'figures'")
    assert states == [{"state": "resolved", "resolved_on": date(2026, 2, 10)}]
    kinds = warehouse.query("select kind from alerts.outbox order by event_id")
    assert [row["kind"] for row in kinds][-2:] == ["opened", "resolved"]


# What a rule's severity does, and what a suite that checks nothing does.


@contextmanager
def declared(
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], tmp_path: Path, name: str
) -> Iterator[None]:
    """The shipped suites, one of them changed."""
    for path in EXPECTATIONS.glob("*.json"):
        suite = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == name:
            suite["expectations"] = change(suite["expectations"])
        (tmp_path / path.name).write_text(json.dumps(suite), encoding="utf-8")
    expectations.suite.cache_clear()
    try:
        with mock.patch.object(expectations, "EXPECTATIONS", tmp_path):
            yield
    finally:
        expectations.suite.cache_clear()


def _only_warns(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**rule, "meta": {**rule["meta"], "severity": "warning"}} for rule in rules]


def test_a_warning_never_blocks_a_publication_and_a_critical_rule_always_does(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """A21: the same broken figures, once by rules that withhold and once by the same rules as warnings."""
    spoil = f"update fresh set overdue = in_progress + 1 {OF_BOTH}"
    hidden = "select count(*) from mart.kpi where numerator is null"
    warehouse.load_only(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    spoiled(warehouse, spoil)
    assert warehouse.value(hidden) > 0
    assert warehouse.value("select severity from alerts.incident where rule_id = 'PARTS'") == "critical"
    warehouse.empty()
    warehouse.load_only(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    with declared(_only_warns, tmp_path, "figure"):
        spoiled(warehouse, spoil)
    assert warehouse.value("select count(*) from mart.kpi where unit_code = '18394'") > 0
    assert warehouse.value(hidden) == 0
    assert warehouse.value("select severity from alerts.incident where rule_id = 'PARTS'") == "warning"


def test_a_suite_that_checks_nothing_lets_nothing_in_and_nothing_out(warehouse: Warehouse, tmp_path: Path) -> None:
    """A14: no row enters by an empty suite of rows or files; an empty suite of figures leaves the publication as it was."""
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    before = warehouse.query("select * from mart.publication"), warehouse.value("select count(*) from core.delivery")
    more = {"mot_cua_csv/b.csv": csv_list([*ROWS, dossier("H42.9-260105-0099")])}
    for name in ("dossier_row", "dossier_sender", "dossier_file"):
        with declared(lambda _: [], tmp_path, name), pytest.raises(ExpectationsNotRun, match=name):
            warehouse.load_only(date(2026, 2, 11), more)
        assert warehouse.value("select count(*) from core.delivery") == before[1], name
    warehouse.load_only(date(2026, 2, 11), more)
    with declared(lambda _: [], tmp_path, "figure"), pytest.raises(ExpectationsNotRun, match="figure"):
        warehouse.publish()
    assert warehouse.query("select * from mart.publication") == before[0]
