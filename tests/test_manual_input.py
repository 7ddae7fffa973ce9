"""What dossiers cannot tell: the form goes out, is filled in, comes back, and becomes figures that are never guessed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from exports import SYNTHETIC, csv_list, dossier, workbook
from tthc import enquiries, pipeline
from tthc.cli import app
from tthc.domain.errors import Misconfigured
from tthc.reference.manual import read_indicators
from tthc.rollups.published import KEY
from tthc.serving import manual_form
from tthc.settings import REFERENCE
from tthc.staging.layout_check import check_layout
from warehouses import Warehouse

Q1 = "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"
NIGHT = date(2026, 3, 20)
TIEN_DIEN, NGHI_XUAN, DEPARTMENT, PROVINCE = "18373", "18352", "42-SNV", "42"
OFFICES = {
    TIEN_DIEN: "UBND xã Tiên Điền",
    NGHI_XUAN: "Ủy ban nhân dân xã Nghi Xuân",
    DEPARTMENT: "Sở Nội vụ",
    PROVINCE: "Ủy ban nhân dân tỉnh Hà Tĩnh",
}
Counts = Mapping[str, tuple[Any, Any]]


def form(unit: str, counts: Counts, *, period: str = Q1, on_record: Counts | None = None) -> bytes:
    """A form made by hand, with only the lines given."""
    known = on_record or {}
    head = [[SYNTHETIC], [f"Đơn vị: {OFFICES[unit]}"], [f"Mã đơn vị: {unit}"], [f"Kỳ báo cáo: {period}"], []]
    names = ["STT", "Mã chỉ tiêu", "Tử số", "Mẫu số", "Đang ghi nhận"]
    rows = [
        [number, name, *pair, " / ".join(map(str, known[name])) if name in known else ""]
        for number, (name, pair) in enumerate(counts.items(), start=1)
    ]
    return workbook([*head, names, *rows])


def exported(warehouse: Warehouse, folder: Path, unit: str, label: str = "2026-Q1") -> Path:
    out = folder / f"{unit}.xlsx"
    made_at = datetime(2026, 3, 15, tzinfo=UTC)
    manual_form.export(warehouse.settings, unit=unit, calendar="VPCP_15_14", label=label, out=out, made_at=made_at)
    return out


def filled(path: Path, counts: Counts) -> bytes:
    """The form as a clerk sends it back."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    head = next(row for row in sheet.iter_rows() if row[1].value == "Mã chỉ tiêu")
    at = {cell.value: cell.column for cell in head}
    lines = {sheet.cell(row, at["Mã chỉ tiêu"]).value: row for row in range(head[0].row + 1, sheet.max_row + 1)}
    for name, pair in counts.items():
        for heading, value in zip(("Tử số", "Mẫu số"), pair, strict=True):
            sheet.cell(lines[name], at[heading]).value = value
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def shown(warehouse: Warehouse, unit: str = TIEN_DIEN, period: str = "2026-Q1") -> dict[str, tuple[int, int]]:
    """Figures of a unit that carry the flag `manual_input`."""
    rows = warehouse.query(
        "select metric_id, numerator, denominator from mart.kpi where unit_code = :unit and period_label = :period "
        "and 'manual_input' = any(flags) and basis = 'as_reported' and field_code = '*' and profile = '*'",
        unit=unit,
        period=period,
    )
    return {row["metric_id"]: (row["numerator"], row["denominator"]) for row in rows}


def refused(warehouse: Warehouse) -> dict[int, str]:
    """Row → rule of what waits in quarantine."""
    rows = warehouse.query("select row_no, rule_id from core.quarantine where state = 'open' and ordinal = 1")
    return {row["row_no"]: row["rule_id"] for row in rows}


# The round trip.


def test_the_form_goes_out_comes_back_and_shows_what_is_on_record(warehouse: Warehouse, tmp_path: Path) -> None:
    first = exported(warehouse, tmp_path, TIEN_DIEN)
    stated = {"iso_process": (45, 50), "satisfaction_desk": (1234, 1300), "petitions_on_time": (0, 0)}
    assert warehouse.load(NIGHT, {"nhap_tay/tien-dien.xlsx": filled(first, stated)}).files == {"loaded": 1}
    assert shown(warehouse) == stated
    again = openpyxl.load_workbook(exported(warehouse, tmp_path, TIEN_DIEN)).active
    assert again is not None
    cells = {row[1]: row[6:9] for row in again.iter_rows(values_only=True)}
    assert cells["iso_process"] == (45, 50, "45 / 50")
    assert cells["satisfaction_desk"] == (1234, 1300, "1.234 / 1.300")
    assert cells["petitions_on_time"] == (0, 0, "0 / 0")
    assert cells["work_files_online"] == (None, None, None)
    line = warehouse.query("select * from mart.manual_input where metric_id = 'iso_process'")[0]
    told = openpyxl.load_workbook(io.BytesIO(filled(first, stated)))[line["sheet"]]
    assert [told.cell(line["row_no"], column).value for column in (2, 7, 8)] == ["iso_process", 45, 50]


