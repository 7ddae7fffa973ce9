"""A province made of two, through the commands alone: a 1→3 split with weights and one without, a merger under a used code,
a renamed and a retyped commune, homonyms. Three nights, before and after; every figure counted by hand from the lines below.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import openpyxl
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from exports import STATUS_WORDS, Row, csv_list, dossier, xlsx_list
from test_web import Outline, get
from tthc import pipeline
from tthc.cli import app
from tthc.serving.web import create_app
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

UNITS = """unit_code,level,kind,name,parent_code,province_code,district,valid_from,valid_to,source
QA,province,tỉnh,Giả A,,QA,,,2025-06-30,made up
QA,province,tỉnh,Giả Mới,,QA,,2025-07-01,,made up
QB,province,tỉnh,Giả B,,QA,,,2025-06-30,made up
90001,commune,thị trấn,Một,QA,QA,huyện Giả,,2025-06-30,made up
90001,commune,xã,Một Mới,QA,QA,,2025-07-01,,made up
90002,commune,xã,Hai,QA,QA,huyện Giả,,2025-06-30,made up
90003,commune,xã,Ba,QB,QA,huyện Giả,,2025-06-30,made up
90010,commune,xã,Ba Một,QA,QA,,2025-07-01,,made up
90011,commune,xã,Ba Hai,QA,QA,,2025-07-01,,made up
90012,commune,xã,Ba Ba,QA,QA,,2025-07-01,,made up
90004,commune,xã,Bốn,QB,QA,huyện Giả,,2025-06-30,made up
90020,commune,xã,Bốn Một,QA,QA,,2025-07-01,,made up
90021,commune,xã,Bốn Hai,QA,QA,,2025-07-01,,made up
90022,commune,xã,Bốn Ba,QA,QA,,2025-07-01,,made up
90005,commune,xã,Năm,QA,QA,,,2025-06-30,made up
90005,commune,xã,Năm Đổi Tên,QA,QA,,2025-07-01,,made up
90006,commune,xã,Sáu,QA,QA,,,2025-06-30,made up
90006,commune,phường,Sáu,QA,QA,,2025-07-01,,made up
90007,commune,xã,Trùng,QA,QA,,,,made up
90008,commune,phường,Trùng,QA,QA,,,,made up
QA-SNV,department,sở,Sở Nội vụ,QA,QA,,,,made up
QB-SNV,department,sở,Sở Nội vụ tỉnh B,QB,QA,,,2025-06-30,made up
"""
SUCCESSIONS = """old_code,new_code,effective_date,is_partial,weight,source
90001,90001,2025-07-01,false,,made up
90002,90001,2025-07-01,false,,made up
90003,90010,2025-07-01,true,0.5,made up
90003,90011,2025-07-01,true,0.3,made up
90003,90012,2025-07-01,true,0.2,made up
90004,90020,2025-07-01,true,,made up
90004,90021,2025-07-01,true,,made up
90004,90022,2025-07-01,true,,made up
QB-SNV,QA-SNV,2025-07-01,false,,made up
"""
TARGETS = """target_id,document,unit_code,level_scope,metric_id,profile,field_code,comparator,value,period_from,period_to,source_line,indicator,base_note,ambiguity_note
town,kế hoạch giả,90001,own,on_time,TT01_06A,*,>=,0.9,2025-01-01,2025-12-31,1,Đúng hạn của thị trấn,,
torn,kế hoạch giả,90020,own,on_time,TT01_06A,*,>=,0.5,2025-01-01,2026-12-31,2,Đúng hạn của xã Bốn Một,,
whole,kế hoạch giả,QA,own,on_time,TT01_06A,*,>=,0.5,2025-01-01,2026-12-31,3,Đúng hạn của tỉnh,,
"""
MOVED = "đơn vị được sắp xếp lại giữa hai kỳ; so trên địa giới hiện nay"

# unit, received, finished ("" is open), how many; each is due seven days after its receipt
BEFORE = [
    ("UBND xã Ba", "05/05/2025", "10/05/2025", 30),  # early
    ("UBND xã Ba", "05/05/2025", "20/05/2025", 6),  # late
    ("UBND xã Ba", "05/05/2025", "", 4),
    ("UBND xã Bốn", "06/05/2025", "08/05/2025", 33),
    ("UBND xã Bốn", "06/05/2025", "", 2),
    ("UBND thị trấn Một", "07/05/2025", "14/05/2025", 8),  # on the promised day
    ("UBND thị trấn Một", "07/05/2025", "", 2),
    ("UBND xã Hai", "07/05/2025", "20/05/2025", 3),  # late
    ("UBND xã Hai", "07/05/2025", "", 3),  # finished late, after the merger: AFTER_HAI
    ("UBND xã Năm", "07/05/2025", "09/05/2025", 5),
    ("UBND xã Sáu", "07/05/2025", "09/05/2025", 5),
    ("UBND xã Trùng", "07/05/2025", "09/05/2025", 3),
    ("UBND phường Trùng", "07/05/2025", "09/05/2025", 2),
    ("UBND Trùng", "07/05/2025", "", 1),  # which of the two? refused
    ("Sở Nội vụ tỉnh B", "07/05/2025", "09/05/2025", 4),
    ("Sở Nội vụ", "07/05/2025", "09/05/2025", 3),
]
AFTER = [
    ("UBND xã Một Mới", "05/08/2025", "08/08/2025", 16),
    ("UBND xã Một Mới", "05/08/2025", "20/08/2025", 2),  # late
    ("UBND xã Một Mới", "05/08/2025", "", 2),
    *(
        (f"UBND xã {name}", "05/08/2025", finished, count)
        for name in ("Ba Một", "Ba Hai", "Ba Ba", "Bốn Một", "Bốn Hai", "Bốn Ba")
        for finished, count in (("08/08/2025", 3), ("", 1))
    ),
    ("UBND xã Năm Đổi Tên", "05/08/2025", "08/08/2025", 2),
    ("UBND phường Sáu", "05/08/2025", "08/08/2025", 2),
    ("Sở Nội vụ", "05/08/2025", "08/08/2025", 2),
    ("UBND xã Năm", "05/08/2025", "", 1),  # no longer called so: refused
    ("UBND xã Sáu", "05/08/2025", "", 1),  # no longer a xã: refused
]
A_YEAR_ON = [
    ("UBND xã Một Mới", "05/05/2026", "07/05/2026", 17),
    ("UBND xã Một Mới", "05/05/2026", "", 1),
    ("UBND xã Ba Một", "05/05/2026", "07/05/2026", 4),
    ("UBND xã Năm Đổi Tên", "05/05/2026", "07/05/2026", 4),
]
FIRST, SECOND, THIRD = date(2025, 6, 28), date(2025, 9, 20), date(2026, 6, 1)


def rows_of(lines: list[tuple[str, str, str, int]], start: int) -> list[Row]:
    rows = []
    for unit, received, finished, count in lines:
        day, month, year = map(int, received.split("/"))
        due = (date(year, month, day) + timedelta(days=7)).strftime("%d/%m/%Y")
        for _ in range(count):
            code = f"H98.1-{year % 100}{month:02}{day:02}-{start + len(rows):04d}"
            status = STATUS_WORDS[9 if finished else 4]
            rows.append(
                dossier(code, unit_name=unit, received_at=received, due_at=due, finished_at=finished, status=status)
            )
    return rows


OLD = rows_of(BEFORE, 1)
AFTER_HAI = [
    row | {"finished_at": "02/07/2025", "status": STATUS_WORDS[9]}
    for row in OLD
    if row["unit_name"] == "UBND xã Hai" and not row["finished_at"]
]


@dataclass(slots=True)
class Province:
    """The warehouse as its people reach it."""

    warehouse: Warehouse
    environment: dict[str, str]
    pages: FastAPI | None = None

    def run(self, *words: str) -> Result:
        with self.warehouse.kept():
            return CliRunner().invoke(app, [str(word) for word in words], env=self.environment)

    def told(self, *words: str) -> Any:
        found = self.run(*words, "--json")
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)

    def shown(self, path: str) -> str:
        self.pages = self.pages or create_app(self.warehouse.settings)
        answer = get(self.pages, path)
        assert answer.status_code == 200, path
        return Outline(answer.text).text


@pytest.fixture(scope="module")
def province(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    folder = tmp_path_factory.mktemp("story")
    for name, text in (("units", UNITS), ("unit_successions", SUCCESSIONS), ("targets", TARGETS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    with warehouses.fresh() as made:
        with transaction(made.settings) as connection:  # the template was made for province 42
            connection.execute(sa.text("delete from core.hmac_key"))
        made.settings = replace(made.settings, province="QA", reference_overlay=folder)
        here = Province(made, made.environment() | {"TTHC_PROVINCE": "QA"})
        nights = {
            FIRST: {"mot_cua_csv/truoc.csv": csv_list(OLD)},
            SECOND: {
                "mot_cua_xlsx/sau.xlsx": xlsx_list(rows_of(AFTER, 500)),
                "mot_cua_csv/xong.csv": csv_list(AFTER_HAI),
            },
            THIRD: {"mot_cua_csv/nam-sau.csv": csv_list(rows_of(A_YEAR_ON, 700))},
        }
        for night, files in nights.items():
            read = nullcontext() if night == FIRST else mock.patch.object(pipeline, "init")  # the same reference data
            with read:
                loaded = here.run("load", "--drop", str(made.drop(files)), "--as-of", str(night))
            assert loaded.exit_code == 0, loaded.output
        yield here


Told = dict[tuple[str, str], tuple[int, int, int, int, int]]


def figures(province: Province, label: str) -> tuple[Told, dict[tuple[str, str], list[str]]]:
    """(unit, basis) → received, resolved, of them in time, open, of them overdue; and its flags."""
    told: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    flags: dict[tuple[str, str], list[str]] = {}
    for row in province.told("rollup", "--period", label):
        if row["period_calendar"] == "VPCP_15_14" and row["profile"] == "TT01_06A":
            told[row["unit_code"], row["basis"]][row["metric_id"]] = row["numerator"]
            flags[row["unit_code"], row["basis"]] = row["flags"]
    names = ("received", "resolved", "on_time", "in_progress", "overdue_open")
    counted = {place: [found.get(name, 0) for name in names] for place, found in told.items()}
    return {place: (a, b, c, d, e) for place, (a, b, c, d, e) in counted.items()}, flags


def shares(province: Province) -> dict[int, str]:
    """Row of the first file → today's unit of a dossier of 90003, by the rule of the definitions page."""
    found = province.told("explain", "--metric", "received", "--unit", "90003", "--period", "2025-Q2")
    parts = {}
    for row in found["dossiers"]:
        digest = hashlib.md5(f"{row['dossier_key']}90003".encode(), usedforsecurity=False).hexdigest()
        point = int(digest[:8], 16) / 2**32
        parts[row["row_no"]] = "90010" if point < 0.5 else "90011" if point < 0.8 else "90012"
    return parts


