"""A form that changed: what `tthc layout check` and the incident say of it, and that the patch they offer is right."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typer.testing import CliRunner

from exports import HEADINGS, csv_list, csv_of, dossier, record, table, workbook
from tthc.cli import app
from tthc.domain.errors import ReferenceFault
from tthc.reference.layouts import read_layouts
from tthc.reference.sources import read_sources
from tthc.reference.units import read_places
from tthc.settings import settings
from tthc.staging import layout_check
from tthc.staging.layout_check import LayoutReport, check_layout
from tthc.staging.parse import Meanings
from tthc.staging.reader_process import ReaderPool
from tthc.staging.stage import stage
from warehouses import Warehouse

NIGHT = date(2026, 4, 10)
MARKER = "NGƯỜI GIẢ ĐÁNH DẤU"
ROWS = [
    dossier(
        f"H42.{at}-260105-0001",
        submitted_at="05/01/2026 07:30",
        finished_at="09/01/2026 10:15",
        status="Đã xử lý xong",
        **{"Chủ hồ sơ": MARKER},
    )
    for at in range(30)
]


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    """Reader processes and the parsed units are made once: making them anew takes seconds and decides nothing."""
    with (
        ReaderPool(1) as readers,
        mock.patch.object(layout_check, "ReaderPool", lambda *_: nullcontext(readers)),
        mock.patch.object(layout_check, "read_places", partial(lambda known, _: known, read_places(settings()))),
    ):
        yield


def check(
    tmp_path: Path, content: bytes, source: str = "mot_cua_csv", patch: LayoutReport | None = None
) -> LayoutReport:
    """The report on a file, after the patch of an earlier one was saved as it says."""
    overlay = tmp_path / "reference"
    (overlay / "layouts").mkdir(parents=True, exist_ok=True)
    if patch is not None:
        (overlay / patch.patch_file).write_text(patch.patch, encoding="utf-8")
    path = tmp_path / f"file.{source.rpartition('_')[2]}"
    path.write_bytes(content)
    return check_layout(replace(settings(), reference_overlay=overlay), path, source, NIGHT)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "renamed",
    [
        {"received_at": "Ngày nhận hồ sơ vào"},
        {"dossier_code": "Mã số hồ sơ", "status": "Trạng thái xử lý"},
        {"received_at": "Tiếp nhận lúc", "due_at": "Hẹn trả lúc", "finished_at": "Kết thúc lúc", "unit_name": "Tên đơn vị tiếp nhận"},
        {"channel": "Kênh nộp \"mới\""},
        {"procedure_code": "Thủ tục (mã)"},
        {"status": "Tình hình xử lý"},
        {"status": "Kết quả"},
    ],
    ids=str,
)  # fmt: skip
def test_the_patch_of_a_drifted_header_makes_the_file_load(tmp_path: Path, renamed: dict[str, str], kind: str) -> None:
    cells = table(ROWS, renamed)
    content = csv_of(cells) if kind == "csv" else workbook(cells)
    before = check(tmp_path, content, f"mot_cua_{kind}")
    assert (before.verdict, before.reason) == ("rejected", "MISSING_COLUMN")
    best: dict[str, str] = {}
    for suggestion in before.suggestions:
        best.setdefault(suggestion["heading"], suggestion["column"])
    assert best == {heading: column for column, heading in renamed.items()}
    tomllib.loads(before.patch)
    after = check(tmp_path, content, f"mot_cua_{kind}", before)
    assert (after.verdict, after.counts["rows_accepted"], after.patch) == ("loaded", 30, "")


def test_a_status_column_in_words_of_its_own_is_known_by_its_name_and_numbers_prove_nothing(tmp_path: Path) -> None:
    cells = table([{**row, "status": "Chờ ý kiến"} for row in ROWS], {"status": "Trạng thái xử lý"})
    cells = [[*row, "4" if at else "Số bản"] for at, row in enumerate(cells)]
    report = check(tmp_path, csv_of(cells))
    (found,) = (each for each in report.suggestions if each["column"] == "status")
    assert (found["heading"], found["fits"]) == ("Trạng thái xử lý", None)
    assert '"Tình trạng", "Trạng thái xử lý"]' in report.patch


def test_the_incident_carries_the_patch_of_a_renamed_status(tmp_path: Path) -> None:
    """The same finding that becomes the incident of a night, from the words of the source's own list."""
    told = settings()
    meanings = Meanings(
        places=read_places(told), status_words={"Trong tay": "4"}, hmac_key=b"", province="42", night=NIGHT
    )
    path = tmp_path / "file.csv"
    path.write_bytes(csv_list([{**row, "status": "TRONG TAY"} for row in ROWS], {"status": "Tình hình xử lý"}))
    with ReaderPool(1) as readers:
        (file,) = stage(
            [(path.name, "", path)],
            read_sources(told)["mot_cua_csv"],
            read_layouts(told),
            meanings,
            frozenset(),
            readers,
        )
    ((rule, severity, _, detail),) = file.findings
    assert (file.reason, rule, severity) == ("MISSING_COLUMN", "MISSING_COLUMN", "drift")
    assert "«Tình hình xử lý»: có thể là / may be status" in str(detail) and "[columns.status]" in str(detail)
    assert '"Tình hình xử lý"]' in str(detail) and "TRONG TAY" not in str(detail) and "Trong tay" not in str(detail)


