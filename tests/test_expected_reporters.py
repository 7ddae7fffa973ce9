"""Who was expected to report, by when, and whether they did: by working days, for nights and for periods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from exports import counts, csv_list, dossier, form_06a
from tthc.domain.errors import ReferenceFault
from tthc.reference.reporting import read_reporting
from tthc.reference.sources import read_sources
from tthc.settings import settings
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

A, B = dossier("H42-260105-0001"), dossier("H42-260105-0002", unit_name="UBND xã Cổ Đạm")


def states(warehouse: Warehouse, source: str = "mot_cua_csv") -> list[tuple[str, str, str]]:
    return [
        tuple(row.values())
        for row in warehouse.query(
            "select distinct night::text, unit_code, state from mart.coverage where source_id = :source order by 1, 2, 3",
            source=source,
        )
    ]


def recorded(warehouse: Warehouse, night: date, moment: str) -> None:
    """As if the deliveries of a night had been received at this moment of Việt Nam."""
    with connect.transaction(warehouse.settings) as connection:
        connection.execute(
            sa.text("update core.delivery set recorded_at = cast(:at as timestamp) at time zone 'Asia/Ho_Chi_Minh' "
                    "where night = :night"), {"at": moment, "night": night}
        )  # fmt: skip


@pytest.mark.parametrize(
    ("night", "moment", "state"),
    [
        ("2026-03-12", "2026-03-13 23:59", "on_time"),
        ("2026-03-12", "2026-03-14 00:00", "late"),
        ("2026-02-13", "2026-02-23 23:00", "on_time"),  # the Friday before Tết: due on the first working day after it
        ("2026-02-13", "2026-02-24 00:00", "late"),
        ("2026-01-09", "2026-01-10 20:00", "on_time"),  # a Saturday that is worked
        ("2026-01-09", "2026-01-11 00:00", "late"),
        ("2026-01-01", "2026-01-05 20:00", "on_time"),  # the day it was swapped for is free
    ],
)
def test_a_night_is_on_time_until_the_end_of_its_working_day(
    warehouse: Warehouse, night: str, moment: str, state: str
) -> None:
    warehouse.load_only(date.fromisoformat(night), {"mot_cua_csv/a.csv": csv_list([dossier("H42-251201-0001",
                        received_at="01/12/2025", due_at="31/12/2025")])})  # fmt: skip
    recorded(warehouse, date.fromisoformat(night), moment)
    assert states(warehouse) == [(night, "18373", state)]


def test_a_commune_that_fell_silent_is_missing_and_one_of_today_is_not_due(warehouse: Warehouse) -> None:
    warehouse.load_only(date(2026, 3, 12), {"mot_cua_csv/a.csv": csv_list([A, B])})
    warehouse.load_only(date(2026, 3, 13), {"mot_cua_csv/a.csv": csv_list([A | {"due_at": "13/01/2026"}])})
    recorded(warehouse, date(2026, 3, 12), "2026-03-12 20:00")
    recorded(warehouse, date(2026, 3, 13), "2026-03-13 20:00")
    first = [("2026-03-12", "18373", "on_time"), ("2026-03-12", "18394", "on_time")]
    assert states(warehouse) == [*first, ("2026-03-13", "18373", "on_time"), ("2026-03-13", "18394", "missing")]
    warehouse.load_only(date(2031, 3, 13), {"dvcqg_json/x.json": b"[]"})
    assert ("2031-03-13", "18394", "not_due") in states(warehouse)


def test_a_form_is_due_after_its_quarter_and_a_form_of_zeros_is_a_reported_zero(warehouse: Warehouse) -> None:
    forms = {
        "a": form_06a([("Hộ tịch", counts(direct=3, in_time=3))]),
        "b": form_06a([("Hộ tịch", counts())], unit="UBND xã Cổ Đạm"),
    }
    warehouse.load_only(date(2026, 3, 15), {f"tong_hop_06a_xlsx/{name}.xlsx": form for name, form in forms.items()})
    recorded(warehouse, date(2026, 3, 15), "2026-03-17 09:00")  # the cut-off, 14 March, is a Saturday
    source = "tong_hop_06a_xlsx"
    assert states(warehouse, source) == [("2026-03-14", "18373", "on_time"), ("2026-03-14", "18394", "zero")]
    with connect.transaction(warehouse.settings) as connection:  # no day to spare: the Saturday moves to Monday
        connection.execute(sa.text("update ref.expected_reporter set working_days = 0"))
    assert ("2026-03-14", "18373", "late") in states(warehouse, source)
    due = "select distinct due_on from mart.coverage where source_id = :source"
    assert warehouse.value(due, source=source) == date(2026, 3, 16)
    with connect.transaction(warehouse.settings) as connection:
        connection.execute(sa.text("update ref.expected_reporter set working_days = 2"))
    recorded(warehouse, date(2026, 3, 15), "2026-03-18 09:00")
    assert ("2026-03-14", "18373", "late") in states(warehouse, source)


@pytest.fixture
def listed(warehouses: Warehouses, tmp_path: Path) -> Iterator[Warehouse]:
    (tmp_path / "reporting.toml").write_text(
        '[coverage]\nfloor = 0.01\n[expected.mot_cua_csv]\nunits = ["18373", "18394"]\n', encoding="utf-8"
    )
    with warehouses.fresh(tmp_path) as made:
        yield made


def test_listed_units_are_expected_before_they_were_ever_heard(listed: Warehouse) -> None:
    listed.load(date(2026, 3, 15), {"mot_cua_csv/a.csv": csv_list([A])})
    assert [row[1:] for row in states(listed)][1] == ("18394", "missing")
    rows = listed.query("select distinct status from mart.kpi where unit_code = '42' and period_label = '2026-Q1' "
                        "and period_calendar = 'VPCP_15_14'")  # fmt: skip
    assert rows == [{"status": "final"}]  # 1 of all units is above this floor


def test_a_province_below_the_floor_is_provisional(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 3, 15), {"mot_cua_csv/a.csv": csv_list([A])})
    rows = warehouse.query("select distinct status from mart.kpi where unit_code = '42' and period_label = '2026-Q1' "
                           "and period_calendar = 'VPCP_15_14'")  # fmt: skip
    assert rows == [{"status": "provisional"}]


@pytest.mark.parametrize(
    "text",
    [
        "[coverage]\nfloor = 2\n",
        "[repair]\nworking_days = 'ba'\n",
        "[repairs]\nworking_days = 3\n",
        "[expected.nobody]\nevery = 'night'\n",
        "[expected.mot_cua_csv]\nevery = 'hour'\n",
        "[expected.mot_cua_csv]\nunits = 'villages'\n",
        "[expected.mot_cua_csv]\ndays = 2\n",
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "reporting.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TTHC_REFERENCE", str(tmp_path))
    with pytest.raises(ReferenceFault, match=r"reporting\.toml"):
        read_reporting(settings(), read_sources(settings()))