def test_a_form_asks_each_level_for_its_own_and_nothing_in_it_can_run(warehouse: Warehouse, tmp_path: Path) -> None:
    indicators = read_indicators(warehouse.settings)
    for unit, level in ((TIEN_DIEN, "commune"), (DEPARTMENT, "department"), (PROVINCE, "province")):
        book = openpyxl.load_workbook(exported(warehouse, tmp_path, unit))
        sheet = book.active
        assert sheet is not None and sheet.protection.sheet
        asked = {row[1] for row in sheet.iter_rows(values_only=True)} & set(indicators)
        assert asked == {one.id for one in indicators.values() if level in one.levels}
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert not any(cell.data_type == "f" for cell in cells)
        assert not any(cell.protection.locked is False and cell.value for cell in cells)
        assert {rule.type for rule in sheet.data_validations.dataValidation} == {"whole"}


@pytest.mark.parametrize("label", ["2026-Q5", "", "quý I", "2026-03-01", "٢٠٢٦"])
def test_a_period_that_is_none_is_refused(warehouse: Warehouse, tmp_path: Path, label: str) -> None:
    with pytest.raises(Misconfigured, match="no period"):
        exported(warehouse, tmp_path, TIEN_DIEN, label)


def test_the_same_as_csv_and_as_a_dry_run(warehouse: Warehouse, tmp_path: Path) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(
        [[f"Đơn vị: {OFFICES[TIEN_DIEN]}"], [f"Mã đơn vị: {TIEN_DIEN}"], ["Kỳ báo cáo: Tháng 3/2026 (15/2/2026 - 14/3/2026)"],
         ["Mã chỉ tiêu", "Tử số", "Mẫu số"], ["iso_process", "1.045", "1.050"], ["apologies", "85%", ""]]
    )  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    report = check_layout(warehouse.settings, path, "nhap_tay", NIGHT)
    assert (report.layout_id, report.verdict) == ("nhap_tay_csv", "loaded_with_quarantine")
    assert [(one["cell"], one["rule"]) for one in report.problems] == [("B6", "PERCENT_TYPED")]
    warehouse.load(NIGHT, {"nhap_tay/a.csv": path.read_bytes()})
    assert shown(warehouse, period="2026-03") == {"iso_process": (1045, 1050)}


# What is refused.

WRONG: dict[str, tuple[str, tuple[Any, Any]]] = {
    "NUMERATOR_OVER_DENOMINATOR": ("iso_process", (6, 5)),
    "DENOMINATOR_MISSING": ("reviewed", (95, None)),
    "NUMERATOR_MISSING": ("at_desk", (None, 9)),
    "INDICATOR_UNKNOWN": ("iso_proces", (1, 2)),
    "INDICATOR_NOT_ASKED": ("disclosed_on_time", (1, 2)),
    "RANGE": ("apologies", (-1, 5)),
    "NUMBER_FORMAT": ("late_by_office", ("hai", 5)),
    "CELL_ERROR": ("work_files_online", ("#N/A", 5)),
}
PERCENTS = {
    "offered_online": ("85%", ""), "used_online": ("85,5 %", 100), "payment_offered": (0.85, 1),
    "payment_used": (95.5, 100), "documents_signed": ("120%", ""),
}  # fmt: skip


def test_each_wrong_line_is_refused_with_its_cell_and_the_others_enter(warehouse: Warehouse) -> None:
    counts = {**dict(WRONG.values()), **PERCENTS, "satisfaction_survey": (95, 100), "satisfaction_desk": (3, 4)}
    rules = [*WRONG, *(["PERCENT_TYPED"] * len(PERCENTS))]
    sound = {name: (7, 8) for name in read_indicators(warehouse.settings) if name not in counts}
    asked = {name: pair for name, pair in sound.items() if name != "disclosed_on_time"}
    outcome = warehouse.load(NIGHT, {"nhap_tay/b.xlsx": form(TIEN_DIEN, {**counts, **asked})})
    assert outcome.files == {"loaded_with_quarantine": 1}
    found = warehouse.query(
        "select row_no, rule_id, cell, quarantine.reason, expected from core.quarantine join core.delivery using (delivery_id) "
        "where file_name = 'b.xlsx' order by row_no, ordinal"
    )
    assert {row["row_no"]: row["rule_id"] for row in found} == dict(enumerate(rules, start=7))
    percent = next(row for row in found if row["rule_id"] == "PERCENT_TYPED")
    assert percent["cell"] == f"C{percent['row_no']}"
    assert "số đếm" in percent["expected"] and "Tử số" in percent["reason"]
    assert shown(warehouse) == {**asked, "satisfaction_survey": (95, 100), "satisfaction_desk": (3, 4)}
    told = warehouse.query("select row_count from core.delivery_finding where rule_id = 'DENOMINATOR_IS_100'")
    assert told[-1]["row_count"] >= 1