def test_contents_decide_between_names_that_are_alike(tmp_path: Path) -> None:
    renamed = table(ROWS, {"received_at": "Ngày TN"})
    cells = [[*row, "ghi chú" if at else "Ngày tiếp nhân"] for at, row in enumerate(renamed)]
    report = check(tmp_path, csv_of(cells))
    best = next(each for each in report.suggestions if each["column"] == "received_at")
    assert (best["heading"], best["fits"]) == ("Ngày TN", 1.0)
    assert "Ngày tiếp nhân" not in {each["heading"] for each in report.suggestions if each["column"] == "received_at"}
    assert check(tmp_path, csv_of(cells), patch=report).counts["rows_accepted"] == 30


def test_a_record_whose_field_was_renamed(tmp_path: Path) -> None:
    records = [record(row) for row in ROWS]
    for each in records:
        each["NgayTiepNhanHoSo"] = each.pop("NgayTiepNhan")
    content = json.dumps(records).encode()
    before = check(tmp_path, content, "dvcqg_json")
    assert before.suggestions[0]["column"] == "received_at"
    assert check(tmp_path, content, "dvcqg_json", before).verdict == "loaded"


def test_a_new_column_is_left_to_a_person(tmp_path: Path) -> None:
    cells = [[*row, MARKER if at else "Người đại diện mới"] for at, row in enumerate(table(ROWS))]
    report = check(tmp_path, csv_of(cells))
    assert report.verdict == "loaded"
    assert "Người đại diện mới" in report.patch and "personal" in report.patch
    assert tomllib.loads(report.patch) == {"id": "mot_cua_csv", "extends": "mot_cua_csv"}
    assert {"heading": "Chủ hồ sơ", "fate": "personal: left behind in the reader"} in report.columns


def test_every_layout_of_a_source_answers(tmp_path: Path) -> None:
    overlay = tmp_path / "reference"
    (overlay / "layouts").mkdir(parents=True)
    (overlay / "sources.toml").write_text(
        '[[source]]\nid = "desk_csv"\nlayouts = ["old_csv", "mot_cua_xlsx", "mot_cua_csv", "dvcqg_json"]\n',
        encoding="utf-8",
    )
    (overlay / "layouts" / "old_csv.toml").write_text(
        'extends = "mot_cua_csv"\nvalid_to = 2025-12-31\n', encoding="utf-8"
    )
    report = check(tmp_path, csv_list(ROWS), "desk_csv")
    answers = {each["layout"]: each["answer"] for each in report.layouts}
    assert report.layout_id == "mot_cua_csv" and answers["mot_cua_csv"] == "fits"
    assert "2025-12-31" in answers["old_csv"] and answers["mot_cua_xlsx"].startswith("TYPE_MISMATCH")
    assert answers["dvcqg_json"].startswith("not asked")


