"""Summary reports beside the dossiers: compared cell by cell, never counted twice, the newest word of each report."""

from __future__ import annotations

import itertools
import json
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from exports import FORM_COLUMNS, Row, counts, csv_list, dossier, form_06a
from reports import DIGITISATION, OLD_07A, Q1_DAYS, Q1_FILE, agency, flat, records, share, unit_counts, unit_summary
from serving_warehouse import the_night
from tthc.cli import app
from tthc.domain.errors import FileRefused
from tthc.domain.period import PeriodCalendar, periods_between
from tthc.domain.text import fold
from tthc.reference.layouts import read_layouts
from tthc.reference.measures import read_measures
from tthc.serving import exports
from tthc.serving.web.app import create_app
from tthc.settings import settings
from tthc.simulation import reports as simulated
from tthc.simulation.simulate import simulate
from tthc.staging.figures_told import count_of, is_percent, shows_percent
from tthc.staging.period_title import period_of
from tthc.warehouse import connect, schema
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 20)
REPORTS, STATISTICS, FORMS = "bao_cao_tong_hop_xlsx", "thong_ke_json", "tong_hop_06a_xlsx"
TIEN_DIEN, CO_DAM = "18373", "18394"


@pytest.fixture
def place(module_warehouse: Warehouse) -> Warehouse:
    """The module's warehouse, emptied."""
    module_warehouse.empty()
    return module_warehouse


def done(number: int, **cells: str) -> Row:
    """A dossier of Tiên Điền received and finished early in the first quarter."""
    ended = {"finished_at": "09/01/2026", "status": "Đã xử lý xong"}
    return dossier(f"H42.{number}-260105-0001", **(ended | cells))


def differing(place: Warehouse) -> dict[tuple[str, str, str, str], tuple[int, int]]:
    """(report, unit, field, measure) → what is reported and what is recomputed, where they differ."""
    rows = place.query("select * from mart.reported_difference")
    return {
        (row["report"], row["unit_code"], row["field_code"], row["measure"]): (row["reported"], row["recomputed"])
        for row in rows
    }


def incidents(place: Warehouse) -> list[tuple[str, str, str]]:
    rows = place.query(
        "select source_id, unit_code, state from alerts.incident where rule_id = 'SUMMARY_DIFFERS' order by incident_id"
    )
    return [(row["source_id"], row["unit_code"], row["state"]) for row in rows]


ONE_DONE = unit_counts(counter=1, early=1)


def summary_of(**figures: int) -> bytes:
    return unit_summary([["1", "UBND xã Tiên Điền", *unit_counts(**figures)]])


# Agreement


def test_what_agrees_is_compared_and_shows_no_difference(place: Warehouse) -> None:
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": summary_of(counter=1, early=1)})
    compared = place.query(
        "select measure, profile, reported, recomputed from mart.reported where recomputed is not null"
    )
    assert len(compared) == 9
    assert {row["measure"]: row["reported"] for row in compared} == {
        "received_total": 1, "carried_over": 0, "received": 1, "received_online": 0, "finished_total": 1,
        "finished_early": 1, "finished_on_time": 0, "finished_late": 0, "in_progress_overdue": 0,
    }  # fmt: skip
    assert {row["profile"] for row in compared} == {"TT01_06A"}
    assert differing(place) == {}
    assert incidents(place) == []


def test_what_dossiers_do_not_say_is_kept_and_not_compared(place: Warehouse) -> None:
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": summary_of(counter=1, early=1)})
    unsaid = {
        row["measure"]
        for row in place.query("select measure from mart.reported where recomputed is null and profile is null")
    }
    assert unsaid == {
        "received_counter",
        "received_postal",
        "active_total",
        "active_in_time",
        "supplement",
        "returned_withdrawn",
    }