AS_REPORTED = {
    "90001": (10, 8, 8, 2, 2), "90002": (6, 3, 0, 3, 3), "90003": (40, 36, 30, 4, 4), "90004": (35, 33, 33, 2, 2),
    "90005": (5, 5, 5, 0, 0), "90006": (5, 5, 5, 0, 0), "90007": (3, 3, 3, 0, 0), "90008": (2, 2, 2, 0, 0),
    "QB-SNV": (4, 4, 4, 0, 0), "QA-SNV": (3, 3, 3, 0, 0), "QB": (79, 73, 67, 6, 6), "QA": (113, 102, 93, 11, 11),
}  # fmt: skip


def test_before_the_changes_every_basis_holds_every_dossier(province: Province) -> None:
    told, flags = figures(province, "2025-Q2")
    assert {unit: row for (unit, basis), row in told.items() if basis == "as_reported"} == AS_REPORTED
    today = {unit: row for (unit, basis), row in told.items() if basis == "current_boundary"}
    parts = shares(province)
    assert len(parts) == 40
    for unit in ("90010", "90011", "90012"):
        mine = [OLD[row_no - 2] for row_no, part in parts.items() if part == unit]
        ended = [row["finished_at"] for row in mine if row["finished_at"]]
        in_time, still = ended.count("10/05/2025"), len(mine) - len(ended)
        assert today.pop(unit) == (len(mine), len(ended), in_time, still, still), unit
        assert flags[unit, "current_boundary"] == ["split_weighted"]
    assert today == {
        "90001": (16, 11, 8, 5, 5), "90004": (35, 33, 33, 2, 2), "90005": (5, 5, 5, 0, 0), "90006": (5, 5, 5, 0, 0),
        "90007": (3, 3, 3, 0, 0), "90008": (2, 2, 2, 0, 0), "QA-SNV": (7, 7, 7, 0, 0), "QA": (113, 102, 93, 11, 11),
    }  # fmt: skip
    assert flags["90001", "current_boundary"] == flags["QA-SNV", "current_boundary"] == ["merged_unit"]
    assert flags["90004", "current_boundary"] == ["split_unit"]
    assert set(flags["QA", "current_boundary"]) == {"split_unit", "merged_province"}
    assert flags["QB", "as_reported"] == ["former_province"]
    assert flags["90001", "as_reported"] == flags["90005", "as_reported"] == []