def test_an_indicator_on_two_lines_is_refused_unless_both_say_the_same(warehouse: Warehouse) -> None:
    head = [[SYNTHETIC], ["Đơn vị: xã Tiên Điền"], ["Mã đơn vị: 18373"], [f"Kỳ báo cáo: {Q1}"]]
    rows = [["Mã chỉ tiêu", "Tử số", "Mẫu số"], ["iso_process", 1, 2], ["iso_process", 1, 2], ["reviewed", 1, 2],
            ["reviewed", 1, 3], ["at_desk", 5, 5], ["apologies", 5, 5], ["late_by_office", 0, 9]]  # fmt: skip
    warehouse.load(NIGHT, {"nhap_tay/a.xlsx": workbook([*head, *rows])})
    assert refused(warehouse) == {8: "INDICATOR_REPEATED", 9: "INDICATOR_REPEATED"}
    assert warehouse.files()["a.xlsx"]["rows_duplicate"] == 1
    assert set(shown(warehouse)) == {"iso_process", "at_desk", "apologies", "late_by_office"}


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (f"Kỳ báo cáo: {Q1}", "Kỳ báo cáo: Quý II/2026 (từ ngày 15/3/2026 đến ngày 14/6/2026)", "PERIOD"),
        (f"Kỳ báo cáo: {Q1}", "Kỳ báo cáo: Quý I/2026", "PERIOD"),
        (f"Kỳ báo cáo: {Q1}", "Kỳ báo cáo: Quý I/2009 (từ ngày 15/12/2008 đến ngày 14/3/2009)", "PERIOD"),
        (f"Kỳ báo cáo: {Q1}", "Kỳ: một hôm", "MISSING_TITLE"),
        ("Mã đơn vị: 18373", "Mã đơn vị: 18352", "UNKNOWN_UNIT"),
        ("Mã đơn vị: 18373", "Mã đơn vị: 42", "UNKNOWN_UNIT"),
        ("Mã đơn vị: 18373", "Mã đơn vị: 99999", "UNKNOWN_UNIT"),
        ("Mẫu số", "Tổng", "MISSING_COLUMN"),
    ],
)
def test_a_form_of_no_unit_no_period_or_a_period_to_come_is_refused(
    warehouse: Warehouse, before: str, after: str, reason: str
) -> None:
    cells = [[f"Đơn vị: {OFFICES[TIEN_DIEN]}"], ["Mã đơn vị: 18373"], [f"Kỳ báo cáo: {Q1}"],
             ["Mã chỉ tiêu", "Tử số", "Mẫu số"], ["iso_process", 1, 2]]  # fmt: skip
    changed = [[after if cell == before else cell for cell in row] for row in cells]
    night = date(2026, 3, 14) if reason == "PERIOD" else NIGHT
    assert changed != cells
    warehouse.load(night, {"nhap_tay/a.xlsx": workbook(changed)})
    assert warehouse.files()["a.xlsx"]["verdict"] == "rejected"
    assert warehouse.files()["a.xlsx"]["reason"].startswith(reason)
    assert shown(warehouse) == {}


# A later file.


def test_a_later_file_replaces_only_what_it_fills(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"nhap_tay/a.xlsx": form(TIEN_DIEN, {"iso_process": (45, 50), "apologies": (1, 2)})})
    later = form(TIEN_DIEN, {"iso_process": (46, 50), "apologies": (None, None), "reviewed": (5, 4), "at_desk": (9, 9)})
    warehouse.load(date(2026, 3, 21), {"nhap_tay/b.xlsx": later})
    assert shown(warehouse) == {"iso_process": (46, 50), "apologies": (1, 2), "at_desk": (9, 9)}
    changes = warehouse.query(
        "select metric_id, old_numerator, new_numerator, cause from mart.restatement where basis = 'as_reported' "
        "and unit_code = '18373'"
    )
    assert {"metric_id": "iso_process", "old_numerator": 45, "new_numerator": 46, "cause": "file"} in changes
    assert not any(row["metric_id"] == "apologies" for row in changes)


def test_an_emptied_line_takes_back_what_its_form_showed_or_its_own_file_said(warehouse: Warehouse) -> None:
    stated: Counts = {"iso_process": (45, 50), "apologies": (1, 2), "at_desk": (9, 9)}
    warehouse.load(NIGHT, {"nhap_tay/a.xlsx": form(TIEN_DIEN, stated)})
    shows = form(TIEN_DIEN, {"iso_process": (None, None), "at_desk": (9, 9)}, on_record=stated)
    warehouse.load(date(2026, 3, 21), {"nhap_tay/b.xlsx": shows})
    assert shown(warehouse) == {"apologies": (1, 2), "at_desk": (9, 9)}
    warehouse.load(date(2026, 3, 22), {"nhap_tay/a.xlsx": form(TIEN_DIEN, {"apologies": (None, None)})})
    assert shown(warehouse) == {"at_desk": (9, 9)}
    warehouse.load(date(2026, 3, 23), {"nhap_tay/c.xlsx": form(TIEN_DIEN, {"iso_process": (44, 50)})})
    assert shown(warehouse) == {"at_desk": (9, 9), "iso_process": (44, 50)}
    history = warehouse.query(
        "select publication_id, numerator from mart.kpi_history where metric_id = 'iso_process' "
        "and basis = 'as_reported' order by 1"
    )
    assert [(row["publication_id"], row["numerator"]) for row in history] == [(1, 45), (4, 44)]