def test_a_unit_without_dossiers_is_not_compared_and_reports_do_not_become_figures(place: Warehouse) -> None:
    place.load(NIGHT, {f"{REPORTS}/a.xlsx": summary_of(counter=4, early=4)})
    assert place.value("select count(*) from mart.reported where recomputed is not null") == 0
    assert place.value("select count(*) from mart.kpi") == 0
    assert place.value("select count(*) from core.reported") == 15


def test_a_report_does_not_make_a_unit_heard(place: Warehouse) -> None:
    files = {
        "mot_cua_csv/a.csv": csv_list([done(1)]),
        f"{REPORTS}/a.xlsx": unit_summary([["1", "xã Cổ Đạm", *ONE_DONE]]),
    }
    place.load(NIGHT, files)
    reported = "select units_reported from mart.kpi where unit_code = '42' and period_label = '2026-Q1' limit 1"
    assert place.value(reported) == 1
    assert place.value("select count(*) from mart.coverage where unit_code = :unit", unit=CO_DAM) == 0


# Differences


def test_a_difference_is_told_by_its_cell_and_opens_one_incident(place: Warehouse) -> None:
    place.load(
        NIGHT,
        {
            "mot_cua_csv/a.csv": csv_list([done(1), done(2)]),
            f"{REPORTS}/a.xlsx": unit_summary([["1", "UBND xã Tiên Điền", *unit_counts(counter=5, early=4, late=1)]]),
        },
    )
    report = "tong_hop_don_vi_xlsx"
    assert differing(place) == {
        (report, TIEN_DIEN, "*", "received_total"): (5, 2),
        (report, TIEN_DIEN, "*", "received"): (5, 2),
        (report, TIEN_DIEN, "*", "finished_total"): (5, 2),
        (report, TIEN_DIEN, "*", "finished_early"): (4, 2),
        (report, TIEN_DIEN, "*", "finished_late"): (1, 0),
    }
    (row,) = place.query("select * from mart.reported_difference where measure = 'finished_late'")
    assert (row["period_label"], row["file_name"], row["row_no"], row["night"]) == ("2026-Q1", "a.xlsx", 7, NIGHT)
    assert (row["profile"], row["counters"], row["difference"]) == ("TT01_06A", "resolved_late", 1)
    (told,) = place.query("select * from alerts.incident where rule_id = 'SUMMARY_DIFFERS'")
    assert (told["severity"], told["unit_code"], told["source_id"]) == ("warning", TIEN_DIEN, REPORTS)
    assert "Xã Tiên Điền: 5 ô" in told["subject"]
    assert "báo cáo 5, tính từ hồ sơ 2" in told["detail"]
    assert place.figure("received", unit=TIEN_DIEN, period="2026-Q1", profile="TT01_06A") == (2, None)


def test_an_incident_goes_on_and_ends_with_the_report_that_agrees(place: Warehouse) -> None:
    wrong, right = summary_of(counter=2, early=2), summary_of(counter=1, early=1)
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": wrong})
    place.load(date(2026, 3, 21), {"mot_cua_csv/a.csv": csv_list([done(1), done(3, received_at="17/03/2026", due_at="20/03/2026", finished_at="", status="Đang xử lý")])})  # fmt: skip
    assert incidents(place) == [(REPORTS, TIEN_DIEN, "open")]
    place.load(date(2026, 3, 22), {f"{REPORTS}/a.xlsx": right})
    assert incidents(place) == [(REPORTS, TIEN_DIEN, "resolved")]
    history = place.query(
        "select what from alerts.incident_history join alerts.incident using (incident_id) "
        "where rule_id = 'SUMMARY_DIFFERS' order by entry_id"
    )
    assert [row["what"] for row in history] == ["opened", "continued", "resolved"]


def test_an_incident_ends_with_the_dossiers_that_agree(place: Warehouse) -> None:
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": summary_of(counter=2, early=2)})
    place.load(date(2026, 3, 21), {"mot_cua_csv/b.csv": csv_list([done(2)])})
    assert differing(place) == {}
    assert incidents(place) == [(REPORTS, TIEN_DIEN, "resolved")]