def test_after_the_changes_the_backlog_of_old_units_is_nobodys_twice(province: Province) -> None:
    told, flags = figures(province, "2025-Q3")
    new = (4, 3, 3, 1, 1)
    assert {unit: row for (unit, basis), row in told.items() if basis == "as_reported"} == {
        "90001": (20, 18, 16, 4, 4),  # the town's two open dossiers under the new commune's code
        "90002": (0, 3, 0, 0, 0), "90003": (0, 0, 0, 4, 4), "90004": (0, 0, 0, 2, 2),
        **dict.fromkeys(("90010", "90011", "90012", "90020", "90021", "90022"), new),
        "90005": (2, 2, 2, 0, 0), "90006": (2, 2, 2, 0, 0), "QA-SNV": (2, 2, 2, 0, 0), "QB": (0, 0, 0, 6, 6),
        "QA": (50, 45, 40, 16, 16),
    }  # fmt: skip
    open_parts = Counter(part for row_no, part in shares(province).items() if not OLD[row_no - 2]["finished_at"])
    assert open_parts.total() == 4
    assert {unit: row for (unit, basis), row in told.items() if basis == "current_boundary"} == {
        "90001": (20, 21, 16, 4, 4), "90004": (0, 0, 0, 2, 2),
        **{unit: (4, 3, 3, 1 + open_parts[unit], 1 + open_parts[unit]) for unit in ("90010", "90011", "90012")},
        **dict.fromkeys(("90020", "90021", "90022"), new),
        "90005": (2, 2, 2, 0, 0), "90006": (2, 2, 2, 0, 0), "QA-SNV": (2, 2, 2, 0, 0), "QA": (50, 45, 40, 16, 16),
    }  # fmt: skip
    assert flags["90001", "as_reported"] == ["code_reused"]
    torn = {unit for (unit, basis), said in flags.items() if basis == "current_boundary" and said == ["split_unit"]}
    assert torn == {"90004", "90020", "90021", "90022"}