def test_nights_in_another_order_end_in_the_same_figures(warehouse: Warehouse) -> None:
    nights = {
        NIGHT: form(TIEN_DIEN, {"iso_process": (45, 50), "apologies": (1, 2)}),
        date(2026, 3, 22): form(TIEN_DIEN, {"iso_process": (47, 50)}),
        date(2026, 3, 24): form(TIEN_DIEN, {"apologies": (None, None)}, on_record={"apologies": (1, 2)}),
    }
    for night in (date(2026, 3, 24), NIGHT, date(2026, 3, 22)):
        warehouse.load(night, {f"nhap_tay/{night}.xlsx": nights[night]})
    assert shown(warehouse) == {"iso_process": (47, 50)}


def test_the_same_bytes_again_change_nothing_and_a_mended_line_leaves_quarantine(warehouse: Warehouse) -> None:
    counts: Counts = {"iso_process": (45, 50), "apologies": (3, 2), "at_desk": (9, 9)}
    files = {"nhap_tay/a.xlsx": form(TIEN_DIEN, counts)}
    warehouse.load(NIGHT, files)
    assert warehouse.load(NIGHT, files).files == {"already_known": 1}
    assert warehouse.load(date(2026, 3, 21), files).files == {"already_known": 1}
    assert refused(warehouse) == {8: "NUMERATOR_OVER_DENOMINATOR"}
    warehouse.load(date(2026, 3, 22), {"nhap_tay/mended.xlsx": form(TIEN_DIEN, {"apologies": (2, 3)})})
    assert refused(warehouse) == {}
    assert shown(warehouse) == {"iso_process": (45, 50), "apologies": (2, 3), "at_desk": (9, 9)}