def test_a_form_06a_that_differs_from_its_dossiers_is_told_and_is_not_the_figure(place: Warehouse) -> None:
    form = form_06a([("Hộ tịch", counts(direct=1, early=1)), ("Đất đai", counts(direct=3, in_time=3))])
    place.load(
        NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1), done(2, procedure_code="2.000815")]), f"{FORMS}/a.xlsx": form}
    )
    fields = {
        row["field_code"]: row["field_name"]
        for row in place.query("select distinct field_code, field_name from mart.form_06a")
    }
    assert place.figure("received", unit=TIEN_DIEN, period="2026-Q1", profile="TT01_06A") == (2, None)
    found = differing(place)
    assert found["tong_hop_06a_xlsx", TIEN_DIEN, "*", "received_direct"] == (4, 2)
    # A field the dossiers have and the form has not, and the other way round.
    missing = {field for field in fields if field not in ("*",) and fold(fields[field]) != "hộ tịch"}
    assert {found["tong_hop_06a_xlsx", TIEN_DIEN, field, "received_direct"] for field in missing} == {(0, 1)}
    only_told = {key[2] for key, cell in found.items() if key[3] == "received_direct" and cell == (3, 0)}
    assert len(only_told) == 1
    assert not [key for key in found if fields.get(key[2], "").casefold() == "hộ tịch"]
    assert incidents(place) == [(FORMS, TIEN_DIEN, "open")]


def test_a_form_is_the_figure_until_dossiers_come_and_is_compared_from_then_on(place: Warehouse) -> None:
    form = form_06a([("Hộ tịch", counts(direct=9, early=4, in_time=5))])
    place.load(NIGHT, {f"{FORMS}/a.xlsx": form})
    assert place.figure("received", unit=TIEN_DIEN, period="2026-Q1", profile="TT01_06A") == (9, None)
    assert differing(place) == {}
    place.load(date(2026, 3, 21), {"mot_cua_csv/a.csv": csv_list([done(1)])})
    assert place.figure("received", unit=TIEN_DIEN, period="2026-Q1", profile="TT01_06A") == (1, None)
    assert differing(place)["tong_hop_06a_xlsx", TIEN_DIEN, "*", "in_progress_total"] == (5, 0)


def test_a_corrected_form_restates_the_figure_visibly(place: Warehouse) -> None:
    place.load(NIGHT, {f"{FORMS}/a.xlsx": form_06a([("Hộ tịch", counts(direct=9, early=4, in_time=5))])})
    place.load(date(2026, 3, 21), {f"{FORMS}/a.xlsx": form_06a([("Hộ tịch", counts(direct=8, early=4, in_time=4))])})
    rows = place.query(
        "select old_numerator, new_numerator, cause from mart.restatement where metric_id = 'received' and unit_code = :unit "
        "and period_label = '2026-Q1' and field_code = '*' and basis = 'as_reported'",
        unit=TIEN_DIEN,
    )
    assert [tuple(row.values()) for row in rows] == [(9, 8, "file")]


def test_a_report_of_an_open_period_is_held_against_its_own_night_only(place: Warehouse) -> None:
    days = "Từ ngày 15/3/2026 đến ngày 14/6/2026"
    open_now = done(1, received_at="16/03/2026", due_at="30/03/2026", finished_at="", status="Đang xử lý")
    report = unit_summary([["1", "UBND xã Tiên Điền", *unit_counts(counter=2, in_time=2)]], period=days)
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([open_now]), f"{REPORTS}/a.xlsx": report})
    assert len(differing(place)) == 2
    place.load(date(2026, 3, 21), {"mot_cua_csv/b.csv": csv_list([{**open_now, "dossier_code": "H42.2-260321-0001"}])})
    assert differing(place) == {}
    assert place.value("select count(*) from mart.reported where recomputed is not null") == 0