def test_names_of_two_units_or_of_another_time_are_refused_by_row(province: Province) -> None:
    told = {(row["file"], row["row_no"], row["rule_id"]) for row in province.told("quarantine", "list")}
    which = OLD.index(next(row for row in OLD if row["unit_name"] == "UBND Trùng")) + 2
    last = 1 + sum(line[3] for line in AFTER)
    assert told == {
        ("truoc.csv", which, "UNKNOWN_UNIT"), ("sau.xlsx", last - 1, "UNKNOWN_UNIT"), ("sau.xlsx", last, "UNKNOWN_UNIT"),
    }  # fmt: skip


def test_a_figure_leads_to_the_rows_with_the_weight_and_a_row_to_its_figures(province: Province) -> None:
    parts = shares(province)
    asked = ("explain", "--metric", "received", "--period", "2025-Q2", "--basis", "current_boundary", "--unit")
    for unit, weight in (("90010", 0.5), ("90011", 0.3), ("90012", 0.2)):
        behind = province.told(*asked, unit)["dossiers"]
        assert {row["row_no"] for row in behind} == {row_no for row_no, part in parts.items() if part == unit}
        assert {(row["file_name"], row["reported_unit"], float(row["weight"])) for row in behind} == {
            ("truoc.csv", "90003", weight)
        }
    assert "of what 90003 received, 90010 has the declared weight 0.5" in province.run(*asked, "90010").stdout
    merged = province.told(*asked, "90001")["dossiers"]
    assert Counter((row["reported_unit"], row["file_name"], row["weight"]) for row in merged) == {
        ("90001", "truoc.csv", None): 10, ("90002", "truoc.csv", None): 3, ("90002", "xong.csv", None): 3,
    }  # fmt: skip
    whole = province.told(*asked, "QA")["dossiers"]
    assert {row["weight"] for row in whole} == {None}  # the province holds all shares
    lost = province.run(*asked, "90020")
    assert "90004 was split undivided into 90020, 90021, 90022 on 01/07/2025" in str(lost.exception)
    gone = province.run(*asked, "90002")
    assert "90002 went into 90001 on 01/07/2025: ask for 90001" in str(gone.exception)

    row_no, part = next(iter(parts.items()))
    found = {
        (row["unit_code"], row["basis"]): row["weight"] and float(row["weight"])
        for row in province.told("explain", "--file", "truoc.csv", "--row", row_no)
        if (row["metric_id"], row["period_calendar"], row["period_label"]) == ("received", "VPCP_15_14", "2025-Q2")
    }
    assert found == {
        ("90003", "as_reported"): None, ("QB", "as_reported"): None, ("QA", "as_reported"): None,
        (part, "current_boundary"): {"90010": 0.5, "90011": 0.3, "90012": 0.2}[part], ("QA", "current_boundary"): None,
    }  # fmt: skip