def test_the_command_prints_it_and_gives_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_list([{**row, "received_at": "31/02/2026"} for row in ROWS], {"status": "Trạng thái xử lý"}))
    arguments = ["layout", "check", str(path), "--source", "mot_cua_csv", "--as-of", str(NIGHT)]
    shown = CliRunner().invoke(app, arguments)
    assert (
        shown.exit_code == 1 and "[columns.status]" in shown.stdout and "layouts/mot_cua_csv_patch.toml" in shown.stdout
    )
    told: dict[str, Any] = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert told["verdict"] == "rejected" and "[columns.status]" in told["patch"]
    assert MARKER not in shown.stdout + json.dumps(told, ensure_ascii=False)


def test_problems_are_named_by_cell(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "received_at": "31/02/2026"}, *ROWS[1:]]
    (problem,) = check(tmp_path, workbook([["Danh sách"], *table(rows)]), "mot_cua_xlsx").problems
    column = "ABCDEFGHIJKLM"[table(rows)[0].index(HEADINGS["received_at"])]
    assert (problem["cell"], problem["rule"]) == (f"DanhSach!{column}3", "DATE_INVALID")


def test_a_column_the_file_lacks_is_told_by_the_heading_of_the_layout(tmp_path: Path) -> None:
    lines = table(ROWS[:2])
    gone = lines[0].index("Ngày kết thúc xử lý")
    found = check(tmp_path, csv_of([[*line[:gone], *line[gone + 1 :]] for line in lines]))
    reasons = [problem["reason"] for problem in found.problems if problem["rule"] == "FINISH_MISSING"]
    assert reasons and all(reason.startswith("Cột «Ngày kết thúc xử lý»: ") for reason in reasons)


def test_the_incident_of_a_drifted_night_carries_the_report_and_no_cell(warehouse: Warehouse) -> None:
    drifted = csv_list(ROWS, {"received_at": "Ngày nhận hồ sơ vào"})
    widened = csv_of([[*row, MARKER if at else "Cột mới"] for at, row in enumerate(table(ROWS))])
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": drifted, "mot_cua_csv/b.csv": widened})
    incidents = {
        row["rule_id"]: row["detail"] for row in warehouse.query("select rule_id, detail from alerts.incident")
    }
    assert "«Ngày nhận hồ sơ vào»" in incidents["MISSING_COLUMN"]
    patch = incidents["MISSING_COLUMN"].partition("_patch.toml:\n")[2]
    assert tomllib.loads(patch)["columns"]["received_at"]["headings"][-1] == "Ngày nhận hồ sơ vào"
    assert "«Cột mới»" in incidents["SCHEMA_DRIFT"] and "# add to" in incidents["SCHEMA_DRIFT"]
    assert not [rule for rule, detail in incidents.items() if MARKER in detail or "H42." in detail]


def test_a_patch_of_nothing_and_two_files_of_one_id_are_faults(tmp_path: Path) -> None:
    folder = tmp_path / "layouts"
    folder.mkdir()
    here = replace(settings(), reference_overlay=tmp_path)
    (folder / "a.toml").write_text('id = "a"\nextends = "a"\n', encoding="utf-8")
    with pytest.raises(ReferenceFault, match="extends: no layout 'a'"):
        read_layouts(here)
    for name in ("a", "b"):
        (folder / f"{name}.toml").write_text('id = "a"\nextends = "mot_cua_csv"\n', encoding="utf-8")
    with pytest.raises(ReferenceFault, match=r"b\.toml, id: a\.toml has the id"):
        read_layouts(here)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('layouts = ["so_nha"]', "no file layouts/*.toml has the id 'so_nha'"), ('layouts = "so_nhan"', "layouts = 'so_nhan'"),
        ('layouts = ["mot_cua_csv"]\nhold_above = "0.5"', "hold_above"), ('layouts = ["mot_cua_csv"]\nmay_be_empty = 1', "may_be_empty"),
    ],
)  # fmt: skip
def test_a_fault_of_a_source_is_told_by_file_and_setting(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "sources.toml").write_text(f'[[source]]\nid = "xa"\n{line}\n', encoding="utf-8")
    with pytest.raises(ReferenceFault) as fault:
        read_sources(replace(settings(), reference_overlay=tmp_path))
    assert "sources.toml" in str(fault.value) and told in str(fault.value)
