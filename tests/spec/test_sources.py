"""Whose word counts: two sources of one dossier, the form 06a beside dossiers and in their place, quiet nights."""

from __future__ import annotations

from datetime import date

from exports import counts, csv_list, dossier, form_06a, json_list, xlsx_list
from warehouses import Warehouse

NIGHT = date(2026, 3, 20)
Q1 = {"period": "2026-Q1", "profile": "TT01_06A"}
OPEN = dossier("H42-260105-0001")
DONE = dossier("H42-260105-0001", finished_at="09/01/2026", status="Đã xử lý xong")


def test_a_dossier_known_from_two_sources_counts_once_by_the_word_of_the_first(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([OPEN]), "dvcqg_json/a.json": json_list([DONE])})
    assert warehouse.figure("received", unit="18373", **Q1) == (1, None)
    assert warehouse.figure("in_progress", unit="18373", **Q1) == (1, None)
    warehouse.load(date(2026, 3, 21), {"dvcqg_json/b.json": json_list([DONE])})
    assert warehouse.figure("in_progress", unit="18373", **Q1) == (1, None)
    warehouse.load(date(2026, 3, 22), {"mot_cua_csv/b.csv": csv_list([DONE])})
    assert warehouse.figure("in_progress", unit="18373", **Q1) is None
    assert warehouse.figure("resolved", unit="18373", **Q1) == (1, None)


def test_the_workbook_list_is_believed_before_the_csv_list_whichever_came_first(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_xlsx/a.xlsx": xlsx_list([DONE])})
    warehouse.load(date(2026, 3, 21), {"mot_cua_csv/a.csv": csv_list([OPEN])})
    assert warehouse.figure("resolved", unit="18373", **Q1) == (1, None)
    assert warehouse.figure("in_progress", unit="18373", **Q1) is None


def test_one_dossier_is_one_code_whatever_commune_sends_it_and_however_it_is_spaced(warehouse: Warehouse) -> None:
    other = dossier(" h42-260105-0001 ", unit_name="xã Cổ Đạm")
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([OPEN]), "mot_cua_csv/b.csv": csv_list([other])})
    assert warehouse.value("select count(*) from core.dossier") == 1
    assert warehouse.figure("received", unit="18394", **Q1) == (1, None)


def test_within_a_night_the_later_file_name_is_the_later_word(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/b.csv": csv_list([DONE])})
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([OPEN])})
    assert warehouse.figure("resolved", unit="18373", **Q1) == (1, None)


FORM = counts(online=6, direct=3, early=4, on_time=2, late=1, in_time=3, over=2)


def test_where_no_dossier_is_known_the_form_is_the_figure_and_says_so(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"tong_hop_06a_xlsx/a.xlsx": form_06a([("Hộ tịch", FORM)], total=FORM)})
    assert warehouse.figure("received", unit="18373", **Q1) == (9, None)
    assert warehouse.figure("resolved", unit="18373", **Q1) == (7, None)
    assert warehouse.figure("in_progress", unit="18373", **Q1) == (5, None)
    assert warehouse.figure("on_time", unit="18373", **Q1) == (6, 7)
    assert warehouse.figure("overdue_open", unit="18373", **Q1) == (2, 5)
    assert warehouse.figure("online_submission", unit="18373", period="2026-Q1") == (6, 9)
    assert warehouse.figure("received", unit="42", field_code="Hộ tịch", **Q1) == (9, None)
    assert warehouse.figure("received", unit="18373", period="2026", profile="TT01_06A") is None
    (row,) = warehouse.query(
        "select * from mart.form_06a where unit_code = '18373' and field_code = '*' and basis = 'as_reported'"
    )
    assert {name: row[name] for name in FORM} == FORM
    assert row["flags"] == ["from_summary"]
    assert warehouse.value("select count(*) from mart.kpi where flags <> array['from_summary']") == 0


def test_the_form_says_nothing_of_what_it_does_not_count(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"tong_hop_06a_xlsx/a.xlsx": form_06a([("Hộ tịch", FORM)])})
    told = {(row["metric_id"], row["profile"]) for row in warehouse.query("select metric_id, profile from mart.kpi")}
    assert told == {
        ("received", "TT01_06A"), ("resolved", "TT01_06A"), ("in_progress", "TT01_06A"), ("on_time", "TT01_06A"),
        ("overdue_open", "TT01_06A"), ("online_submission", "*"),
    }  # fmt: skip


def test_where_a_dossier_is_known_the_form_is_not_the_figure(warehouse: Warehouse) -> None:
    warehouse.load(
        NIGHT,
        {"tong_hop_06a_xlsx/a.xlsx": form_06a([("Hộ tịch", FORM)]), "mot_cua_csv/a.csv": csv_list([DONE])},
    )
    assert warehouse.figure("received", unit="18373", **Q1) == (1, None)
    assert warehouse.value("select count(*) from mart.kpi where 'from_summary' = any(flags)") == 0


def test_a_form_and_the_dossiers_of_another_unit_add_up_to_a_flagged_province(warehouse: Warehouse) -> None:
    elsewhere = dossier("H42-260105-0002", unit_name="xã Cổ Đạm")
    warehouse.load(
        NIGHT,
        {"tong_hop_06a_xlsx/a.xlsx": form_06a([("Hộ tịch", FORM)]), "mot_cua_csv/a.csv": csv_list([elsewhere])},
    )
    assert warehouse.figure("received", unit="42", **Q1) == (10, None)
    assert warehouse.value(
        "select distinct 'from_summary' = any(flags) from mart.kpi where unit_code = '42' and metric_id = 'received' "
        "and period_calendar = 'VPCP_15_14' and period_label = '2026-Q1'"
    )


def test_the_form_of_the_newest_night_replaces_the_one_before_whatever_their_names(warehouse: Warehouse) -> None:
    better = counts(online=6, direct=4, early=5, on_time=2, late=1, in_time=3, over=2)
    warehouse.load(NIGHT, {"tong_hop_06a_xlsx/z.xlsx": form_06a([("Hộ tịch", FORM), ("Đất đai", FORM)])})
    warehouse.load(date(2026, 3, 21), {"tong_hop_06a_xlsx/a.xlsx": form_06a([("Hộ tịch", better)])})
    assert warehouse.figure("received", unit="18373", **Q1) == (10, None)
    assert warehouse.figure("received", unit="18373", field_code="Đất đai", **Q1) is None


def test_a_source_without_history_is_not_held_for_its_volume(warehouse: Warehouse) -> None:
    many = [dossier(f"H42-260105-{n:04d}") for n in range(40)]
    for number, rows in enumerate((many, many[:1], many[:2])):
        outcome = warehouse.load(date(2026, 3, 20 + number), {"mot_cua_csv/a.csv": csv_list(rows)})
        assert {verdict for verdict, files in outcome.files.items() if files} == {"loaded"}
    assert warehouse.figure("received", unit="18373", **Q1) == (40, None)
