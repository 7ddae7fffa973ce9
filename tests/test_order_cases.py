"""Single cases of files out of order that random histories rarely meet, and cells that once stopped a whole night."""

from __future__ import annotations

from datetime import date

import pytest

from exports import counts, csv_list, dossier, form_06a
from tthc.reference.layouts import Column, Taken
from tthc.staging.read_json import text_of
from warehouses import Warehouse

NIGHT = date(2026, 3, 20)
D = "H42-260105-0001"
EARLY, LATE = dossier(D), dossier(D, due_at="20/01/2026")
FIRST = form_06a([("Hộ tịch", counts(direct=9, early=4, in_time=5))])
SECOND = form_06a([("Hộ tịch", counts(direct=19, early=4, in_time=15))])


def _due(warehouse: Warehouse) -> date:
    keys = "(select dossier_key from core.dossier_version where due_on = '2026-01-20')"
    due: date = warehouse.value(f"select due_on from core.dossier where dossier_key in {keys}")
    return due


OTHERS = [dossier(f"H42-260105-9{number}") for number in range(3)]


def test_two_files_that_come_around_a_silent_one_of_the_same_night_are_each_heard(warehouse: Warehouse) -> None:
    pair = {"mot_cua_csv/a.csv": csv_list([LATE, OTHERS[0]]), "mot_cua_csv/c.csv": csv_list([LATE, OTHERS[1]])}
    warehouse.load(NIGHT, pair)
    pair = {"mot_cua_csv/b.csv": csv_list([EARLY, OTHERS[0]]), "mot_cua_csv/d.csv": csv_list([EARLY, OTHERS[1]])}
    warehouse.load(NIGHT, pair)
    assert _due(warehouse) == date(2026, 1, 12)  # d.csv is the last word of the night


def test_a_late_night_of_two_files_does_not_change_what_the_next_night_confirmed(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 3, 18), {"mot_cua_csv/a.csv": csv_list([EARLY, OTHERS[0]])})
    warehouse.load(date(2026, 3, 20), {"mot_cua_csv/a.csv": csv_list([EARLY, OTHERS[1]])})
    late = {"mot_cua_csv/a.csv": csv_list([LATE, OTHERS[0]]), "mot_cua_csv/b.csv": csv_list([EARLY, OTHERS[2]])}
    warehouse.load(date(2026, 3, 19), late)
    assert _due(warehouse) == date(2026, 1, 12)


def test_files_that_come_around_one_of_the_same_night_are_each_heard(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/b.csv": csv_list([LATE])})
    others = [dossier(f"H42-260105-9{number}") for number in range(2)]
    around = {"mot_cua_csv/a.csv": csv_list([EARLY, others[0]]), "mot_cua_csv/c.csv": csv_list([EARLY, others[1]])}
    warehouse.load(NIGHT, around)
    assert _due(warehouse) == date(2026, 1, 12)  # c.csv is the last word of the night, as when the three come together


@pytest.mark.parametrize(
    "arrivals",
    [
        [(20, "a", FIRST), (21, "b", SECOND), (22, "a", FIRST)],  # back again after another
        [(20, "a", FIRST), (22, "a", FIRST), (21, "a", SECOND)],  # an earlier night comes late
    ],
    ids=["A B A", "late"],
)
def test_a_form_of_the_newest_night_is_the_figure(warehouse: Warehouse, arrivals: list[tuple[int, str, bytes]]) -> None:
    for day, name, form in arrivals:
        warehouse.load(date(2026, 3, day), {f"tong_hop_06a_xlsx/{name}.xlsx": form})
    assert warehouse.figure("received", unit="18373", period="2026-Q1", profile="TT01_06A") == (9, None)


@pytest.mark.parametrize(
    "cells", [{"supplement_count": "99999999999"}, {"field_name": "*"}, {"field_name": "đ" * 9000}]
)
def test_no_cell_stops_a_night(warehouse: Warehouse, cells: dict[str, str]) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([dossier(D, **cells), dossier("H42-260105-0002")])})
    assert warehouse.figure("received", unit="18373", period="2026-Q1", profile="TT01_06A") == (2, None)


@pytest.mark.parametrize(
    ("amount", "understood"),
    [
        ("50000", "50000"),
        ("50.000", "50000"),
        ("1.250.000", "1250000"),
        ("50000.0", "50000"),
        ("1_000", "{}"),
        ("١٢", "{}"),
    ],
)
def test_an_amount_in_json_keeps_its_thousands(amount: str, understood: str) -> None:
    column = Column(name="fee_amount", headings=("Phi",), take=Taken(how="sum", list="Phi", item="Gia"))
    assert text_of({"Phi": [{"Gia": amount}]}, column, column.headings) == understood


@pytest.mark.parametrize("table", ["core.delivery", "core.dossier_version"])
def test_file_names_have_one_order_on_every_server(warehouse: Warehouse, table: str) -> None:
    collation = warehouse.value(
        "select collname from pg_attribute join pg_collation on pg_collation.oid = attcollation "
        "where attrelid = cast(:table as regclass) and attname = 'file_name'",
        table=table,
    )
    assert collation == "C"