def test_withheld_figures_are_not_shown_through_the_comparison(
    place: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tthc.rollups import check

    def withhold(connection: Any) -> list[check.Broken]:
        connection.exec_driver_sql("update fresh set flags = array['withheld'] where unit_code = '18373'")
        return [check.Broken("PARTS", "withhold", 1, "thử")]

    monkeypatch.setattr(check, "withhold", withhold)
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": summary_of(counter=2, early=2)})
    assert place.value("select count(*) from mart.reported where recomputed is not null") == 0


# The newest word


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_newest_night_is_the_word_of_a_report_in_any_order_of_arrival(
    place: Warehouse, order: tuple[int, ...]
) -> None:
    place.load_only(date(2026, 3, 19), {"mot_cua_csv/a.csv": csv_list([done(1)])})
    for number in order:  # the oldest report has the last name, so that only its night can make it older
        form = summary_of(counter=number + 1, early=number + 1)
        place.load_only(date(2026, 3, 20 + number), {f"{REPORTS}/{'zyx'[number]}.xlsx": form})
    place.publish()
    assert differing(place)["tong_hop_don_vi_xlsx", TIEN_DIEN, "*", "received"] == (3, 1)
    assert place.value("select count(*) from mart.reported where measure = 'received'") == 1


def test_reports_of_several_shapes_stand_side_by_side(place: Warehouse) -> None:
    told = agency(
        TIEN_DIEN, "xã Tiên Điền", received=3, resolved=1, receivedOnline=1, receivedDirect=2, resolvedOverdue=0
    )
    digitised = [["1", "xã Tiên Điền", 2, 2, 0, 0, 0, share(0, 2), 1, 1, 0, share(0, 1)]]
    old = flat(
        OLD_07A, [["1", "Hộ tịch", 0, 1, 1, 0, 0, 0, 0, 0]], titles=("Đơn vị: xã Tiên Điền", Q1_DAYS), first="Lĩnh vực"
    )
    place.load(
        NIGHT,
        {
            "mot_cua_csv/a.csv": csv_list([done(1)]),
            f"{REPORTS}/a.xlsx": summary_of(counter=1, early=1),
            f"{REPORTS}/b.xlsx": flat(DIGITISATION, digitised),
            f"{REPORTS}/c.xlsx": old,
            f"{STATISTICS}/d_{Q1_FILE}.json": records([told]),
        },
    )
    found = {(report, measure): cell for (report, _, field, measure), cell in differing(place).items() if field == "*"}
    assert found == {
        ("so_hoa_xlsx", "received"): (2, 1),
        ("so_hoa_xlsx", "components_not_digitised"): (2, 1),
        ("thong_ke_xu_ly_json", "received"): (3, 1),
        ("thong_ke_xu_ly_json", "received_online"): (1, 0),
        ("thong_ke_xu_ly_json", "received_direct"): (2, 1),
    }
    assert sorted(incidents(place)) == [(REPORTS, TIEN_DIEN, "open"), (STATISTICS, TIEN_DIEN, "open")]


# Units


def test_a_unit_is_found_by_its_whole_name_and_never_by_a_part_of_it(warehouses: Warehouses, tmp_path: Path) -> None:
    units = "unit_code,level,kind,name,parent_code,province_code,district,valid_from,valid_to,source\n"
    units += "".join(
        f"{code},commune,xã,{name},42,42,,,,synthetic\n"
        for code, name in (("99001", "Tân An"), ("99002", "Tân An Hội"))
    )
    (tmp_path / "units.csv").write_text(units, encoding="utf-8")
    online = {"phatsinh_1phan_quantity": 1, "phatsinh_toanphan_quantity": 4, "total": 5}
    rows = [{"agency_name": name, **online} for name in ("Xã Tân An", "UBND xã Tân An Hội", "Tân", "An Hội")]
    with warehouses.fresh(tmp_path) as made:
        made.load(NIGHT, {f"{STATISTICS}/a_{Q1_FILE}.json": records(rows)})
        found = made.query("select distinct row_no, unit_code from core.reported order by 1")
        assert [tuple(row.values()) for row in found] == [(1, "99001"), (2, "99002")]
        assert {row for _, row, _ in made.quarantine()} == {3, 4}


def test_a_code_and_a_name_that_contradict_name_nobody(place: Warehouse) -> None:
    told = agency(TIEN_DIEN, "xã Cổ Đạm", received=1, resolved=1, receivedOnline=0, receivedDirect=1, resolvedOverdue=0)
    place.load(NIGHT, {f"{STATISTICS}/a_{Q1_FILE}.json": records([told])})
    assert place.quarantine() == {(f"a_{Q1_FILE}.json", 1, "UNKNOWN_UNIT")}


# Against a plain recount


def test_differences_equal_a_plain_recount(place: Warehouse) -> None:
    """Random dossiers and random digitisation reports, recounted line by line."""
    chance = Random(11)
    units = {TIEN_DIEN: "xã Tiên Điền", CO_DAM: "UBND xã Cổ Đạm", "42-SNV": "Sở Nội vụ"}
    truth: dict[str, Counter[str]] = {code: Counter() for code in units}
    rows = []
    for number in range(60):
        code = chance.choice(list(units))
        inside, digitised, reused = chance.random() < 0.8, chance.random() < 0.5, chance.random() < 0.3
        day = f"{chance.randrange(1, 29):02d}/0{chance.choice((1, 2))}/2026" if inside else "10/12/2025"
        rows.append(done(number, unit_name=units[code], received_at=day, due_at="14/03/2026", finished_at="10/03/2026",
                         components_digitised="Có" if digitised else "", data_reused="x" if reused else ""))  # fmt: skip
        truth[code].update(["received"] * inside + ["components_digitised"] * (inside and digitised))
        truth[code].update(
            ["components_not_digitised"] * (inside and not digitised) + ["data_reused"] * (inside and reused)
        )
    told, expected = [], {}
    for line, (code, name) in enumerate(units.items(), start=1):
        yes, no, reused = (chance.randrange(30) if chance.random() < 0.5 else truth[code][m]
                           for m in ("components_digitised", "components_not_digitised", "data_reused"))  # fmt: skip
        says = {
            "received": yes + no,
            "components_digitised": yes,
            "components_not_digitised": no,
            "data_reused": reused,
        }
        told.append([str(line), name, yes + no, no, yes, reused, 0, share(yes, yes + no), 0, 0, 0, "-"])
        expected |= {("so_hoa_xlsx", code, "*", m): (n, truth[code][m]) for m, n in says.items() if n != truth[code][m]}
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows), f"{REPORTS}/a.xlsx": flat(DIGITISATION, told)})
    assert place.quarantine() == set()
    assert expected
    assert differing(place) == expected


