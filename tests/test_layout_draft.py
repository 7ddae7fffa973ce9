"""From a file nobody knows to a layout that loads it: the draft, what a person fills in, the check."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

import onboarded_workbooks
from exports import workbook
from onboarded_cities import FILES
from tthc.domain.errors import Misconfigured
from tthc.settings import settings
from tthc.staging.draft import draft_layout
from tthc.staging.guess import forms_of
from tthc.staging.layout_check import check_layout

STATUSES = {"Closed": "9", "Waiting for them": "4"}
CHANNELS = {"Phone Call": "1", "Web Form": "2"}
HEADINGS = ["Case Enquiry Id", "Open Dt", "Sla Target Dt", "Closed Dt", "Case Status", "Department", "Source"]
HEADINGS += ["Applicant Name", "Ward"]


def rows() -> list[list[str]]:
    chance, listed = random.Random(9), []
    for number in range(60):
        opened = datetime(2026, 3, 1, 8) + timedelta(minutes=chance.randrange(40_000))
        closed = opened + timedelta(hours=30) if number % 3 else None
        moments = [opened, opened + timedelta(days=9), closed]
        cells = [moment.strftime("%m/%d/%Y %I:%M:%S %p") if moment else "" for moment in moments]
        listed.append([f"CS-{number:05d}", *cells, "Closed" if closed else "Waiting for them", "UBND xã Tiên Điền"])
        listed[-1] += [chance.choice(list(CHANNELS)), f"NGƯỜI GIẢ {number}", "7"]
    return listed


def as_csv() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="|", lineterminator="\n")
    writer.writerows([["List of cases"], HEADINGS, *rows()])
    return text.getvalue().encode()


def as_json() -> bytes:
    return json.dumps({"total": 60, "items": [dict(zip(HEADINGS, row, strict=True)) for row in rows()]}).encode()


def as_workbook() -> bytes:
    """Title lines, and a header of two rows over the days."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "List of cases")
        for at, heading in enumerate(HEADINGS):
            if at in {1, 2, 3}:
                sheet.write(3, at, heading)
            else:
                sheet.merge_range(2, at, 3, at, heading)
        sheet.merge_range(2, 1, 2, 3, "Days")
        for number, row in enumerate(rows(), start=4):
            sheet.write_row(number, 0, row)
    return content.getvalue()


@pytest.mark.parametrize(("name", "content"), [("a.csv", as_csv), ("a.json", as_json), ("a.xlsx", as_workbook)])
def test_a_draft_needs_only_its_marks_filled_to_load_the_file(
    tmp_path: Path, name: str, content: Callable[[], bytes]
) -> None:
    path = tmp_path / name
    path.write_bytes(content())
    draft = draft_layout(settings(), path, "cases")
    read = tomllib.loads(draft.text)
    assert "NGƯỜI GIẢ" not in draft.text and read["personal"] == ["Applicant Name"] and read["ignored"] == ["Ward"]
    assert read["date_formats"] == ["%m/%d/%Y %I:%M:%S %p"]
    assert sorted(word for word, code in read["columns"]["channel"]["codes"].items()) == sorted(CHANNELS)

    text = draft.text
    assert '"Closed" = "9"' in text  # a word that says the same everywhere
    for word, code in {**STATUSES, **CHANNELS}.items():
        text = text.replace(f'"{word}" = "???"', f'"{word}" = "{code}"')
    assert '"???"' not in text
    (tmp_path / "own/layouts").mkdir(parents=True)
    (tmp_path / "own" / draft.file).write_text(text, encoding="utf-8")
    (tmp_path / "own/sources.toml").write_text(draft.source, encoding="utf-8")
    report = check_layout(replace(settings(), reference_overlay=tmp_path / "own"), path, "cases", date(2026, 4, 10))
    assert (report.verdict, report.counts["rows_accepted"]) == ("loaded", 60), report
    mapped = {one["fate"].removeprefix("mapped: ") for one in report.columns if one["fate"].startswith("mapped")}
    columns = {"dossier_code", "received_at", "due_at", "finished_at", "status", "unit_name", "channel"}
    assert mapped == columns and not report.suggestions