def test_a_line_enters_by_replay_when_the_registry_knows_its_indicator(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counts = {"wifi": (1, 2), "iso_process": (45, 50), "at_desk": (9, 9)}
    warehouse.load(NIGHT, {"nhap_tay/a.xlsx": form(TIEN_DIEN, counts)})
    assert refused(warehouse) == {7: "INDICATOR_UNKNOWN"}
    head = (REFERENCE / "manual_indicators.csv").read_text(encoding="utf-8").splitlines()[0]
    line = "wifi,1,Khác,Điểm truy cập,Số điểm,Tổng số điểm,điểm,commune,true,thử nghiệm"
    (tmp_path / "manual_indicators.csv").write_text(f"{head}\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(warehouse.settings.__class__, "reference_overlay", tmp_path, raising=False)
    with warehouse.kept():
        done = pipeline.replay(warehouse.settings)
        pipeline.publish(warehouse.settings)
    assert done.rows_repaired == 1
    assert shown(warehouse) == dict(counts)


# The figures.


def test_the_province_is_the_sum_of_those_who_stated_and_says_how_many_did(warehouse: Warehouse) -> None:
    stated = {
        TIEN_DIEN: {"apologies": (1, 3), "iso_process": (45, 50)},
        NGHI_XUAN: {"apologies": (5, 5), "iso_process": (10, 40)},
        DEPARTMENT: {"apologies": (0, 0)},
        PROVINCE: {"disclosed_on_time": (9, 12)},
    }
    warehouse.load(NIGHT, {f"nhap_tay/{unit}.xlsx": form(unit, counts) for unit, counts in stated.items()})
    assert shown(warehouse, PROVINCE) == {"apologies": (6, 8), "disclosed_on_time": (9, 12)}
    (row,) = warehouse.query(
        "select units_reported, units_expected, status, rate from mart.kpi where unit_code = '42' "
        "and metric_id = 'apologies' and basis = 'as_reported'"
    )
    asked = warehouse.value(
        "select count(*) from ref.unit where level in ('commune', 'department') "
        "and date '2026-03-14' between valid_from and valid_to"
    )
    assert (row["units_reported"], row["units_expected"], row["status"]) == (3, asked, "provisional")
    assert float(row["rate"]) == 0.75


def test_a_unit_that_was_merged_later_moves_with_its_counts(warehouse: Warehouse) -> None:
    """Thị trấn Tiên Điền (18373) and xã Xuân Yên (18376) became xã Tiên Điền (18373) on 1/7/2025."""
    period = "Tháng 6/2025 (từ ngày 15/5/2025 đến ngày 14/6/2025)"
    rows = {"18373": "thị trấn Tiên Điền", "18376": "xã Xuân Yên"}
    for number, (code, name) in enumerate(rows.items(), start=1):
        OFFICES[code] = name if code == "18376" else OFFICES[code]
        cells = [[f"Đơn vị: {name}"], [f"Mã đơn vị: {code}"], [f"Kỳ báo cáo: {period}"],
                 ["Mã chỉ tiêu", "Tử số", "Mẫu số"], ["apologies", number, 10], ["iso_process", 1, 2]]  # fmt: skip
        warehouse.load(NIGHT, {f"nhap_tay/{code}.xlsx": workbook(cells)})
    found = warehouse.query(
        "select unit_code, basis, numerator, denominator from mart.kpi where metric_id = 'apologies' "
        "and unit_level = 'commune' order by 1, 2"
    )
    assert [tuple(row.values()) for row in found] == [
        ("18373", "as_reported", 1, 10),
        ("18373", "current_boundary", 3, 20),
        ("18376", "as_reported", 2, 10),
    ]
    assert warehouse.figure("iso_process", unit="18376", period="2025-06", basis="current_boundary") == (1, 2)
    flagged = warehouse.query("select unit_code, basis, metric_id, flags from mart.kpi where unit_level = 'commune'")
    assert {(*list(row.values())[:3], *row["flags"]) for row in flagged} == {
        ("18373", "as_reported", "apologies", "manual_input"),
        ("18376", "as_reported", "apologies", "manual_input"),
        ("18373", "current_boundary", "apologies", "manual_input", "merged_unit"),
        ("18373", "as_reported", "iso_process", "manual_input"),
        ("18376", "as_reported", "iso_process", "manual_input"),
        ("18373", "current_boundary", "iso_process", "manual_input", "not_summed"),
        ("18376", "current_boundary", "iso_process", "manual_input", "not_summed"),
    }
    bands = warehouse.query(
        "select distinct band from mart.ranking where metric_id = 'iso_process' and basis <> 'as_reported'"
    )
    assert bands in ([], [{"band": "không so sánh được"}])


def test_a_unit_that_got_a_part_of_a_split_one_lacks_what_that_one_stated(warehouse: Warehouse) -> None:
    """Xã Kỳ Lợi (18796) went in parts, undivided, to three wards on 1/7/2025; one of them is phường Sông Trí (18754)."""
    period = "Tháng 6/2025 (từ ngày 15/5/2025 đến ngày 14/6/2025)"
    names = ["Mã chỉ tiêu", "Tử số", "Mẫu số"]
    stated = {"18796": ("xã Kỳ Lợi", [["apologies", 1, 10]]),
              "18754": ("phường Hưng Trí", [["apologies", 2, 10], ["documents_signed", 3, 4]])}  # fmt: skip
    for code, (name, lines) in stated.items():
        head = [[f"Đơn vị: {name}"], [f"Mã đơn vị: {code}"], [f"Kỳ báo cáo: {period}"], names]
        warehouse.load(NIGHT, {f"nhap_tay/{code}.xlsx": workbook([*head, *lines])})
    rows = warehouse.query("select unit_code, metric_id, basis, flags from mart.kpi")
    split = {(row["unit_code"], row["metric_id"], row["basis"]) for row in rows if "split_unit" in row["flags"]}
    assert split == {(unit, "apologies", "current_boundary") for unit in ("18796", "18754", "42")}


def test_a_unit_that_has_filled_the_form_owes_it_each_quarter(warehouse: Warehouse) -> None:
    q2 = "Quý II/2026 (từ ngày 15/3/2026 đến ngày 14/6/2026)"
    empty: Counts = {"at_desk": (None, None)}
    first = {f"nhap_tay/{unit}.xlsx": form(unit, {"at_desk": (1, 2)}) for unit in (TIEN_DIEN, NGHI_XUAN)}
    first["nhap_tay/snv.xlsx"] = form(DEPARTMENT, {"apologies": (0, 0)})
    warehouse.load(NIGHT, first)
    second = {"nhap_tay/t.xlsx": form(TIEN_DIEN, {"at_desk": (2, 2)}, period=q2)}
    second["nhap_tay/n.xlsx"] = form(NGHI_XUAN, empty, period=q2)
    warehouse.load(date(2026, 6, 16), second)
    rows = warehouse.query(
        "select unit_code, period_label, state, due_on from mart.coverage where source_id = 'nhap_tay' "
        "and period_label in ('2026-Q1', '2026-Q2') order by 1, 2"
    )
    heard = {(row["unit_code"], row["period_label"]): row["state"] for row in rows}
    assert {row["due_on"] for row in rows} == {date(2026, 3, 20), date(2026, 6, 19)}  # five working days
    assert heard[DEPARTMENT, "2026-Q1"] == "zero"
    assert {heard[TIEN_DIEN, "2026-Q1"], heard[NGHI_XUAN, "2026-Q1"], heard[TIEN_DIEN, "2026-Q2"]} <= {
        "late",
        "on_time",
    }
    assert {heard[NGHI_XUAN, "2026-Q2"], heard[DEPARTMENT, "2026-Q2"]} <= {
        "missing",
        "not_due",
    }  # an empty form says nothing


# From the form to the scorecard, by commands alone.


def test_a_clerk_fills_the_form_is_refused_repairs_it_and_meets_the_target(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)

    def tthc(*words: str | Path, status: int = 0) -> str:
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == status, done.output
        return done.stdout

    def hand_in(night: str, content: bytes) -> None:
        (tmp_path / night / "nhap_tay").mkdir(parents=True)
        (tmp_path / night / "nhap_tay" / "tien-dien.xlsx").write_bytes(content)
        tthc("load", "--drop", tmp_path / night, "--as-of", night)

    def line_of(title: str, sheet: str) -> dict[str, Any]:
        card = tmp_path / "card.xlsx"
        tthc("export", "scorecard", "--unit", TIEN_DIEN, "--period", "2026-Q1", "--out", card)
        rows = [list(row) for row in openpyxl.load_workbook(card)[sheet].iter_rows(values_only=True)]
        head = next(row for row in rows if "Tử số" in row)
        return dict(zip(head, next(row for row in rows if title in row), strict=True))

    blank = tmp_path / "form.xlsx"
    tthc("init")
    done = dossier("H42.1-260105-0001", received_at="05/01/2026", finished_at="09/01/2026", status="Đã xử lý xong")
    (tmp_path / "2026-03-15" / "mot_cua_csv").mkdir(parents=True)
    (tmp_path / "2026-03-15" / "mot_cua_csv" / "a.csv").write_bytes(csv_list([done]))
    tthc("load", "--drop", tmp_path / "2026-03-15", "--as-of", "2026-03-15")
    tthc("export", "manual-input", "--unit", TIEN_DIEN, "--period", "2026-Q1", "--out", blank)
    iso, survey = "TTHC được xây dựng quy trình ISO", "Hài lòng về giải quyết TTHC (khảo sát của đơn vị)"
    assert line_of(iso, "Tự nhập")["Tỷ lệ"] == "chưa có số liệu"
    wanted = "TTHC thuộc thẩm quyền giải quyết được xây dựng quy trình ISO"
    assert line_of(wanted, "Mục tiêu")["Đánh giá"] == "Chưa có số liệu"

    hand_in("2026-03-20", filled(blank, {"iso_process": ("90%", None), "satisfaction_survey": (94996, 100000)}))
    (bad,) = json.loads(tthc("quarantine", "list", "--json"))
    assert (bad["rule_id"], bad["sheet"], bad["column"]) == ("PERCENT_TYPED", "Nhập tay", "Tử số")
    (book,) = (tmp_path / "owners").glob("*.xlsx") if tthc("quarantine", "export", "--out", tmp_path / "owners") else ()
    cells = {str(cell.value) for sheet in openpyxl.load_workbook(book) for row in sheet.iter_rows() for cell in row}
    assert f"G{bad['row_no']}" in cells
    assert line_of(survey, "Tự nhập")["Tỷ lệ"] == "95,00%"  # of 94,996 %
    assert line_of(iso, "Tự nhập")["Tỷ lệ"] == "chưa có số liệu"

    hand_in("2026-03-23", filled(blank, {"iso_process": (50, 50), "satisfaction_survey": (94996, 100000)}))
    assert json.loads(tthc("quarantine", "list", "--json")) == []
    assert [line_of(iso, "Tự nhập")[name] for name in ("Tử số", "Mẫu số", "Tỷ lệ")] == [50, 50, "100,00%"]
    assert line_of(wanted, "Mục tiêu")["Đánh giá"] == "Đạt"
    missed = "Mức độ hài lòng của người dân, doanh nghiệp về giải quyết TTHC"
    assert line_of(missed, "Mục tiêu")["Đánh giá"] == "Không đạt"
    told = tthc("explain", "--metric", "iso_process", "--unit", TIEN_DIEN, "--period", "2026-Q1")
    assert "tien-dien.xlsx" in told and f"G{bad['row_no']}, H{bad['row_no']}" in told


def test_a_target_stated_by_hand_is_assessed_exactly(warehouse: Warehouse) -> None:
    year = "Năm 2026 (từ ngày 15/12/2025 đến ngày 14/12/2026)"
    counts: Counts = {"satisfaction_survey": (94996, 100000), "iso_process": (50, 50), "bodies_inspected": (0, 0)}
    warehouse.load(NIGHT, {"nhap_tay/a.xlsx": form(TIEN_DIEN, counts, period=year)})
    met = warehouse.query("select target_id, met from mart.kpi_vs_target where basis = 'as_reported'")
    assert {row["target_id"]: row["met"] for row in met} == {"000-3.10": False, "000-7.2.2": True, "000-1.2": None}


# Where a figure comes from, and what was known.


def key_of(metric: str, unit: str, basis: str = "as_reported") -> dict[str, str]:
    return dict(zip(KEY, ("VPCP_15_14", "2026-Q1", unit, basis, "*", metric, "*"), strict=True))


def test_a_figure_leads_to_file_sheet_row_and_cells_and_the_row_leads_back(warehouse: Warehouse) -> None:
    files = {
        "nhap_tay/a.xlsx": form(TIEN_DIEN, {"iso_process": (45, 50), "apologies": (1, 2)}),
        "nhap_tay/b.xlsx": form(NGHI_XUAN, {"apologies": (0, 0), "at_desk": (None, None)}),
    }
    warehouse.load(NIGHT, files)
    later = form(TIEN_DIEN, {"apologies": (2, 2)})
    warehouse.load(date(2026, 3, 21), {"nhap_tay/c.xlsx": later})
    told = {}
    for unit in (TIEN_DIEN, NGHI_XUAN, PROVINCE):
        for basis in ("as_reported", "current_boundary"):
            found = enquiries.explain(warehouse.settings, key_of("apologies", unit, basis))
            assert (found.dossiers, found.agrees) == ([], True)
            told[unit, basis] = [(one["file_name"], one["row_no"], one["cells"]) for one in found.forms]
            for one in found.forms:
                content = later if one["file_name"] == "c.xlsx" else files[f"nhap_tay/{one['file_name']}"]
                assert one["file_sha256"] == hashlib.sha256(content).hexdigest()
                sheet = openpyxl.load_workbook(io.BytesIO(content))[one["sheet"]]
                pair = [sheet[cell].value for cell in one["cells"]]
                assert [value > 0 for value in pair] == [one["in_numerator"], one["in_denominator"]]
                back = enquiries.figures_of(warehouse.settings, one["file_sha256"], one["row_no"], one["sheet"])
                assert {row["outcome"] for row in back} == {"counted"}
                assert {name: key_of("apologies", unit, basis)[name] for name in KEY} in [
                    {name: row[name] for name in KEY} for row in back
                ]
    mine, theirs = [("c.xlsx", 7, ["C7", "D7"])], [("b.xlsx", 7, ["C7", "D7"])]
    assert told[TIEN_DIEN, "as_reported"] == told[TIEN_DIEN, "current_boundary"] == mine
    assert told[NGHI_XUAN, "as_reported"] == theirs
    assert told[PROVINCE, "as_reported"] == told[PROVINCE, "current_boundary"] == theirs + mine
    (old,) = enquiries.figures_of(warehouse.settings, "a.xlsx", 8)
    assert (old["outcome"], old["counted_file_name"], old["metric_id"]) == ("superseded", "c.xlsx", None)
    (empty,) = enquiries.figures_of(warehouse.settings, "b.xlsx", 8)
    assert (empty["outcome"], empty["metric_id"]) == ("empty", None)
    with pytest.raises(Misconfigured, match="nobody has stated it"):
        enquiries.explain(warehouse.settings, key_of("at_desk", NGHI_XUAN))


def test_what_was_known_on_a_night_holds_what_units_had_stated_by_then(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"nhap_tay/a.xlsx": form(TIEN_DIEN, {"apologies": (1, 2), "iso_process": (4, 5)})})
    warehouse.load(date(2026, 3, 21), {"nhap_tay/b.xlsx": form(TIEN_DIEN, {"apologies": (2, 2)})})
    published = warehouse.query(
        "select unit_code, basis, metric_id, numerator, denominator from mart.kpi order by 1, 2, 3"
    )
    known = {
        night: [
            {name: row[name] for name in ("unit_code", "basis", "metric_id", "numerator", "denominator")}
            for row in enquiries.figures_as_known(warehouse.settings, night, "2026-Q1")
        ]
        for night in (date(2026, 3, 19), NIGHT, date(2026, 3, 21))
    }
    assert known[date(2026, 3, 19)] == []
    assert sorted(known[date(2026, 3, 21)], key=lambda row: tuple(row.values())[:3]) == published
    before = {row["numerator"] for row in known[NIGHT] if row["metric_id"] == "apologies"}
    assert before == {1} and len(known[NIGHT]) == len(published)


# Index 766.


def index(warehouse: Warehouse, unit: str = TIEN_DIEN) -> dict[str, dict[str, Any]]:
    rows = warehouse.query(
        "select * from mart.index_766 where unit_code = :unit and period_label = '2026-Q1' "
        "and period_calendar = 'VPCP_15_14'",
        unit=unit,
    )
    return {row["component_id"]: row for row in rows}


def points(row: Mapping[str, str], pair: tuple[int, int] | None, level: str) -> Fraction | None:
    """The points of a component, computed from index_766.csv once more; None: missing, or nothing occurred."""
    most = Fraction(row["max_points"])
    if level in row["not_for"].split():
        return most
    if pair is None:
        return None
    if pair[1] == 0:
        return Fraction(row["points_at_zero"]) if row["points_at_zero"] else None
    return min(most, most * Fraction(*pair) / Fraction(row["full_at"]))


def components() -> list[dict[str, str]]:
    with (REFERENCE / "index_766.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_index_gives_each_component_its_points_and_never_guesses(warehouse: Warehouse) -> None:
    done = dossier("H42.1-260105-0001", received_at="05/01/2026", finished_at="09/01/2026", status="Đã xử lý xong")
    stated: dict[str, tuple[int, int]] = {
        "published_on_time": (9, 10), "offered_online": (30, 50), "used_online": (20, 40), "payment_offered": (0, 8),
        "petitions_on_time": (0, 0), "petitions_satisfied": (3, 4), "satisfaction_portal": (0, 0),
        "dossiers_synchronised": (0, 0), "population_connected": (0, 0),
    }  # fmt: skip
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([done]), "nhap_tay/a.xlsx": form(TIEN_DIEN, stated)})
    found = index(warehouse)
    counted = {"on_time": (1, 1), "online_submission": (0, 1), "online_payment": (0, 0), "electronic_result": (0, 1),
               "digitised_full": (0, 1), "reuse": (0, 1)}  # fmt: skip
    for row in components():
        pair = {**stated, **counted}.get(row["metric_id"])
        wanted = points(row, pair, "commune")
        mine = found[row["component_id"]]
        assert (mine["points"] is None) == (wanted is None), row
        assert wanted is None or abs(Fraction(mine["points"]) - wanted) < Fraction(1, 1000), row
        assert mine["missing"] == (pair is None and not row["not_for"]), row
    states = {name: found[name]["state"] for name in ("1.2", "5.2", "3.6", "4.5a", "4.4", "3.5")}
    assert states == {"1.2": "not_applicable", "5.2": "nothing", "3.6": "nothing", "4.5a": "nothing", "4.4": "missing",
                      "3.5": "told"}  # fmt: skip
    assert found["3.5"]["points"] == 0
    totals = {
        row["group_code"]: row
        for row in warehouse.query(
            "select * from mart.index_766_total where unit_code = '18373' and period_calendar = 'VPCP_15_14' "
            "and period_label = '2026-Q1'"
        )
    }
    assert set(totals) == {"CKMB", "TDGQ", "CLGQ", "TTTT", "MDSH", "MDHL", "*"}
    assert {name: int(row["max_points"]) for name, row in totals.items()} == {
        "CKMB": 18, "TDGQ": 20, "CLGQ": 12, "TTTT": 10, "MDSH": 22, "MDHL": 18, "*": 100,
    }  # fmt: skip
    for name, row in totals.items():
        mine = [one for one in found.values() if name in ("*", one["group_code"])]
        with_points = [one for one in mine if one["points"] is not None]
        assert row["points"] == sum(one["points"] for one in with_points)
        assert row["max_points_told"] == sum(one["max_points"] for one in with_points)
        assert row["components_missing"] == sum(one["missing"] for one in mine)
        assert row["band"] is None


