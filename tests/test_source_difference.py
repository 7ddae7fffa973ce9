"""The province's systems beside the national portal: every seeded difference is counted, and nothing else."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exports import Row, counts, csv_list, form_06a, json_list
from test_rules import sound
from test_web import Outline, get
from tthc.cli import app
from tthc.serving.web import create_app
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 12)
TIEN_DIEN, CO_DAM = "18373", "18394"
CHANGES: dict[str, Row] = {
    "status_differs": {"status": "Đang xử lý"},
    "unit_differs": {"unit_name": "UBND xã Cổ Đạm"},
    "procedure_differs": {"procedure_code": "1.000894"},
    "received_differs": {"received_at": "06/01/2026"},
    "due_differs": {"due_at": "20/01/2026"},
    "finished_differs": {"finished_at": "10/01/2026"},
}
COUNTS = ("dossiers", "only_province", "only_nation", "in_both", "differing", *CHANGES)


def rows_of(warehouse: Warehouse, label: str = "2026-Q1") -> dict[tuple[str, str], dict[str, int]]:
    """(unit, field) → counts that are not 0."""
    found = warehouse.query(
        "select * from mart.source_difference where period_calendar = 'VPCP_15_14' and period_label = :label",
        label=label,
    )
    return {(row["unit_code"], row["field_code"]): {name: row[name] for name in COUNTS if row[name]} for row in found}


def ended(number: int) -> Row:
    return sound(number, status="Đã xử lý xong", finished_at="09/01/2026", field_name="Hộ tịch")


def test_seeded_differences_are_counted_each_in_its_kind(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(4)
    here, there, expected = list[Row](), list[Row](), Counter[str]()
    for number in range(60):
        row, changes = ended(number), dice.sample(sorted(CHANGES), dice.choice((0, 0, 1, 1, 2)))
        side = dice.choice(("both", "both", "both", "only_province", "only_nation"))
        if side != "only_nation":
            here.append(row)
        if side == "both":
            expected += Counter({"in_both": 1, **dict.fromkeys(changes, 1), "differing": int(bool(changes))})
            there.append({**row, **{k: v for change in changes for k, v in CHANGES[change].items()}})
        elif side == "only_nation":
            there.append(row)
        expected += Counter({"dossiers": 1, side: int(side != "both")})
    there = [row | {"finished_at": ""} if row["status"] == "Đang xử lý" else row for row in there]
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(here)})
    warehouse.load(NIGHT, {"dvcqg_json/b.json": json_list(there)})
    expected["finished_differs"] = sum(
        bool(mine["finished_at"] and yours["finished_at"]) and mine["finished_at"] != yours["finished_at"]
        for mine in here for yours in there if mine["dossier_code"] == yours["dossier_code"]
    )  # fmt: skip
    wanted = {name: count for name, count in expected.items() if count}
    assert rows_of(warehouse)[TIEN_DIEN, "*"] == wanted
    assert rows_of(warehouse)["42", "*"] == wanted
    (field,) = {field for _, field in rows_of(warehouse)} - {"*"}
    assert rows_of(warehouse)["42", field] == rows_of(warehouse)[TIEN_DIEN, field] == wanted
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(app, ["sources", "differences", "--period", "2026-Q1", "--json"])
    assert told.exit_code == 0
    assert f'"only_nation": {expected["only_nation"]}' in told.output
    assert "H42" not in told.output


def test_one_side_alone_a_unit_of_one_side_and_agreement_differ_in_nothing(warehouse: Warehouse) -> None:
    mine = [ended(number) for number in range(6)] + [
        ended(number) | {"unit_name": "UBND xã Cổ Đạm"} for number in range(6, 12)
    ]
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(mine)})
    assert rows_of(warehouse) == {}
    late = ended(2) | {"status": "Đang xử lý", "finished_at": ""}
    warehouse.load(NIGHT, {"dvcqg_json/b.json": json_list([*mine[:2], late])})
    told = rows_of(warehouse)
    assert told[TIEN_DIEN, "*"] == {
        "dossiers": 6, "only_province": 3, "in_both": 3, "differing": 1, "status_differs": 1,
    }  # fmt: skip
    assert told["42", "*"] == told[TIEN_DIEN, "*"]
    assert not any(unit == CO_DAM for unit, _ in told)
    warehouse.load(NIGHT + timedelta(days=1), {"dvcqg_json/b.json": json_list(mine[:6])})
    assert rows_of(warehouse)[TIEN_DIEN, "*"] == {"dossiers": 6, "in_both": 6}
    assert rows_of(warehouse, "2026-Q2") == {}


NATIONAL_FORMS = """[[source]]
id = "bieu_cong_quoc_gia"
title = "Biểu II.06a lấy từ Cổng Dịch vụ công quốc gia"
layouts = ["tong_hop_06a_xlsx"]
level = "nation"
"""
HERE = counts(online=2, direct=3, early=4, in_time=1)
THERE = counts(online=1, direct=5, early=4, late=1, over=1)
APART = {  # of the form's eleven counts, those that are not the same: the province's, the national portal's
    ("received_total", 5, 6), ("received_online", 2, 1), ("received_direct", 3, 5), ("resolved_total", 4, 5),
    ("resolved_late", 0, 1), ("in_progress_in_time", 1, 0), ("in_progress_overdue", 0, 1),
}  # fmt: skip


def test_forms_of_both_sides_are_compared_cell_by_cell(
    warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources.toml").write_text(NATIONAL_FORMS, encoding="utf-8")
    q2 = "Quý II/2026 (từ ngày 15/3/2026 đến ngày 14/6/2026)"
    with warehouses.fresh(tmp_path) as warehouse:
        files = {
            "tong_hop_06a_xlsx/xa.xlsx": form_06a([("Hộ tịch", HERE), ("Đất đai", HERE)]),
            "bieu_cong_quoc_gia/xa.xlsx": form_06a([("Hộ tịch", THERE), ("Đất đai", HERE)]),
            "tong_hop_06a_xlsx/co-dam.xlsx": form_06a([("Hộ tịch", HERE)], unit="UBND xã Cổ Đạm"),  # of one side only
            "tong_hop_06a_xlsx/dang-mo.xlsx": form_06a([("Hộ tịch", HERE)], period=q2),
        }
        warehouse.load(date(2026, 3, 20), files)
        # a form of an open period, of another night: it counts further
        warehouse.load(
            date(2026, 3, 25), {"bieu_cong_quoc_gia/dang-mo.xlsx": form_06a([("Hộ tịch", THERE)], period=q2)}
        )
        for name, value in warehouse.environment().items():
            monkeypatch.setenv(name, value)
        told = CliRunner().invoke(app, ["sources", "differences", "--reports", "--json"])
        assert told.exit_code == 0, told.output
        rows = json.loads(told.stdout)
        pairs = warehouse.query(
            "select unit_code, period_label, count(*) from mart.source_report_difference group by 1, 2"
        )
        page = Outline(get(create_app(warehouse.settings), "/differences?period=VPCP_15_14.2026-Q1").text).text
    assert {(row["unit_code"], row["period_label"]) for row in rows} == {(TIEN_DIEN, "2026-Q1")}
    by_field: dict[str, set[tuple[str, int, int]]] = {}
    for row in rows:
        cell = (row["measure"], row["province_reported"], row["nation_reported"])
        by_field.setdefault(row["field_code"], set()).add(cell)
        assert row["difference"] == row["province_reported"] - row["nation_reported"]
        assert (row["province_source_id"], row["nation_source_id"]) == ("tong_hop_06a_xlsx", "bieu_cong_quoc_gia")
    (field,) = by_field.keys() - {"*"}
    assert by_field[field] == APART
    whole = {(measure, here + HERE[measure], there + HERE[measure]) for measure, here, there in APART}  # with Đất đai
    assert by_field["*"] == whole
    assert [tuple(row.values()) for row in pairs] == [(TIEN_DIEN, "2026-Q1", 33)]  # two fields and both together
    assert "Ô mà báo cáo của hai bên nêu khác nhau" in page
    assert "3 5 −2 xa.xlsx, dòng 8 20/3/2026 xa.xlsx, dòng 8 20/3/2026" in page