def test_the_simulated_reports_agree_with_the_simulated_dossiers(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    night = the_night(request.session, warehouses, tmp_path_factory)
    truth = json.loads((night.drop / "truth.json").read_text(encoding="utf-8"))["reports"]
    shown = night.warehouse.query("select report, count(recomputed) as compared from mart.reported group by report")
    assert {row["report"] for row in shown if row["compared"]} == {
        "tong_hop_06a_xlsx", "tong_hop_don_vi_xlsx", "so_hoa_xlsx", "thanh_toan_xlsx", "thong_ke_xu_ly_json",
        "thong_ke_so_hoa_json",
    }  # fmt: skip
    assert differing(night.warehouse) == {}
    told = {(row["unit_code"], name): count for row in truth for name, count in row["measures"].items()}
    for row in night.warehouse.query("select * from mart.reported where field_code = '*' and report not like '%06a%'"):
        assert row["reported"] == told.get((row["unit_code"], row["measure"]), 0), row
    assert truth[0]["period_label"] == "2026-Q1"


def test_a_seeded_difference_is_found_in_exactly_its_cell(place: Warehouse, tmp_path: Path) -> None:
    (drop,) = simulate(province="42", dossiers=60, seed=2, start=NIGHT, nights=1, out=tmp_path, dirty=False)
    truth = json.loads((drop / "truth.json").read_text(encoding="utf-8"))["reports"]
    seeded = truth[3]["unit_code"]
    units = [
        simulated.UnitCounts(
            unit_code=row["unit_code"],
            unit_name=row["unit_code"],
            counts=row["measures"] | ({"data_reused": row["measures"].get("data_reused", 0) + 3} if row["unit_code"] == seeded else {}),
        )
        for row in truth
    ]  # fmt: skip
    quarter = period_of("2026-Q1", "VPCP_15_14")
    simulated.write_reports(drop, units, quarter, NIGHT)
    files = {str(path.relative_to(drop)): path.read_bytes() for path in drop.glob("*/*")}
    place.load(NIGHT, files)
    (key,) = differing(place)
    assert key == ("so_hoa_xlsx", seeded, "*", "data_reused")


# What leaves the house


def test_the_pages_and_the_form_say_where_a_report_differs(place: Warehouse, tmp_path: Path) -> None:
    place.load(
        NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": summary_of(counter=2345, early=2345)}
    )
    web = TestClient(create_app(place.settings))
    for path in ("/differences", f"/units/{TIEN_DIEN}"):
        page = web.get(path, params={"period": "VPCP_15_14.2026-Q1"})
        assert page.status_code == 200
        assert "Báo cáo tổng hợp đơn vị (Excel)" in page.text
        assert page.text.count(">+2.344<") == 4
    assert ">+2.344<" not in web.get("/differences", params={"period": "CALENDAR.2026-Q1"}).text
    out = tmp_path / "f.xlsx"
    exports.export(place.settings, exports.write_form, unit=TIEN_DIEN, calendar="VPCP_15_14", label="2026-Q1", out=out)
    with zipfile.ZipFile(out) as book:
        assert "khác số tính từ hồ sơ ở 4 ô" in book.read("xl/drawings/drawing1.xml").decode()


# The older tables


def test_forms_of_the_older_table_are_folded_in(warehouses: Warehouses) -> None:
    with warehouses.fresh() as made, connect.transaction(made.settings) as connection:
        made_anew = (Path(schema.__file__).parent / "migrations/versions/0004_reported.sql").read_text(encoding="utf-8")
        house = (Path(schema.__file__).parent / "migrations/versions/0001_house.sql").read_text(encoding="utf-8")
        older = house[house.index("create table core.summary_06a") :].partition(";")[0]
        connect.run_script(
            connection, "drop schema mart cascade; drop table ref.measure, core.reported, rollup.reported"
        )
        connect.run_script(connection, older)
        connect.run_script(
            connection,
            "insert into core.delivery (source_id, night, file_sha256, file_name, feed, verdict, rows_read, rows_accepted) "
            "values ('tong_hop_06a_xlsx', '2026-03-20', 'x', 'a.xlsx', 'summary_06a', 'loaded', 1, 1); "
            "insert into core.summary_06a select delivery_id, 8, 'VPCP_15_14', 'quarter', '2026-Q1', '18373', 'Hộ tịch', "
            "'hộ tịch', 10, 1, 2, 7, 6, 1, 2, 3, 4, 3, 1 from core.delivery",
        )
        connect.run_script(connection, made_anew)
        rows = connection.exec_driver_sql("select measure, value, row_no, field_name from core.reported").all()
    assert {row.measure: row.value for row in rows} == dict(
        zip(FORM_COLUMNS, (10, 1, 2, 7, 6, 1, 2, 3, 4, 3, 1), strict=True)
    )
    assert {(row.row_no, row.field_name) for row in rows} == {(8, "Hộ tịch")}


# What the command says


def test_the_command_lists_differences(place: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done(1)]), f"{REPORTS}/a.xlsx": summary_of(counter=2, early=2)})
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(app, ["summaries", "differences", "--unit", TIEN_DIEN, "--period", "2026-Q1", "--json"])
    rows = json.loads(answer.stdout)
    assert {(row["measure"], row["reported"], row["recomputed"], row["file_name"]) for row in rows} == {
        (measure, 2, 1, "a.xlsx") for measure in ("received_total", "received", "finished_total", "finished_early")
    }
    nothing = CliRunner().invoke(app, ["summaries", "differences", "--unit", CO_DAM])
    assert (nothing.exit_code, nothing.stdout.strip()) == (
        0,
        "no report differs from the dossiers of its unit and period",
    )