@pytest.mark.parametrize(("share", "band"), [(90, "Xuất sắc"), (89, "Tốt"), (49, "Yếu")])
def test_the_whole_has_a_band_only_when_nothing_is_missing(warehouse: Warehouse, share: int, band: str) -> None:
    """In one commune every component is told to the same share of its points, however they are told."""
    overlay = {row["metric_id"] for row in components()} - set(read_indicators(warehouse.settings))
    with_dossiers = {"on_time", "online_submission", "online_payment", "electronic_result", "digitised_full", "reuse"}
    assert overlay == with_dossiers
    stated: dict[str, tuple[int, int]] = {}
    for row in components():
        if row["metric_id"] not in with_dossiers and row["metric_id"] != "disclosed_on_time":
            whole = Fraction(share, 100) * Fraction(row["full_at"])
            stated[row["metric_id"]] = (int(whole * 10_000), 10_000)
    rows = [dossier(f"H42.1-260105-{number:04d}", received_at="05/01/2026", due_at="12/01/2026", fee_amount="8.000",
                    finished_at="09/01/2026" if number <= share else "13/01/2026", status="Đã xử lý xong",
                    **dict.fromkeys(("components_digitised", "result_digitised"), "x" if number <= share * 0.8 else ""),
                    channel="Trực tuyến" if number <= share * 0.5 else "Trực tiếp",
                    payment_method="Trực tuyến" if number <= share else "Tiền mặt",
                    result_electronic="x" if number <= share else "",
                    data_reused="x" if number <= share * 0.8 else "") for number in range(1, 101)]  # fmt: skip
    files = {"mot_cua_csv/a.csv": csv_list(rows), "nhap_tay/a.xlsx": form(TIEN_DIEN, stated)}
    warehouse.load(NIGHT, files)
    whole = (
        "select points, max_points_told, components_missing, band from mart.index_766_total where unit_code = '18373' "
        "and group_code = '*' and period_label = '2026-Q1' and period_calendar = 'VPCP_15_14'"
    )
    (row,) = warehouse.query(whole)
    wanted = sum(
        points(each, stated.get(each["metric_id"]), "commune") or Fraction(0)
        for each in components()
        if each["metric_id"] not in with_dossiers
    )
    told = index(warehouse)
    wanted += sum(Fraction(told[each["component_id"]]["points"]) for each in components()
                  if each["metric_id"] in with_dossiers)  # fmt: skip
    assert (row["components_missing"], row["max_points_told"]) == (0, 100)
    assert abs(Fraction(row["points"]) - wanted) < Fraction(1, 100)
    bands = ((90, "Xuất sắc"), (80, "Tốt"), (70, "Khá"), (50, "Trung bình"), (0, "Yếu"))
    assert row["band"] == next(name for least, name in bands if row["points"] >= least)
    assert row["band"] in {band, "Khá", "Trung bình"}