def test_what_a_file_does_not_say_is_marked_in_the_draft(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "case:concept:name,concept:name,time:timestamp,org:resource\n"
        "1,A,2026-03-05T08:00:00+01:00,R1\n1,B,2026-03-06T08:00:00+01:00,R1\n2,A,2026-03-06T08:00:00+01:00\n"
    )
    draft = draft_layout(settings(), path, "events")
    read = tomllib.loads(draft.text)
    assert read["time_zone"] and read["date_formats"] == ["%Y-%m-%dT%H:%M:%S%z"]
    assert read["constants"] == {"unit_name": "???"} and read["columns"]["received_at"] == {
        "headings": ["time:timestamp"], "required": True, "pick": "first",
    }  # fmt: skip
    assert read["several_rows"] == "events" and read["columns"]["activity"]["headings"] == ["concept:name"]
    assert read["columns"]["finished_at"]["when"] == {"column": "activity", "in": ["A", "B"]}
    assert "1 of 3 rows do not line up" in draft.text
    assert read["personal"] == ["org:resource"]

    path.write_bytes(b"%PDF-1.7 no table")
    with pytest.raises(Misconfigured, match="TYPE_MISMATCH"):
        draft_layout(settings(), path, "events")
    path.write_text("1;2;3\n4;5;6\n")
    with pytest.raises(Misconfigured, match="HEADER"):
        draft_layout(settings(), path, "events")


def test_a_draft_asks_little_of_logs_of_cities(tmp_path: Path) -> None:
    """Every column is found by its name, no column of days is turned round, one delimiter is said, not four."""
    found = {}
    for source in ("boston_new", "new_york", "chicago", "zurich", "planning", "permits"):
        name, content = FILES[source]
        path = tmp_path / name
        path.write_bytes(content)
        draft = draft_layout(settings(), path, source)
        assert "NGƯỜI GIẢ" not in draft.text and "MADE-UP" not in draft.text.upper()
        found[source] = tomllib.loads(draft.text)
        if source == "zurich":
            assert '"agency_sent_datetime", "updated_datetime" too' in draft.text
    headings = {
        source: {name: column["headings"][0] for name, column in read["columns"].items()}
        for source, read in found.items()
    }
    assert headings["boston_new"] == {
        "dossier_code": "case_id", "received_at": "open_date", "due_at": "target_close_date", "finished_at": "close_date",
        "status": "case_status", "unit_name": "assigned_department", "channel": "report_source",
        "field_name": "service_name",
    }  # fmt: skip
    assert headings["new_york"]["dossier_code"] == "Unique Key" and headings["new_york"]["unit_name"] == "Agency"
    assert found["new_york"]["date_formats"] == ["%m/%d/%Y %I:%M:%S %p"]
    assert [found[source]["delimiters"] for source in ("chicago", "zurich")] == [[","], [";"]]
    assert found["chicago"]["columns"]["fee_amount"]["decimals"] == 2
    assert "due_at" not in headings["zurich"]
    assert found["planning"]["records"] == "records" and "other_fields.applicant_name" in found["planning"]["personal"]
    assert found["permits"]["several_rows"] == "events" and headings["permits"]["activity"] == "Activity"


def test_a_register_whose_headings_are_known_needs_no_hand(tmp_path: Path) -> None:
    name, content = onboarded_workbooks.FILES["so_nhan"]
    path = tmp_path / name
    path.write_bytes(content)
    draft = draft_layout(settings(), path, "so_nhan")
    assert tomllib.loads(draft.text)["month_names"][:2] == ["thg1", "thg2"] and '"???"' not in draft.text
    (tmp_path / "own/layouts").mkdir(parents=True)
    (tmp_path / "own" / draft.file).write_text(draft.text, encoding="utf-8")
    (tmp_path / "own/sources.toml").write_text(draft.source, encoding="utf-8")
    report = check_layout(replace(settings(), reference_overlay=tmp_path / "own"), path, "so_nhan", date(2026, 1, 14))
    assert (report.verdict, report.counts["rows_accepted"], report.counts["rows_dropped"]) == ("loaded", 3, 1), report