# Cells and periods by themselves


LAYOUT = read_layouts(settings())["tong_hop_don_vi_xlsx"]


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 4), st.booleans())
def test_a_per_cent_rounded_half_up_is_always_believed_and_a_neighbour_never(
    part: int, whole: int, places: int, sign: bool
) -> None:
    part %= 9 * whole + 1  # no displayed rate is beyond 900 %
    scaled, unit = 100 * 10**places * part, 10**places
    rounded = (2 * scaled + whole) // (2 * whole)
    text = f"{rounded // unit},{rounded % unit:0{places}d}" if places else str(rounded)
    assert shows_percent(text + ("%" if sign else ""), part, whole)
    off = rounded + 2
    text = f"{off // unit},{off % unit:0{places}d}" if places else str(off)
    assert not shows_percent(text + "%", part, whole)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_simulated_per_cent_is_one(part: int, whole: int) -> None:
    part %= 9 * whole + 1
    assert shows_percent(simulated.percent(part, whole), part, whole)
    assert simulated.percent(part, 0) == "-"


@given(st.integers(0, 10**9))
def test_a_count_is_read_back_grouped_or_not(number: int) -> None:
    for text in (str(number), f"{number:,}".replace(",", "."), f"{number},0", f"{number}.0"):
        assert count_of(text, LAYOUT) == number


