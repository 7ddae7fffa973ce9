"""Relatives of the known bad files: codes in disguise, tables hung behind one another, failed formulas, lost headings.

Loaded in one night by the real pipeline. Beside the verdict the reason itself is looked at: it names the place a clerk
has to go to, in Vietnamese, and nothing of a person.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import openpyxl
import pytest
import xlwt

from exports import Row, csv_list, csv_of, form_06a, record, table, workbook, xlsx_list
from exports import counts as form_counts
from intake_cases import Case, check, load, numbered
from odd_files import edited, packed
from warehouses import Warehouse, Warehouses

_numbers = count(5000)
CASES: list[Case] = []
SAYS: dict[str, str] = {}
QUARANTINED = "loaded_with_quarantine"
Cells = list[list[Any]]


def rows(number: int = 2, **cells: str) -> list[Row]:
    return numbered(next(_numbers), number, **{"Chủ hồ sơ": "NGƯỜI GIẢ", **cells})


def cells(number: int = 2, **columns: str) -> Cells:
    return [[*line] for line in table(rows(number, **columns))]


def case(name: str, content: bytes, source: str = "mot_cua_csv", says: str = "", **expected: Any) -> None:
    CASES.append(Case(name, content, source=source, **expected))
    SAYS[name] = says


def refused(name: str, content: bytes, reason: str, says: str = "", source: str = "mot_cua_csv") -> None:
    case(name, content, source, says, verdict="rejected", reason=reason, rows=(0, 0, 0, 0, 0))


def book(name: str, content: bytes, **expected: Any) -> None:
    case(name, content, "mot_cua_xlsx", **expected)


# One dossier code in two spellings: what only looks the same is the same, or refused; never two dossiers.
def spelt(name: str, old: str, new: str, *, same: bool) -> None:
    lines = cells(1)
    lines.append([lines[1][0].replace(old, new), *lines[1][1:]])
    expected: dict[str, Any] = {"rows": (2, 1, 0, 0, 1)}
    if not same:
        expected = {"verdict": QUARANTINED, "rows": (2, 1, 1, 0, 0), "refused": {3: ["DOSSIER_CODE_LETTERS"]}}
    case(name, csv_of(lines), **expected)


for NAME, UNSEEN in {
    "a variant": "\ufe0f", "a filler": "\u3164", "blank braille": "\u2800", "a tag": "\U000e0041", "a joiner": "\u034f",
    "a Mongolian blank": "\u180e",
}.items():  # fmt: skip
    spelt(f"a code with {NAME} in it", "-26", f"-{UNSEEN}26", same=True)
for NAME, DASH in {"long": "–", "typographic": "\u2010", "unbroken": "\u2011", "of arithmetic": "−"}.items():
    spelt(f"a code with dashes {NAME}", "-", DASH, same=True)
spelt("a code in wide digits", "2601", "２６０１", same=True)
WIDE = cells(1)
WIDE.append(["".join(chr(ord(sign) + 0xFEE0) for sign in WIDE[1][0]), *WIDE[1][1:]])
case("a code in wide signs alone", csv_of(WIDE), rows=(2, 1, 0, 0, 1))
spelt("a code with a Cyrillic letter", "H", "Н", same=False)
spelt("a code with Arabic digits", "1", "١", same=False)
spelt("a code with another full stop", ".", "。", same=False)
BROKEN = cells(1)
BROKEN[1][0] = BROKEN[1][0].replace("H", "Đ")
case("a code with a Vietnamese letter", csv_of(BROKEN), rows=(1, 1, 0, 0, 0))

# Tables hung behind one another, whose second header knows more columns than the first
HEAD, MORE = cells(), cells(submitted_at="05/01/2026")
refused("a fuller table below", csv_of([*HEAD, *MORE]), "SEVERAL_TABLES", "dòng 1 và dòng 4")
refused(
    "a fuller table below, after titles",
    csv_of([["DANH SÁCH"], [], *HEAD, *MORE]),
    "SEVERAL_TABLES",
    "dòng 3 và dòng 6",
)
refused(
    "a fuller table below, named delimiter",
    b"sep=;\r\n" + csv_of([*HEAD, *MORE], ";"),
    "SEVERAL_TABLES",
    "dòng 2 và dòng 5",
)
refused(
    "a fuller table below, as a workbook",
    workbook([*HEAD, *MORE]),
    "SEVERAL_TABLES",
    "dòng 1 và dòng 4",
    "mot_cua_xlsx",
)

# Totals that count other rows than there are
for NAME, PLACE, WORD in (("beside the label", 1, "Tổng số hồ sơ"), ("below the units", 3, "Cộng")):
    for CLAIM, SOUND in (("4", True), ("5", False)):
        LINES = cells(4)
        LINES.append([""] * len(LINES[0]))
        LINES[-1][0], LINES[-1][PLACE] = WORD, CLAIM
        case(f"a total {NAME} of {CLAIM}", csv_of(LINES), rows=(5, 4, 0, 1, 0),
             **({} if SOUND else {"verdict": "held", "reason": "TOTAL_MISMATCH"}))  # fmt: skip

# Headings
LINES = [[*line, *more] for line, more in zip(cells(), (["", "Ghi chú"], ["a", "b"], ["", ""]), strict=True)]
case("a column without a heading", csv_of(LINES), rows=(2, 2, 0, 0, 0), told={"SCHEMA_DRIFT"})
book("a column without a heading, as a workbook", workbook(LINES), rows=(2, 2, 0, 0, 0), told={"SCHEMA_DRIFT"})
LINES = [[*line, *more] for line, more in zip(cells(), (["", "Ghi chú"], ["", "b"], [" ", ""]), strict=True)]
case("an empty column without a heading", csv_of(LINES), rows=(2, 2, 0, 0, 0))
LINES = [[*line, "Ngày nhận" if at == 0 else "06/01/2026"] for at, line in enumerate(cells())]
refused(
    "one meaning twice", csv_of([["DANH SÁCH"], *LINES]), "DUPLICATE_COLUMN", "ô E2 «Ngày tiếp nhận», ô J2 «Ngày nhận»"
)
refused("a header far below", csv_of([["x"]] * 29 + cells()), "HEADER", "trong 20 dòng đầu")
LINES = [line[:4] + line[5:] for line in cells()]
refused(
    "a required column missing",
    csv_of([["DANH SÁCH"], *LINES]),
    "MISSING_COLUMN",
    "(dòng 2) thiếu cột bắt buộc «Ngày tiếp nhận»",
)
refused("a form without its unit", form_06a([("Hộ tịch", form_counts(on_time=5))], unit=""), "MISSING_TITLE",
        "«Đơn vị: …»", "tong_hop_06a_xlsx")  # fmt: skip
refused("a form without its period", form_06a([("Hộ tịch", form_counts(on_time=5))], period=""), "MISSING_TITLE",
        "«Kỳ báo cáo: …»", "tong_hop_06a_xlsx")  # fmt: skip

# Cut, and other bytes
WHOLE = csv_list(rows(3))
refused("cut in the last row", WHOLE[:-30], "FILE_TRUNCATED", "dòng 4")
refused("cut in a quoted cell", WHOLE[:-20].replace("NGƯỜI".encode(), b'"NG'), "FILE_TRUNCATED", "dòng 4")
refused("cut within a letter", WHOLE[: WHOLE.rindex("Ả".encode()) + 1], "FILE_TRUNCATED", "dòng 4")
refused("letters of another code page below", WHOLE + b"\xd0\xcb\xc7\r\n", "ENCODING", "từ dòng 5")
case("the end mark of old systems", csv_list(rows(3)) + b"\x1a", rows=(3, 3, 0, 0, 0))


# Workbooks
def written(change: Any) -> bytes:
    made = openpyxl.Workbook()
    change(made, made.active)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def filled(sheet: Any, lines: Cells) -> None:
    for line in lines:
        sheet.append(line)


def failed(error: str) -> bytes:
    def change(_: Any, sheet: Any) -> None:
        filled(sheet, cells(3))
        sheet["H3"] = error
        sheet["H3"].data_type = "e"

    return written(change)


for ERROR in ("#NAME?", "#REF!", "#NULL!", "#NUM!"):
    book(f"a formula that failed with {ERROR[1:-1]}", failed(ERROR), verdict=QUARANTINED, rows=(3, 2, 1, 0, 0),
         refused={3: ["CELL_ERROR", "UNKNOWN_STATUS"]})  # fmt: skip


def uncomputed(_: Any, sheet: Any) -> None:
    filled(sheet, cells(30))
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            cell.value = f"=Khac!A{cell.row}"


book("formulas alone, of which no row is known", written(uncomputed), verdict="held", reason="QUARANTINE_SHARE",
     rows=(30, 0, 30, 0, 0))  # fmt: skip


def half_computed(_: Any, sheet: Any) -> None:
    filled(sheet, cells(4))
    for cell in [*sheet[4], *sheet[5]]:
        cell.value = f"=Khac!A{cell.row}"


UNKNOWN = ["CELL_ERROR"] * 8 + ["DATE_INVALID"] * 2 + ["UNKNOWN_STATUS", "UNKNOWN_CHANNEL", "CODE", "UNKNOWN_UNIT"]
book("formulas alone in the last rows", written(half_computed), verdict=QUARANTINED, rows=(4, 2, 2, 0, 0),
     refused={4: UNKNOWN, 5: UNKNOWN})  # fmt: skip


def unseen(made: Any, sheet: Any) -> None:
    sheet.append(["Hướng dẫn"])
    filled(made.create_sheet("Dữ liệu"), cells())
    made["Dữ liệu"].sheet_state = "veryHidden"


refused("the table on a sheet nobody sees", written(unseen), "HEADER", "1 trang ẩn", "mot_cua_xlsx")


def doubled(made: Any, sheet: Any) -> None:
    sheet.title = "Tháng 1"
    for each in (sheet, made.create_sheet("Tháng 1 (2)")):
        filled(each, cells())


refused("a sheet and its copy", written(doubled), "SEVERAL_SHEETS", "«Tháng 1», «Tháng 1 (2)»", "mot_cua_xlsx")


def continued(made: Any, sheet: Any) -> None:
    filled(sheet, cells(3))
    filled(made.create_sheet("Tiếp"), cells(2)[1:])


refused("a sheet that goes on without a header", written(continued), "SEVERAL_SHEETS", "trang «Tiếp»", "mot_cua_xlsx")


def counted(made: Any, sheet: Any) -> None:
    filled(sheet, cells())
    filled(made.create_sheet("Tổng hợp"), [["Lĩnh vực", "Số hồ sơ"], ["Hộ tịch", "2"], ["Tổng cộng", "2"]])


book("a sheet of counts beside the list", written(counted), told={"OTHER_SHEET"})
WARNED = b"<br />\n<b>Warning</b>: Undefined variable in <b>/var/www/xuat.php</b><br />\n" + csv_list(rows())
refused("a warning of PHP before the list", WARNED, "TYPE_MISMATCH", "trang web")
LAST = "</row>(?=</sheetData>)"
refused(
    "a cell at the edge",
    edited(rows(), LAST, '</row><row r="9"><c r="XFD9"><v>1</v></c></row>'),
    "EXTENT",
    "ô XFD9",
    "mot_cua_xlsx",
)
refused("a cell of no row", edited(rows(), '<c r="B2"', f'<c r="B{"9" * 48}"'), "EXTENT", "ô B…", "mot_cua_xlsx")
refused("a cell written twice", edited(rows(), '<c r="C2"', '<c r="B2"'), "FILE_CORRUPT", "ô B2", "mot_cua_xlsx")
refused(
    "a text of no number",
    edited(rows(), r'(<c r="B2"[^>]*t="s"><v>)\d+', '<c r="B2" t="s"><v>-1'),
    "FILE_CORRUPT",
    "ô B2",
    "mot_cua_xlsx",
)
OLD = io.BytesIO()
BOOK = xlwt.Workbook()
SHEET = BOOK.add_sheet("A")
for ROW, LINE in enumerate(cells()):
    for AT, CELL in enumerate(LINE):
        SHEET.write(ROW, AT, CELL)
BOOK.save(OLD)
refused("a real workbook of before 2007", OLD.getvalue(), "LEGACY_XLS", "lưu lại dạng .xlsx", "mot_cua_xlsx")
refused(
    "two workbooks in an archive",
    packed({"a.xlsx": xlsx_list(rows()), "b.xlsx": xlsx_list(rows())}),
    "CONTAINER",
    "",
    "mot_cua_xlsx",
)


# Records
def records(name: str, *changes: dict[str, Any], **expected: Any) -> None:
    made = [record(row) | change for row, change in zip(rows(len(changes)), changes, strict=True)]
    kept = [{field: value for field, value in one.items() if value is not ...} for one in made]
    case(name, json.dumps([one for one in kept if len(one) > 1 or one == {}]).encode(), "dvcqg_json", **expected)


FEE = "DanhSachLePhi"
records("a fee made smaller by another", {FEE: [{"Gia": "50.000"}, {"Gia": -1}]}, {}, verdict=QUARANTINED,
        rows=(2, 1, 1, 0, 0), refused={1: ["RANGE"]})  # fmt: skip
records("a fee under another name", {FEE: [{"SoTien": "5"}]}, {FEE: [{}]}, verdict=QUARANTINED, rows=(2, 1, 1, 0, 0),
        refused={1: ["NUMBER_FORMAT"]})  # fmt: skip
records("days of promise left out of all", *[{"NgayHenTra": ...}] * 2, rows=(2, 2, 0, 0, 0), told={"SCHEMA_DRIFT"})
records("days of promise left out of one", {"NgayHenTra": ...}, {}, rows=(2, 2, 0, 0, 0))
NOBODY = [*map(record, rows()), {}, {}]
WHOSE = ["UNKNOWN_STATUS", "CODE", "DOSSIER_CODE_MISSING", "RECEIVED_MISSING", "UNKNOWN_UNIT"]
case("records of nobody", json.dumps(NOBODY).encode(), "dvcqg_json", verdict=QUARANTINED, rows=(4, 2, 2, 0, 0),
     refused={3: WHOSE, 4: WHOSE})  # fmt: skip


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        load(made, CASES)
        yield made


@pytest.mark.parametrize("file", CASES, ids=[each.name for each in CASES])
def test_a_file_becomes_what_its_case_says(loaded: Warehouse, file: Case) -> None:
    check(loaded, file)
    name = file.path.partition("/")[2]
    assert SAYS[file.name] in (loaded.files()[name]["reason"] or "")


def test_reasons_are_vietnamese_and_tell_of_no_person(loaded: Warehouse) -> None:
    told = loaded.query("select file_name, detail as said from core.delivery where detail is not null")
    told += loaded.query("select rule_id as file_name, reason || ' ' || cell as said from core.quarantine")
    assert len(told) > 30
    for row in told:
        vietnamese = row["said"].partition(" / ")[0]
        assert not vietnamese.isascii() and "NGƯỜI" not in row["said"], row
        assert not re.search(r"H4[23]\.|Error|Traceback|dossier_code|received_at|unit_name", row["said"]), row