def compared(province: Province, unit: str, basis: str, label: str = "2026-Q2") -> dict[str, Any]:
    rows = province.told("compare", "--unit", unit, "--period", label, "--basis", basis)
    return next(row for row in rows if (row["metric_id"], row["profile"]) == ("on_time", "TT01_06A"))


def test_last_year_is_compared_on_todays_boundary_and_as_reported_says_so(province: Province) -> None:
    row = compared(province, "90001", "as_reported")
    assert (row["numerator"], row["denominator"]) == (17, 17)
    assert (row["last_year_numerator"], row["last_year_denominator"]) == (8, 8)  # the town's
    assert (row["last_year_points"], row["last_year_remark"]) == (None, MOVED)
    row = compared(province, "90001", "current_boundary")
    assert (row["last_year_numerator"], row["last_year_denominator"]) == (8, 11)  # the town's and xã Hai's
    assert (round(float(row["last_year_points"]), 2), row["last_year_flags"]) == (27.27, ["merged_unit"])
    row = compared(province, "90010", "current_boundary")
    assert (row["last_year_comparable"], row["last_year_flags"]) == (True, ["split_weighted"])
    assert compared(province, "90005", "as_reported")["last_year_points"] == "0.0000"  # renamed: the same unit
    assert compared(province, "90010", "as_reported")["last_year_remark"] == MOVED
    closed = {
        (row["unit_code"], row["basis"]): row["previous_remark"]
        for row in province.warehouse.query(
            "select * from mart.kpi_compared where metric_id = 'on_time' and profile = 'TT01_06A' and field_code = '*' "
            "and period_calendar = 'VPCP_15_14' and period_label = '2025-Q3'"
        )
    }
    moved = {unit for (unit, basis), remark in closed.items() if basis == "as_reported" and remark == MOVED}
    assert moved == {"90001", "90002", "90010", "90011", "90012", "90020", "90021", "90022", "QA-SNV"}
    assert {unit for (unit, basis), remark in closed.items() if basis == "current_boundary" and not remark} == {
        "90001", "90005", "90006", "90010", "90011", "90012", "QA-SNV", "QA",
    }  # fmt: skip


def test_a_plan_is_held_against_the_unit_whose_it_was(province: Province) -> None:
    rows = province.warehouse.query(
        "select target_id, period_label, basis, met from mart.kpi_vs_target where period_calendar = 'VPCP_15_14' "
        "and period_kind = 'quarter' and period_label like '2025%' and source_document = 'kế hoạch giả' order by 1, 2, 3"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("torn", "2025-Q3", "as_reported", True), ("torn", "2025-Q3", "current_boundary", None),
        ("town", "2025-Q2", "as_reported", True),  # 8 of 8
        ("town", "2025-Q2", "current_boundary", None),  # 8 of 11: not the town's
        ("whole", "2025-Q2", "as_reported", True), ("whole", "2025-Q2", "current_boundary", True),
        ("whole", "2025-Q3", "as_reported", True), ("whole", "2025-Q3", "current_boundary", True),
    ]  # fmt: skip