@given(st.text(max_size=12))
def test_no_text_is_more_than_a_count_a_per_cent_or_nothing(text: str) -> None:
    number = count_of(text, LAYOUT)
    assert number is None or 0 <= number <= 10**9
    assert is_percent(text) in (True, False)


@pytest.mark.parametrize("calendar", list(PeriodCalendar))
def test_every_period_is_known_again_by_its_days_and_by_its_name(calendar: PeriodCalendar) -> None:
    for period in periods_between(2025, 2027):
        if period.calendar is not calendar:
            continue
        days = f"{period.start:%d/%m/%Y} đến ngày {period.end:%d/%m/%Y}"
        assert period_of(f"Từ ngày {days}") == period
        assert period_of(f"{period.start:%Y%m%d}_{period.end:%Y%m%d}") == period
        assert period_of(period.label, calendar) == period


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_period(text: str) -> None:
    try:
        assert period_of(text, "CALENDAR").calendar is PeriodCalendar.CALENDAR
    except FileRefused as refused:
        assert refused.reason == "PERIOD"


# The registry


def test_every_measure_of_a_shipped_layout_is_worded_and_every_recomputation_counts(place: Warehouse) -> None:
    measures = read_measures(settings())
    counters = {row["column_name"] for row in place.query("select column_name from information_schema.columns where table_schema = 'rollup' and table_name = 'counter'")}  # fmt: skip
    for measure in measures.values():
        assert measure.title
        assert set((measure.recomputed or "").replace("+", " ").replace("-", " ").split()) <= counters
    assert {c.name for c in FORM_COLUMNS_OF_LAYOUT} == set(FORM_COLUMNS)
    used = {c.measure.id for layout in read_layouts(settings()).values() for c in layout.columns if c.measure}
    assert set(measures) - used <= {"paid_online_by_day"}


FORM_COLUMNS_OF_LAYOUT = [c for c in read_layouts(settings())["tong_hop_06a_xlsx"].columns if c.measure]
