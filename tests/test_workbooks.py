"""Workbooks: the form reads back as it was written, nothing in them can run, and no value of a row gets out."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
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
    the_night,
)
from tthc import pipeline
from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.reference.layouts import read_layouts
from tthc.reference.units import read_places
from tthc.serving import exports, figures, wording
from tthc.serving.form_06a import COUNTS
from tthc.staging.parse import Meanings
from tthc.staging.reader import Reading, read
from tthc.staging.summary import parse_summary
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

QUARTER = "2026-Q1"


@pytest.fixture(scope="module")
def night(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Night:
    return the_night(request.session, warehouses, tmp_path_factory)


def exported(night: Night, kind: str, out: Path, *, unit: str, period: str, calendar: str = "VPCP_15_14") -> Path:
    write = exports.WRITERS[kind]
    assert exports.export(night.warehouse.settings, write, unit=unit, calendar=calendar, label=period, out=out)
    return out


def read_back(night: Night, path: Path) -> Reading:
    return read(path, read_layouts(night.warehouse.settings)["tong_hop_06a_xlsx"])


def texts_of(book: Workbook) -> list[str]:
    return [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]


# The form.


@pytest.mark.parametrize("unit", [PROVINCE, COMMUNE, "42-STP"])
def test_the_form_reads_back_as_the_figures_it_was_made_of(night: Night, tmp_path: Path, unit: str) -> None:
    reading = read_back(night, exported(night, "form-06a", tmp_path / "f.xlsx", unit=unit, period=QUARTER))
    rows = night.warehouse.query(
        "select * from mart.form_06a where period_calendar = 'VPCP_15_14' and period_label = :period "
        "and basis = 'as_reported' and unit_code = :unit",
        period=QUARTER,
        unit=unit,
    )
    wanted = {row["field_name"]: [row[name] for name in COUNTS] for row in rows}
    cells = {name: reading.table.column(name).to_pylist() for name in ("field_name", *COUNTS)}
    found = {name: [int(cells[column][place]) for column in COUNTS] for place, name in enumerate(cells["field_name"])}
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
    reading = read_back(night, path)
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
    reading = read_back(night, path)
    assert reading.table.num_rows == 0
    assert {reading.totals[0][name] for name in COUNTS} == {"0"}


def test_the_form_says_how_final_it_is_and_what_two_columns_contain(night: Night, tmp_path: Path) -> None:
    path = exported(night, "form-06a", tmp_path / "f.xlsx", unit=PROVINCE, period="2026-Q2")
    (stamp,) = [text for text in texts_of(openpyxl.load_workbook(path)) if "lần công bố" in text]
    assert stamp.startswith("Tạm tính (kỳ chưa kết thúc); số liệu tính đến hết ngày 10/4/2026; đơn vị có dữ liệu: ")
    (drawn,) = night.warehouse.query(
        "select withdrawn, stopped from mart.form_06a where period_calendar = 'VPCP_15_14' "
        "and period_label = '2026-Q2' and basis = 'as_reported' and unit_code = '42' and field_code = '*'"
    )
    with zipfile.ZipFile(path) as archive:
        boxes = archive.read("xl/drawings/drawing1.xml").decode()
    assert f"Cột (9) gồm {drawn['withdrawn']} hồ sơ người nộp rút" in boxes
    assert f"cột (12) gồm {drawn['stopped']} hồ sơ dừng xử lý" in boxes
    assert "01/2020/TT-VPCP" in boxes


@pytest.fixture
def withheld(night: Night) -> Iterator[str]:
    """A unit all of whose figures are withheld for the length of a test."""
    unit = "42-STP"
    mark = sa.text("update rollup.counter set flags = cast(:flags as text[]) where unit_code = :unit")
    assert night.warehouse.value("select bool_and(flags = '{}') from rollup.counter where unit_code = :unit", unit=unit)
    for flags in (["withheld"], []):
        with connect.transaction(night.warehouse.settings) as connection:
            connection.execute(mark, {"flags": flags, "unit": unit})
        if flags:
            yield unit


@pytest.mark.parametrize("kind", list(exports.WRITERS))
def test_a_withheld_figure_is_written_as_such_and_reported(
    night: Night, tmp_path: Path, withheld: str, kind: str
) -> None:
    out = tmp_path / "withheld.xlsx"
    settings = night.warehouse.settings
    write = exports.WRITERS[kind]
    assert not exports.export(settings, write, unit=withheld, calendar="VPCP_15_14", label=QUARTER, out=out)
    assert wording.WITHHELD in texts_of(openpyxl.load_workbook(out))


# The scorecard.


def lines_of(sheet: Any, first_heading: str) -> list[dict[str, Any]]:
    """The table of a sheet: heading → cell, one a line."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(number for number, row in enumerate(rows) if row[0] == first_heading)
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :] if row[1] is not None]


