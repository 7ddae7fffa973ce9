"""Workbooks: the form reads back as it was written, nothing in them can run, and no value of a row gets out."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from openpyxl.workbook.workbook import Workbook

from exports import csv_list, dossier
from serving_warehouse import (
    COMMUNE,
    FORMULA,
    HOSTILE_COMMUNE,
    HOSTILE_DEPARTMENT,
    MARKUP,
    NIGHT,
    ODD_FILE,
    PERSON,
    PROVINCE,
    REFUSED_FILE,
    Night,
    published_night,
)
from tthc import pipeline
from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.reference.layouts import read_layouts
from tthc.reference.units import read_places
from tthc.serving import exports, figures, wording
from tthc.staging.parse import Meanings
from tthc.staging.reader import Reading, read
from tthc.staging.summary import COUNTS, parse_summary
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

QUARTER = "2026-Q1"


@pytest.fixture(scope="module")
def night(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with published_night(warehouses, tmp_path_factory.mktemp("serving")) as loaded:
        yield loaded


def exported(night: Night, kind: str, out: Path, *, unit: str, period: str, calendar: str = "VPCP_15_14") -> Path:
    write = exports.WRITERS[kind]
    assert exports.export(night.warehouse.settings, write, unit=unit, calendar=calendar, label=period, out=out)
    return out


def read_back(path: Path) -> Reading:
    return read(path, read_layouts_once()["tong_hop_06a_xlsx"])


def read_layouts_once() -> dict[str, Any]:
    from tthc.settings import settings

    return read_layouts(settings())


def texts_of(book: Workbook) -> list[str]:
    return [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]


# The form.


@pytest.mark.parametrize("unit", [PROVINCE, COMMUNE, "42-STP"])
def test_the_form_reads_back_as_the_figures_it_was_made_of(night: Night, tmp_path: Path, unit: str) -> None:
    reading = read_back(exported(night, "form-06a", tmp_path / "f.xlsx", unit=unit, period=QUARTER))
    rows = night.warehouse.query(
        "select * from mart.form_06a where period_calendar = 'VPCP_15_14' and period_label = :period "
        "and basis = 'as_reported' and unit_code = :unit",
        period=QUARTER,
        unit=unit,
    )
    wanted = {row["field_name"]: [row[name] for name in COUNTS] for row in rows}
    cells = {name: reading.table.column(name).to_pylist() for name in ("field_name", *COUNTS)}
    found = {
        name: [int(cells[column][place]) for column in COUNTS] for place, name in enumerate(cells["field_name"])
    }
    (total,) = reading.totals
    assert found | {"Tổng số": [int(total[name]) for name in COUNTS]} == wanted


@pytest.mark.parametrize(
    ("calendar", "label", "title"),
    [
        ("VPCP_15_14", "2026-Q1", "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"),
        ("VPCP_15_14", "2026-03", "Tháng 3/2026 (từ ngày 15/2/2026 đến ngày 14/3/2026)"),
        ("VPCP_15_14", "2026-H1", "6 tháng đầu năm 2026 (từ ngày 15/12/2025 đến ngày 14/6/2026)"),
        ("VPCP_15_14", "2026-9M", "9 tháng năm 2026 (từ ngày 15/12/2025 đến ngày 14/9/2026)"),
        ("CALENDAR", "2025-H2", "6 tháng cuối năm 2025 (từ ngày 1/7/2025 đến ngày 31/12/2025)"),
        ("CALENDAR", "2026", "Năm 2026 (từ ngày 1/1/2026 đến ngày 31/12/2026)"),
    ],
)
def test_a_form_of_any_period_passes_our_own_checks(
    night: Night, tmp_path: Path, calendar: str, label: str, title: str
) -> None:
    path = exported(night, "form-06a", tmp_path / "f.xlsx", unit=COMMUNE, period=label, calendar=calendar)
    reading = read_back(path)
    assert reading.titles == {"unit_name": "Ủy ban nhân dân xã Tiên Điền", "period": title}
    settings = night.warehouse.settings
    meanings = Meanings(
        places=read_places(settings), status_words={}, hmac_key=b"", province=PROVINCE, night=date(2027, 1, 1)
    )
    parsed = parse_summary([reading], read_layouts(settings)["tong_hop_06a_xlsx"], meanings)
    assert set(parsed.rows["label"]) <= {label}
    assert set(parsed.rows["calendar"]) <= {calendar}
    assert set(parsed.rows["unit_code"]) <= {COMMUNE}


def test_a_unit_without_dossiers_gets_a_form_of_zeros(night: Night, tmp_path: Path) -> None:
    place = night.warehouse.value(
        "select min(unit_code) from ref.unit where level = 'department' and unit_code not in "
        "(select unit_code from mart.kpi where period_label = '2025-11' and period_calendar = 'CALENDAR')"
    )
    path = exported(night, "form-06a", tmp_path / "f.xlsx", unit=place, period="2025-11", calendar="CALENDAR")
    reading = read_back(path)
    assert reading.table.num_rows == 0
    assert {reading.totals[0][name] for name in COUNTS} == {"0"}


def test_the_form_says_how_final_it_is_and_what_two_columns_contain(night: Night, tmp_path: Path) -> None:
    path = exported(night, "form-06a", tmp_path / "f.xlsx", unit=PROVINCE, period="2026-Q2")
    (stamp,) = [text for text in texts_of(openpyxl.load_workbook(path)) if "lần công bố" in text]
    assert stamp.startswith("Tạm tính (kỳ chưa kết thúc); số liệu tính đến hết ngày 10/4/2026; đơn vị có dữ liệu: ")
    (drawn,) = night.warehouse.query(
        "select withdrawn, stopped from mart.form_06a where period_calendar = 'VPCP_15_14' and period_label = '2026-Q2' "
        "and basis = 'as_reported' and unit_code = '42' and field_code = '*'"
    )
    with zipfile.ZipFile(path) as archive:
        boxes = archive.read("xl/drawings/drawing1.xml").decode()
    assert f"Cột (9) gồm {drawn['withdrawn']} hồ sơ người nộp rút" in boxes
    assert f"cột (12) gồm {drawn['stopped']} hồ sơ dừng xử lý" in boxes
    assert "01/2020/TT-VPCP" in boxes


def test_a_withheld_figure_is_written_as_such_and_reported(night: Night, tmp_path: Path) -> None:
    settings = night.warehouse.settings
    with connect.transaction(settings) as connection:
        connection.execute(sa.text("create table kept as select ctid as place, flags from rollup.counter where unit_code = '42-STP'"))
        connection.execute(sa.text("update rollup.counter set flags = array['withheld'] where unit_code = '42-STP'"))
    try:
        for kind, write in exports.WRITERS.items():
            out = tmp_path / f"{kind}.xlsx"
            told = exports.export(
                settings, write, unit="42-STP", calendar="VPCP_15_14", label=QUARTER, out=out
            )
            assert not told
            assert "tạm giữ" in texts_of(openpyxl.load_workbook(out))
    finally:
        night.warehouse.empty_flags = None  # type: ignore[attr-defined]
