"""Workbooks that are damaged, disguised, hostile or only odd: what must become of each. Loaded in one night by the real
pipeline; the files are made by `odd_files`."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from exports import Row, table, workbook, xlsx_list
from intake_cases import Case, check, load, numbered
from odd_files import OLE, SHEET, STRINGS, Members, changed, edited, inline, members, packed, with_part
from warehouses import Warehouse, Warehouses

_numbers = count(9000)
CASES: list[Case] = []
QUARANTINED = "loaded_with_quarantine"
TWO = (2, 2, 0, 0, 0)


def rows(number: int = 2, **cells: str) -> list[Row]:
    return numbered(next(_numbers), number, **cells)


def book(name: str, content: bytes, **expected: Any) -> None:
    CASES.append(Case(name, content, source="mot_cua_xlsx", **expected))


def refused(name: str, content: bytes, reason: str) -> None:
    book(name, content, verdict="rejected", reason=reason, rows=(0, 0, 0, 0, 0))


# Not a workbook
refused("no bytes", b"", "FILE_EMPTY")
refused("a maintenance page", b"\xef\xbb\xbf  <!-- 503 -->\n<HTML><body>Bao tri</body></HTML>", "TYPE_MISMATCH")
refused("a page in utf-16", "<!DOCTYPE html><html></html>".encode("utf-16"), "TYPE_MISMATCH")
refused("a login form", b"\n<form action='/login'><input></form>", "TYPE_MISMATCH")
refused("xml of 2003", b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "TYPE_MISMATCH")
refused("a pdf", b"%PDF-1.7\n" + b"x" * 100, "TYPE_MISMATCH")
refused("a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "TYPE_MISMATCH")
refused("anything else", b"\0\1\2\3" * 500, "TYPE_MISMATCH")
refused("gzip around it", gzip.compress(xlsx_list(rows())), "CONTAINER")
refused("7z", b"7z\xbc\xaf\x27\x1c\0\4" + b"\0" * 100, "CONTAINER")
refused("an archive around it", packed({"danh sach.xlsx": xlsx_list(rows())}), "CONTAINER")
refused("an archive of nothing", packed({}), "CONTAINER")
refused("a text document", packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "TYPE_MISMATCH")
refused("a binary workbook", packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\0"}), "TYPE_MISMATCH")
refused("an open document", packed({"mimetype": b"application/vnd", "content.xml": b"<x/>"}), "TYPE_MISMATCH")
refused("with a password", OLE + "EncryptedPackage".encode("utf-16-le"), "ENCRYPTED")
refused("of before 2007", OLE + "Workbook".encode("utf-16-le"), "LEGACY_XLS")
refused("an old text document", OLE + "WordDocument".encode("utf-16-le"), "TYPE_MISMATCH")

# Kinds of cells
TABLE = table(rows(3))
for place, heading, rule in ((0, "Mã hồ sơ", "DOSSIER_CODE_ROUNDED"), (7, "Trạng thái", "UNKNOWN_STATUS")):
    assert TABLE[0][place] == heading
    cells = [[*line] for line in TABLE]
    cells[2][place] = 42_260_105_000_000_017 if place == 0 else True
    book(f"{heading} of another kind", workbook(cells), verdict=QUARANTINED, rows=(3, 2, 1, 0, 0), refused={3: [rule]})

# What stands where a dossier code is due
LONG = 2_603_020_000_010_030  # one digit more than Excel keeps of a number
for name, code, rule in (
    ("sixteen digits", LONG, "DOSSIER_CODE_ROUNDED"),
    ("a real date", datetime(2026, 1, 5), "DOSSIER_CODE_ROUNDED"),
    ("words", "chưa có", "DOSSIER_CODE_MISSING"),
    ("a column too narrow", "########", "DOSSIER_CODE_MISSING"),
    ("two codes", "H42.1-260105-8001;\nH42.1-260105-8002", "CELL_SHAPE"),
    ("an error of Google Sheets", "#ERROR!", "CELL_ERROR"),
    ("an error of LibreOffice", "Err:502", "CELL_ERROR"),
):
    cells = [[*line] for line in TABLE]
    cells[2][0] = code
    book(f"{name} for a code", workbook(cells), verdict=QUARANTINED, rows=(3, 2, 1, 0, 0), refused={3: [rule]})
cells = [[*line] for line in TABLE]
cells[1][0], cells[2][0] = LONG, LONG + 1
book("sixteen digits, as a program wrote them", workbook(cells), rows=(3, 3, 0, 0, 0))

# Formulas whose result nobody computed, as libraries write them; an empty text is a result
for number, (cell, empty) in enumerate(
    (
        ('<c r="F3"><f>E3+5</f><v></v></c>', False),
        ('<c r="F3" s="1"><f>E3+5</f><v/></c>', False),
        ('<c s="1" r="F3"><f t="shared" si="0"/></c>', False),
        ('<c r="F3" t="str"><f>IF(E3="","",E3)</f><v></v></c>', True),
    )
):
    book(f"a formula {number}", edited(rows(3), r'<c r="F3"[^>]*><v>[^<]*</v></c>', cell),
         verdict="loaded" if empty else QUARANTINED, rows=(3, 3, 0, 0, 0) if empty else (3, 2, 1, 0, 0),
         refused={} if empty else {3: ["CELL_ERROR", "DATE_INVALID"]})  # fmt: skip
for ERROR in ("#SPILL!", "#ERROR!", "Err:502"):  # readers know the seven of Excel 2007 only
    failed = f'<c r="F3" t="e"><f>E3+5</f><v>{ERROR}</v></c>'
    book(f"a formula that failed with {ERROR}", edited(rows(3), r'<c r="F3"[^>]*><v>[^<]*</v></c>', failed),
         verdict=QUARANTINED, rows=(3, 2, 1, 0, 0), refused={3: ["CELL_ERROR", "DATE_INVALID"]})  # fmt: skip
book("days from 1904, told otherwise",
     packed(members(workbook(table(rows(2)), dates="serial", epoch_1904=True)) | {
         "xl/workbook.xml": members(workbook(table(rows(2)), dates="serial", epoch_1904=True))["xl/workbook.xml"]
         .replace(b'date1904="1"', b"date1904 = 'true'")}), rows=TWO)  # fmt: skip

# Damaged
WHOLE = xlsx_list(rows(200))
refused("cut by 200 bytes", WHOLE[:-200], "FILE_CORRUPT")
refused("cut in half", WHOLE[: len(WHOLE) // 2], "FILE_CORRUPT")
refused("the first kilobyte", WHOLE[:1024], "FILE_CORRUPT")


def flipped(content: bytes) -> bytes:
    """One bit of the packed rows changed."""
    at = content.index(SHEET.encode()) + len(SHEET) + 60
    return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]


def lying(content: bytes) -> bytes:
    """The rows declare one byte, in the directory of the archive and before the rows, and the checksum fits that byte."""
    first = members(content)[SHEET][:1]
    told = zlib.crc32(first).to_bytes(4, "little")
    out = bytearray(content)
    for magic, checksum, size, name in ((b"PK\x03\x04", 14, 22, 30), (b"PK\x01\x02", 16, 24, 46)):
        for start in (match.start() for match in re.finditer(re.escape(magic), content)):
            if content[start + name :].startswith(SHEET.encode()):
                out[start + checksum : start + checksum + 4] = told
                out[start + size : start + size + 4] = (1).to_bytes(4, "little")
    return bytes(out)


refused("a flipped bit", flipped(WHOLE), "FILE_CORRUPT")
refused("a size that lies", lying(WHOLE), "FILE_CORRUPT")
refused("no sheet", changed(rows(), lambda parts: parts.pop(SHEET)), "FILE_CORRUPT")
refused("no strings", changed(rows(), lambda parts: parts.pop(STRINGS)), "FILE_CORRUPT")
refused(
    "a string of no number", edited(rows(), r'(<c r="B2"[^>]*t="s"><v>)\d+', '<c r="B2" t="s"><v>99999'), "FILE_CORRUPT"
)
for INDEX in ("-1", "1.5", "+1", "1e0", "x", " 1 ", "9999999999"):  # readers take the first text for most of these
    refused(
        f"a string of number {INDEX}",
        edited(rows(), r'(<c r="B2"[^>]*t="s"><v>)\d+', f'<c r="B2" t="s"><v>{INDEX}'),
        "FILE_CORRUPT",
    )
refused(
    "a string oddly pointed at",
    edited(rows(), r'(<c r="B2"[^>]*t="s"><v>)\d+', "<c t='s' r='B2'> <v >-1"),
    "FILE_CORRUPT",
)
refused("a cell stated twice", edited(rows(), '<c r="C2"', '<c r="B2"'), "FILE_CORRUPT")
refused("a cell stated again below", edited(rows(), '<c r="B3"', '<c r="B2"'), "FILE_CORRUPT")
refused("a cell stated twice, oddly", edited(rows(), '<c r="C2"', "<c s='0' r='b2'"), "FILE_CORRUPT")
refused("a nameless cell stated again", edited(rows(), r'<c r="B2"', '<c><v>1</v></c><c r="B2"'), "FILE_CORRUPT")
refused(
    "a row stated twice",
    changed(
        rows(),
        lambda parts: parts.update(
            {
                SHEET: re.sub(
                    rb'<row r="3"(.*?)</row>',
                    lambda row: b'<row r="2"' + re.sub(rb' r="[A-Z]3"', b"", row.group(1)) + b"</row>",
                    parts[SHEET],
                )
            }
        ),
    ),
    "FILE_CORRUPT",
)
for PART in (SHEET, STRINGS):
    refused(
        f"{PART.rpartition('/')[2]} in utf-16",
        changed(
            rows(),
            lambda parts, part=PART: parts.update(
                {part: parts[part].replace(b"UTF-8", b"UTF-16").decode().encode("utf-16")}
            ),
        ),
        "ENCODING",
    )
refused("a cell of an endless number", edited(rows(), '<c r="B2"', f'<c r="B{"9" * 48}"'), "EXTENT")
refused("a cell of row 0", edited(rows(), '<c r="B2"', '<c r="B0"'), "FILE_CORRUPT")

# Hostile
refused("names leave", with_part(rows(), "../../etc/x.xml", b"<x/>"), "ZIP_PATH")
refused("names leave backwards", with_part(rows(), "..\\x.xml", b"<x/>"), "ZIP_PATH")
refused("an absolute name", with_part(rows(), "/etc/x.xml", b"<x/>"), "ZIP_PATH")
PARTS = members(xlsx_list(rows()))
refused("one name twice", packed([*PARTS.items(), ("xl/Worksheets/SHEET1.xml", PARTS[SHEET])]), "CONTAINER")
refused("too many members", packed({**PARTS, **{f"x/{at}": b"" for at in range(1000)}}), "CONTAINER")
refused("too many sheets", packed({**PARTS, **{f"xl/worksheets/s{at}.xml": b"" for at in range(101)}}), "CONTAINER")
refused("macros", with_part(rows(), "xl/vbaProject.bin", b"\0"), "MACRO")
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><worksheet'
refused("laughs", edited(rows(), "<worksheet", LAUGHS), "XML_ENTITY")
refused(
    "a file from outside", edited(rows(), "<sst", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><sst', STRINGS), "XML_ENTITY"
)
refused(
    "entities in utf-16",
    with_part(rows(), "xl/x.xml", '<?xml version="1.0"?><!DOCTYPE x>'.encode("utf-16")),
    "XML_ENTITY",
)
refused("a bomb", with_part(rows(), "xl/media/x.bin", b" " * 30_000_000), "UNCOMPRESSED_LIMIT")
refused(
    "a bomb of strings",
    edited(rows(), "<si>", "<si><t>" + " " * 30_000_000 + "</t></si><si>", STRINGS),
    "UNCOMPRESSED_LIMIT",
)
END = "</row>(?=</sheetData>)"
for place in ("XFD1048576", "AAA2", "ZZ100000", "A99999999", "B1048577"):
    number = re.sub("[A-Z]", "", place)
    cell = f'</row><row r="{number}"><c r="{place}"><v>1</v></c></row>'
    refused(f"a cell at {place}", edited(rows(), END, cell), "EXTENT")
refused("a cell in single quotes", edited(rows(), END, "</row><row><c r='XFD9'><v>1</v></c></row>"), "EXTENT")
refused("ten thousand columns", workbook([[f"cột {at}" for at in range(10_000)], ["1"] * 10_000]), "EXTENT")
refused(
    "as many rows as a sheet has",
    edited(rows(), END, '</row><row r="65536"><c r="A65536"><v>1</v></c></row>'),
    "ROW_LIMIT",
)

# Odd, and sound
book("a far dimension", edited(rows(), '<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"'), rows=TWO)
book("a small dimension", edited(rows(), '<dimension ref="[^"]*"', '<dimension ref="A1"'), rows=TWO)
FORMATTED = '</row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
book("formats to the edge", edited(rows(), END, FORMATTED), rows=TWO)
book("a gap within", edited(rows(), END, '</row><row r="9"><c r="C9" t="str"><v>x</v></c></row>'), verdict=QUARANTINED,
     rows=(8, 2, 1, 5, 0), refused={9: ["UNKNOWN_STATUS", "CODE", "DOSSIER_CODE_MISSING", "RECEIVED_MISSING", "UNKNOWN_UNIT"]})  # fmt: skip
LINK = b'<externalLink xmlns="x"><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
book("external links", with_part(rows(), "xl/externalLinks/externalLink1.xml", LINK), rows=TWO)
book("64-bit sizes", packed(members(xlsx_list(rows())), zip64=True), rows=TWO)
book("texts in cells", inline(rows()), rows=TWO)


def prefixed(parts: Members) -> None:
    parts[SHEET] = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", parts[SHEET]).replace(b"xmlns=", b"xmlns:x=")


STRICT = {
    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": b"http://purl.oclc.org/ooxml/officeDocument/relationships",
}


def strict(parts: Members) -> None:
    for name in parts:
        for old, new in STRICT.items():
            parts[name] = parts[name].replace(old, new)


book("prefixed names", changed(rows(), prefixed), rows=TWO)
book("strict open xml", changed(rows(), strict), rows=TWO)
CELLS = table(rows())
book("three empty rows and columns before", workbook([[], [], [], *([None] * 3 + row for row in CELLS)]), rows=TWO,
     stated={5: {"status": 4}, 6: {"status": 4}})  # fmt: skip
hostile = 'x"; DROP TABLE core.dossier;--'
book("a hostile heading", workbook([[*row, extra] for row, extra in zip(table(rows()), (hostile, "1", "2"), strict=True)]),
     rows=TWO, told={"SCHEMA_DRIFT"})  # fmt: skip
book("a formula for a name", xlsx_list(rows(**{"Chủ hồ sơ": "=HYPERLINK(1)"})), rows=TWO)

# Cells of every kind
DATES = table(rows(1, due_at="12/01/2026"))
HEAD, FIRST = DATES
DUE, STATUS = HEAD.index("Ngày hẹn trả"), HEAD.index("Trạng thái")


def with_due(*cells: Any) -> bytes:
    return workbook([HEAD, *([*FIRST[:DUE], cell, *FIRST[DUE + 1 :]] for cell in cells)])


def one_due(name: str, cell: Any, **expected: Any) -> None:
    FIRST[HEAD.index("Mã hồ sơ")] = f"H42.{next(_numbers)}-260105-0001"
    book(name, with_due(cell), **expected)


WRONG = {"verdict": QUARANTINED, "rows": (1, 0, 1, 0, 0), "refused": {2: ["DATE_INVALID"]}}
one_due("a text in a date form nobody declared", "2026-01-12 00:00:00", **WRONG)
one_due("a text that is a serial", "46034x", **WRONG)
one_due("a number that is no day", 12.5, **WRONG)
one_due("a serial with a time", 46034.75, rows=(1, 1, 0, 0, 0), stated={2: {"due_at": datetime(2026, 1, 12, 18)}})
FAILED = '<c r="{0}2" t="e"><v>{1}</v></c>'
for letter, error, rules in (
    ("F", "#N/A", ["CELL_ERROR", "DATE_INVALID"]),
    ("C", "#REF!", ["CELL_ERROR"]),
    ("A", "#DIV/0!", ["CELL_ERROR"]),
    ("G", "#VALUE!", ["CELL_ERROR", "UNKNOWN_CHANNEL"]),
):
    content = edited(rows(1), f'<c r="{letter}2"[^>]*>.*?</c>', FAILED.format(letter, error))
    book(f"a failed formula in {letter}", content, verdict=QUARANTINED, rows=(1, 0, 1, 0, 0), refused={2: rules})
MIXED = [[*row] for row in table(rows(3))]
MIXED[1][STATUS], MIXED[2][STATUS], MIXED[3][STATUS] = 4, "Đang xử lý", True
book("numbers, words and truth in one column", workbook(MIXED), verdict=QUARANTINED, rows=(3, 2, 1, 0, 0),
     refused={4: ["UNKNOWN_STATUS"]}, stated={2: {"status": 4}, 3: {"status": 4}})  # fmt: skip


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        load(made, CASES)
        yield made


@pytest.mark.parametrize("file", CASES, ids=[each.name for each in CASES])
def test_a_file_becomes_what_its_case_says(loaded: Warehouse, file: Case) -> None:
    check(loaded, file)


def test_every_reason_is_told_in_vietnamese_and_english_without_a_value(loaded: Warehouse) -> None:
    for row in loaded.query("select file_name, reason, detail from core.delivery where verdict = 'rejected'"):
        vietnamese, _, english = row["detail"].partition(" / ")
        assert vietnamese and english and not vietnamese.isascii(), row
        assert "H42." not in row["detail"] and "Error" not in row["detail"], row