def test_the_scorecard_shows_the_figures_of_mart_beside_the_targets(night: Night, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(exported(night, "scorecard", tmp_path / "s.xlsx", unit=COMMUNE, period=QUARTER))
    lines = lines_of(book["Phiếu điểm"], "STT")
    key = {"unit": COMMUNE, "period": QUARTER}
    rows = night.warehouse.query(
        "select metric_id, profile, numerator, denominator from mart.kpi where period_calendar = 'VPCP_15_14' "
        "and period_label = :period and basis = 'as_reported' and unit_code = :unit and field_code = '*'",
        **key,
    )
    known = {(row["metric_id"], row["profile"]): (row["numerator"], row["denominator"]) for row in rows}
    registry = exports.read_registry(night.warehouse.settings)
    by_title = {metric.title: metric for metric in registry.metrics}
    assert {line["Chỉ tiêu"] for line in lines} == set(by_title)
    for line in lines:
        metric = by_title[line["Chỉ tiêu"]]
        wanted = known.get((metric.id, metric.profile), (0, 0 if metric.denominator else None))
        assert (line["Tử số"], line["Mẫu số"]) == wanted
        assert (line["Tỷ lệ"] or "") == wording.percent(*wanted)
        assert metric.citation in line["Căn cứ"]
    met = night.warehouse.query(
        "select target_id, met, comparator, target_value from mart.kpi_vs_target where period_calendar = 'VPCP_15_14' "
        "and period_label = :period and basis = 'as_reported' and unit_code = :unit and met is not null",
        **key,
    )
    shown = Counter(line["Đánh giá"] for line in lines if line["Đánh giá"] in {"Đạt", "Không đạt"})
    assert shown == Counter("Đạt" if row["met"] else "Không đạt" for row in met)
    assert shown, "no target was assessed; the test proves nothing"


def test_the_scorecard_of_the_province_lists_every_commune_and_department(night: Night, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(exported(night, "scorecard", tmp_path / "s.xlsx", unit=PROVINCE, period=QUARTER))
    assert book.sheetnames == ["Phiếu điểm", "Các đơn vị", "Tự nhập", "Mục tiêu", "Định nghĩa"]
    lines = lines_of(book["Các đơn vị"], "Mã")
    assert len(lines) == 1 + 69 + 14 + 2  # the province, its communes and departments, the two of hostile name
    total, members = lines[0], lines[1:]
    assert total["Mã"] == PROVINCE
    for heading in ("Tiếp nhận", "Đã giải quyết", "Trước và đúng hạn", "Đang giải quyết", "Trong đó quá hạn"):
        assert total[heading] == sum(line[heading] for line in members if line[heading] != wording.NOT_TOLD)
    silent = [line for line in members if line["Có dữ liệu"] == "0/1"]
    assert silent and {line["Tỷ lệ đúng hạn"] for line in silent} == {wording.NOT_TOLD}
    assert any(line["Mã"] == COMMUNE for line in members)


@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [
        (94_996, 100_000, "95,00%"),
        (1, 3, "33,33%"),
        (1, 32, "3,13%"),
        (1_000, 1_000, "100,00%"),
        (0, 7, "0,00%"),
        (0, 0, "không phát sinh"),
        (None, None, "tạm giữ"),
        (12, None, ""),
    ],
)
def test_a_rate_has_two_decimals_rounded_half_up_and_a_comma(
    numerator: int | None, denominator: int | None, shown: str
) -> None:
    assert wording.percent(numerator, denominator) == shown


def test_a_target_missed_by_a_hair_does_not_look_reached() -> None:
    assert wording.gap(94_996, 100_000, Decimal("0.95")) == "−dưới 0,01"
    assert wording.gap(95, 100, Decimal("0.95")) == "0,00"
    assert wording.gap(96, 100, Decimal("0.95")) == "+1,00"
    assert wording.target(">=", Decimal("0.999")) == "≥ 99,9%"


# What is to be corrected.


@pytest.fixture(scope="module")
def corrections(night: Night, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("quarantine")
    written = pipeline.write_quarantine(night.warehouse.settings, out)
    assert sorted(written) == sorted(out.iterdir())
    return {path.stem.removeprefix(f"{NIGHT}_"): path for path in written}


def test_every_refused_row_stands_in_the_workbook_of_one_owner(night: Night, corrections: dict[str, Path]) -> None:
    wanted = Counter(
        tuple(row.values())
        for row in night.warehouse.query(
            "select delivery.source_id, file_name, nullif(sheet, '') as sheet, row_no, nullif(cell, '') as cell, column_name, "
            "quarantine.reason, expected, rule_id "
            "from core.quarantine join core.delivery using (delivery_id)"
        )
    )
    found: Counter[tuple[Any, ...]] = Counter()
    for path in corrections.values():
        book = openpyxl.load_workbook(path)
        if "Dòng cần sửa" in book.sheetnames:
            for line in lines_of(book["Dòng cần sửa"], "STT"):
                assert line.pop("Đêm dữ liệu") == "10/4/2026"
                assert line.pop("Hạn sửa") == "15/4/2026", "three working days after the night it was first refused"
                line.pop("STT")
                found[tuple(line.values())] += 1
    assert found == wanted
    assert sum(found.values()) > 5


def test_a_row_of_a_known_unit_goes_to_that_unit(night: Night, corrections: dict[str, Path]) -> None:
    (line,) = lines_of(openpyxl.load_workbook(corrections[HOSTILE_COMMUNE])["Dòng cần sửa"], "STT")
    assert (line["Tệp"], line["Dòng (bản ghi)"], line["Cột"]) == (ODD_FILE, 3, "Ngày hẹn trả")
    assert line["Quy tắc"] == "DUE_BEFORE_RECEIVED"


def test_a_file_nobody_can_read_is_told_to_its_source(corrections: dict[str, Path]) -> None:
    texts = texts_of(openpyxl.load_workbook(corrections["mot_cua_csv"]))
    assert REFUSED_FILE in texts
    assert "bị từ chối" in texts


def test_no_dossier_code_and_nothing_of_a_person_leaves_the_house(night: Night, corrections: dict[str, Path]) -> None:
    secrets = set(PERSON.values())
    for path in (night.drop / "mot_cua_csv").glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle):
                secrets |= {row.get(name) or "" for name in ("Mã hồ sơ", "Chủ hồ sơ", "Số CCCD", "Số điện thoại")}
    secrets.discard("")
    assert len(secrets) > 100
    told = "\n".join(text for path in corrections.values() for text in texts_of(openpyxl.load_workbook(path)))
    assert not [secret for secret in secrets if secret in told]


def test_nothing_in_a_workbook_can_run(night: Night, corrections: dict[str, Path], tmp_path: Path) -> None:
    scorecard = exported(night, "scorecard", tmp_path / "s.xlsx", unit=PROVINCE, period=QUARTER)
    form = exported(night, "form-06a", tmp_path / "f.xlsx", unit=HOSTILE_DEPARTMENT, period=QUARTER)
    for path in (scorecard, form, *corrections.values()):
        book = openpyxl.load_workbook(path)
        assert not [c.coordinate for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                assert not [tag for tag in (b"<f>", b"<hyperlink") if tag in archive.read(name)], name
    texts = texts_of(openpyxl.load_workbook(scorecard))
    assert FORMULA in texts
    assert f"Xã {MARKUP}" in texts


def test_every_sheet_is_made_for_paper(corrections: dict[str, Path], night: Night, tmp_path: Path) -> None:
    form = exported(night, "form-06a", tmp_path / "f.xlsx", unit=PROVINCE, period=QUARTER)
    for path in (form, *corrections.values()):
        for sheet in openpyxl.load_workbook(path):
            assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
            assert sheet.page_setup.fitToWidth in (None, 1)
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            if sheet.title != "Tóm tắt":
                assert sheet.freeze_panes
                assert sheet.print_title_rows


def test_the_deadline_stays_while_the_same_row_is_refused_again(warehouse: Warehouse, tmp_path: Path) -> None:
    """Counted from the first night a row was refused, a Friday; what is new has its own, the earliest stands in front."""
    codes = [f"H42.1-260105-000{n}" for n in range(4)]
    sound, other = dossier(codes[0]), dossier(codes[1])
    old, new = dossier(codes[2], due_at="01/01/2026"), dossier(codes[3], due_at="01/01/2026")
    for days, rows in ((0, [sound, old]), (3, [sound, old, other]), (4, [sound, old, other, new])):
        warehouse.load_only(NIGHT + timedelta(days), {"mot_cua_csv/a.csv": csv_list(rows)})
    (path,) = pipeline.write_quarantine(warehouse.settings, tmp_path)
    book = openpyxl.load_workbook(path)
    told = {line["Dòng (bản ghi)"]: line["Hạn sửa"] for line in lines_of(book["Dòng cần sửa"], "STT")}
    assert told == {3: "15/4/2026", 5: "17/4/2026"}
    assert "Đề nghị sửa và gửi lại trước hết ngày 15/4/2026" in texts_of(book)


def test_known_bytes_still_count_and_a_corrected_file_does_not(warehouse: Warehouse, tmp_path: Path) -> None:
    sound, broken = dossier("H42.1-260105-0001"), dossier("H42.1-260105-0002", due_at="01/01/2026")
    first = csv_list([sound, broken])
    warehouse.load_only(date(2026, 4, 10), {"mot_cua_csv/a.csv": first})
    warehouse.load_only(date(2026, 4, 11), {"mot_cua_csv/a.csv": first, "mot_cua_csv/b.csv": csv_list([sound])})
    assert owners_told(warehouse, tmp_path) == [f"2026-04-11_{COMMUNE}.xlsx"]
    warehouse.load_only(date(2026, 4, 11), {"mot_cua_csv/a.csv": csv_list([sound, broken | {"due_at": "12/01/2026"}])})
    assert owners_told(warehouse, tmp_path) == []


def owners_told(warehouse: Warehouse, out: Path) -> list[str]:
    with warehouse.kept():
        return [path.name for path in pipeline.write_quarantine(warehouse.settings, out)]


# What cannot be written.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit": "99999"}, "'99999' is not a unit of province 42"),
        ({"unit": "24"}, "'24' is not a unit of province 42"),
        ({"label": "2026-Q5"}, "no figure is published for period '2026-Q5'"),
        ({"label": "2031"}, "no figure is published for period '2031'"),
        ({"calendar": "LUNAR"}, "calendar 'LUNAR' is not known"),
        ({"out": Path("report.pdf")}, "must name a file that ends in .xlsx"),
    ],
)
def test_what_is_not_known_is_refused_with_a_sentence(night: Night, change: dict[str, Any], told: str) -> None:
    question = {"unit": COMMUNE, "calendar": "VPCP_15_14", "label": QUARTER, "out": Path("never.xlsx")}
    with pytest.raises(Misconfigured, match=told) as refusal:
        exports.export(night.warehouse.settings, exports.write_form, **(question | change))
    assert refusal.value.exit_status == 2
    assert not Path("never.xlsx").exists()