def test_a_draft_of_a_report_of_counts_is_a_report(tmp_path: Path) -> None:
    heads = [
        "STT",
        "Đơn vị",
        "Tiếp nhận | Tổng",
        "Số hồ sơ tiếp nhận | Kỳ trước",
        "Tiếp nhận | Trong kỳ",
        "Đã xử lý | Tổng",
        "Nợ",
    ]
    path = tmp_path / "tong_hop.csv"
    rows = [
        ["Từ ngày 15/12/2025 đến ngày 14/01/2026"],
        [h.split(" | ")[0] for h in heads],
        [h.split(" | ")[-1] for h in heads],
    ]
    path.write_text("\n".join(",".join(row) for row in [*rows, ["1", "Xã Một", "3", "1", "2", "2", "0"]]) + "\n")
    read = tomllib.loads(draft_layout(settings(), path, "tong_hop").text)
    assert (read["feed"], read["header_depth"], read["ignored"]) == ("summary", 2, ["Nợ"])
    assert {name: column["headings"] for name, column in read["columns"].items()} == {
        "row_mark": ["STT"], "unit_name": ["Đơn vị"], "received_total": ["Tiếp nhận | Tổng"],
        "carried_over": ["Số hồ sơ tiếp nhận | Kỳ trước"], "received": ["Tiếp nhận | Trong kỳ"],
        "finished_total": ["Đã xử lý | Tổng"],
    }  # fmt: skip
    for source, marks in (("ket_qua", 'feed = "summary"'), ("danh_sach", "table_ends")):
        name, content = onboarded_workbooks.FILES[source]
        (tmp_path / name).write_bytes(content)
        text = draft_layout(settings(), tmp_path / name, source).text
        assert marks in text and tomllib.loads(text)["header_depth" if source == "ket_qua" else "id"]
        assert "NGƯỜI GIẢ" not in text
    for name in ("Tổng hợp", "../x", "a-b", ""):
        with pytest.raises(Misconfigured, match="small letters"):
            draft_layout(settings(), path, name)


def the_draft_of(path: Path, content: bytes) -> tuple[dict[str, Any], str]:
    path.write_bytes(content)
    text = draft_layout(settings(), path, "mot_cua").text
    assert "NGƯỜI GIẢ" not in text
    return tomllib.loads(text), text


def test_a_draft_of_a_list_in_sections_below_the_name_of_its_unit(tmp_path: Path) -> None:
    lines = [
        ["UBND PHƯỜNG GIẢ"], ["STT", "Số biên nhận", "SĐT", "Ngày nhận", "Thời gian giải quyết", "Ngày trả kết quả"],
        ["I. Lĩnh vực Hộ tịch"], ["1", "A-1", "0900000000", "05/03/2026", "05 ngày làm việc", "Quá hạn 2 ngày"],
        ["2", "A-2", "0900000000", "25/03/2026", "10 ngày làm việc", "27/03/2026"],
        ["3", "A-4", "0900000000", "25/03/2026", "10 ngày làm việc", "01/01/1900"],
        ["II. Lĩnh vực Đất đai"], ["1", "A-3", "0900000000", "25/03/2026", "10 ngày làm việc", "26/03/2026"],
    ]  # fmt: skip
    read, _ = the_draft_of(tmp_path / "ds.xlsx", workbook(lines))
    assert read["personal"] == ["SĐT"] and re.match(read["titles"]["unit_name"], "UBND PHƯỜNG GIẢ", re.IGNORECASE)
    field = re.match(read["sections"]["field_name"], "II. Lĩnh vực Đất đai (1 hồ sơ)")
    assert (
        field
        and field[1] == "Đất đai"
        and read["columns"]["returned_at"]["null_words"] == ["/quá hạn \\d+ ngày/", "01/01/1900"]
    )
    assert read["derived"]["due_at"] == {"after": "received_at", "days": "term", "working": True}
    assert read["derived"]["status"] == {"when_present": "returned_at", "then": "10", "otherwise": "4"}