def test_workbooks_say_what_a_figure_holds(province: Province, tmp_path: Path) -> None:
    for kind, unit in (("scorecard", "QA"), ("form-06a", "90001")):
        words = ("export", kind, "--unit", unit, "--period", "2025-Q3", "--out", tmp_path / f"{kind}.xlsx")
        assert province.run(*map(str, words)).exit_code == 0
    sheet = openpyxl.load_workbook(tmp_path / "scorecard.xlsx")["Các đơn vị"]
    notes = {row[0]: row[-1] for row in sheet.iter_rows(values_only=True)}
    assert notes["QA"] == "gồm cả tỉnh cũ đã hợp nhất"
    assert notes["90001"] == "mã đơn vị từng chỉ địa bàn khác"
    form = openpyxl.load_workbook(tmp_path / "form-06a.xlsx").active
    (total,) = [row for row in form.iter_rows(values_only=True) if row[1] == "Tổng số"]
    assert total[2:] == (22, 0, 20, 2, 18, 16, 0, 2, 4, 0, 4)


def test_pages_flag_stocks_too_and_tell_what_became_of_a_unit(province: Province) -> None:
    text = province.shown("/?period=VPCP_15_14.2025-Q3&basis=current_boundary")
    assert "Lưu ý có đơn vị cũ bị chia tách, không so sánh được; gồm cả tỉnh cũ đã hợp nhất" in text
    torn = text[text.index("Xã Bốn 0 0") :]  # stocks only
    assert "có đơn vị cũ bị chia tách, không so sánh được" in torn[: torn.index("Xã Bốn Ba")]
    assert "Xã Một Mới 16 11" in province.shown("/?period=VPCP_15_14.2025-Q2&basis=current_boundary")
    assert "Thị trấn Một 10 8" in province.shown("/?period=VPCP_15_14.2025-Q2")
    told = {
        unit: province.shown(f"/units/{unit}?period=VPCP_15_14.2025-Q3") for unit in ("90001", "90004", "90010", "QA")
    }
    assert "Từ ngày 1/7/2025: gồm cả Xã Hai ." in told["90001"]
    assert "chia tách thành Xã Bốn Một , Xã Bốn Hai , Xã Bốn Ba ; chưa khai báo tỷ lệ" in told["90004"]
    assert "gồm một phần của Xã Ba (50%)." in told["90010"]
    assert "gồm cả Tỉnh Giả B ." in told["QA"]


def test_the_page_of_a_running_period_shows_it_beside_as_many_days(province: Province) -> None:
    text = province.shown("/units/90001?period=VPCP_15_14.2026-Q2&basis=current_boundary")
    text = text[text.index("Lũy kế từ đầu kỳ") : text.index("Mục tiêu có số liệu")]
    assert "Quý II/2026: 15/3/2026 – 1/6/2026" in text
    assert "Quý I/2026: 15/12/2025 – 3/3/2026" in text
    assert "Quý II/2025: 15/3/2025 – 1/6/2025" in text
    assert "Hồ sơ tiếp nhận trong kỳ 18 0 +18 16 +2" in text
    assert "Tỷ lệ giải quyết trước và đúng hạn 100,00% 17/17 không phát sinh 72,73% 8/11 +27,27" in text
    assert "Hồ sơ đang giải quyết đã quá hạn 5 trên 5 4 trên 4 +1 5 trên 5 0" in text
    assert "Cùng kỳ năm trước: gồm cả đơn vị cũ đã sáp nhập." in text
    assert MOVED in province.shown("/units/90001?period=VPCP_15_14.2026-Q2")
    assert "Lũy kế từ đầu kỳ Chỉ tiêu" not in province.shown("/units/90001?period=VPCP_15_14.2025-Q3")
    assert "Lũy kế từ đầu kỳ Chỉ tiêu" not in province.shown("/units/QA?period=VPCP_15_14.2026-Q2")
    whole = province.shown("/units/QA?period=VPCP_15_14.2026-Q2&to_date=1")
    assert "Hồ sơ tiếp nhận trong kỳ 26 0 113" in whole[whole.index("Lũy kế từ đầu kỳ Chỉ tiêu") :]