def test_a_place_that_cannot_be_written_leaves_nothing_behind(night: Night, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="does not exist"):
        exported(night, "form-06a", tmp_path / "file" / "f.xlsx", unit=COMMUNE, period=QUARTER)
    with pytest.raises(OutsideSystemFailed, match="cannot be written"):  # too long a name for what is unfinished
        exported(night, "form-06a", tmp_path / f"{'f' * 250}.xlsx", unit=COMMUNE, period=QUARTER)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_before_the_first_publication_there_is_nothing_to_write(warehouse: Warehouse, tmp_path: Path) -> None:
    assert pipeline.write_workbooks(warehouse.settings) == []
    with pytest.raises(Misconfigured, match="no figure is published yet"):
        exports.export(
            warehouse.settings,
            exports.write_form,
            unit=PROVINCE,
            calendar="VPCP_15_14",
            label=QUARTER,
            out=tmp_path / "f.xlsx",
        )


def test_the_night_writes_all_workbooks_at_once(night: Night) -> None:
    written = pipeline.write_workbooks(night.warehouse.settings)
    out = night.warehouse.settings.out
    names = [str(path.relative_to(out)) for path in written]
    assert names[-2:] == ["form-06a_42_VPCP_15_14_2026-Q1.xlsx", "scorecard_42_VPCP_15_14_2026-Q1.xlsx"]
    assert f"quarantine/{NIGHT}_{HOSTILE_COMMUNE}.xlsx" in names
    assert all(path.stat().st_size for path in written)


def test_the_newest_closed_quarter_comes_first(night: Night) -> None:
    with figures.as_analyst(night.warehouse.settings) as connection:
        published = figures.periods(connection, PROVINCE)
    chosen = figures.newest_closed(published)
    assert chosen is not None and chosen.key == "VPCP_15_14.2026-Q1"
    open_only = [period for period in published if period.as_of < period.end]
    assert figures.newest_closed(open_only) == open_only[0]
    assert figures.newest_closed([]) is None