def test_a_draft_finds_records_and_moments_wherever_an_api_puts_them(tmp_path: Path) -> None:
    places = [{"type": "Feature", "properties": {"applicationdate": "2026-03-25", "contractorname": "NGƯỜI GIẢ"}}]
    read, _ = the_draft_of(tmp_path / "b.json", json.dumps({"features": places}).encode())
    assert read["records"] == "features.properties" and read["personal"] == ["contractorname"]
    assert read["columns"]["received_at"]["headings"] == ["applicationdate"]
    record = {
        "SoBienNhan": "A-1",
        "NgayNhan": "/Date(1772680000000)/",
        "TenDonVi": [{"name": "Xã Giả"}],
        "TrangThai": 4,
    }
    read, text = the_draft_of(tmp_path / "a.json", json.dumps({"d": {"n": 1, "results": [record]}}).encode())
    assert read["records"] == "d.results" and read["date_formats"] == ["epoch_ms"]
    received = read["columns"]["received_at"]
    assert received["headings"] == ["NgayNhan"] and re.fullmatch(
        received["part"], "/Date(1772680000000)/", re.IGNORECASE
    )
    assert read["columns"]["unit_name"]["take"] == {"how": "first", "list": "TenDonVi", "item": "???"}
    assert "these numbers are taken for the statuses" in text


def test_a_draft_prefers_what_is_of_the_case_and_names_no_column_that_is_not_there(tmp_path: Path) -> None:
    read, _ = the_draft_of(
        tmp_path / "a.csv",
        b"case:concept:name,concept:name,time:timestamp,dueDate,case:endDatePlanned\n"
        b"1,A,2026-03-05,2026-03-06,2026-04-05\n1,B,2026-03-06,2026-03-07,2026-04-05\n",
    )
    assert read["columns"]["due_at"]["headings"] == ["case:endDatePlanned"]
    read, _ = the_draft_of(
        tmp_path / "b.csv",
        b"Department,Type,Open timestamp,Status,agency_responsible\nA,T,2026-03-05,Closed,A\nB,T,2026-03-05,Lost,A\nB,T,2026-03-06,Lost,A\n",
    )
    assert read["code_parts"] == ["received_at", "unit_name", "field_name"] and not read["personal"]
    assert read["columns"]["status"]["codes"] == {"Closed": "9", "Lost": "???"}
    read, text = the_draft_of(tmp_path / "c.csv", b"Request ID,Open date\nX1,2026-03-05\nX2,2026-03-25\n")
    assert read["derived"]["status"]["when_present"] == "???" and "nor when it ended" in text


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["05/03/2026", "25/03/2026"], ["%d/%m/%Y"]),
        (["05/03/2026", "03/25/2026"], ["%m/%d/%Y"]),
        (["5.3.2026 14.05"], ["%d.%m.%Y %H.%M"]),
        (["1767225600000"], ["epoch_ms"]),
        (["2026-03-05 08:00:00.5+01:00", "2026-03-05 08:00:00+01:00"], ["%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z"]),
        (["05/03/2026", "soon"], []),
        (["01/02/2026", "03/25/2026", "02/01/2026"], ["%m/%d/%Y"]),
        (["25/03/2026", "03/25/2026"], []),
        (["2026-03-05 08:00:00+00", "2026-03-05 08:00:00.1234567+00"], ["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S.%f%z"]),
        (["05/03/2026 8h05"], ["%d/%m/%Y %Hh%M"]),
    ],
)  # fmt: skip
def test_the_forms_of_days(cells: list[str], forms: list[str]) -> None:
    assert forms_of(cells) == forms
