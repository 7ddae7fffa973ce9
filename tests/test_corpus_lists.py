"""Lists as text that are cut, miscoded, misquoted or only odd: what must become of each. Loaded in one night by the real
pipeline. A stray character in a personal column refuses nothing: those columns are not read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from exports import Row, csv_list, csv_of, nfd, table, xlsx_list
from intake_cases import Case, check, load, numbered
from odd_files import OLE, packed
from warehouses import Warehouse, Warehouses

_numbers = count(7000)
CASES: list[Case] = []
QUARANTINED = "loaded_with_quarantine"
TWO, THREE = (2, 2, 0, 0, 0), (3, 3, 0, 0, 0)


def rows(number: int = 2, **cells: str) -> list[Row]:
    return numbered(next(_numbers), number, **{"Chủ hồ sơ": "NGƯỜI GIẢ", **cells})


def sound(number: int = 2, **cells: str) -> bytes:
    return csv_list(rows(number, **cells))


def case(name: str, content: bytes, **expected: Any) -> None:
    CASES.append(Case(name, content, **expected))


def refused(name: str, content: bytes, reason: str) -> None:
    case(name, content, verdict="rejected", reason=reason, rows=(0, 0, 0, 0, 0))


def raw(lines: list[list[str]], end: str = "\r\n") -> bytes:
    """Cells put side by side without any quoting."""
    return "".join(",".join(line) + end for line in lines).encode()


def named(*names: str) -> list[list[str]]:
    """A list of sound rows whose persons bear these names."""
    head, *body = table(rows(len(names)))
    return [head, *([*row[:-1], name] for row, name in zip(body, names, strict=True))]


# Not a list of text
refused("zeros at the end", sound() + b"\0" * 512, "FILE_TRUNCATED")
refused("nothing but zeros", b"\0" * 4096, "FILE_TRUNCATED")
refused("a login form", b"<form action='/login'><input></form>", "TYPE_MISMATCH")
refused("a page below a declaration", b'<?xml version="1.0"?>\n<html></html>', "TYPE_MISMATCH")
refused("gzip", gzip.compress(sound()), "CONTAINER")
refused("an archive around it", packed({"a.csv": sound()}), "CONTAINER")
refused("a workbook", xlsx_list(rows()), "TYPE_MISMATCH")
refused("a workbook of before 2007", OLE + "Workbook".encode("utf-16-le"), "LEGACY_XLS")
refused("a pdf", b"%PDF-1.4\n", "TYPE_MISMATCH")
refused("only a mark", b"\xef\xbb\xbf", "HEADER")
refused("only line ends", b"\r\n" * 50, "HEADER")
refused("numbers", b"1,2,3\n" * 50, "HEADER")

# Cut
WHOLE = sound(3)
refused("cut within a row", WHOLE[: WHOLE.rindex(b",") - 20], "FILE_TRUNCATED")
refused("cut within a character", WHOLE[: WHOLE.rindex("ƯỜI".encode()) + 1], "FILE_TRUNCATED")
refused("cut within a quoted cell", raw(named('"NGƯỜI', '"GIẢ'))[:-2], "FILE_TRUNCATED")
case("without the last line end", sound(3).rstrip(), rows=THREE)
case("with blank lines at the end", sound(3) + b"\r\n" * 4, rows=(7, 3, 0, 4, 0))

# Other encodings than declared
ACCENTS = csv_list(rows(2)).decode()
refused("cp1258", b"\xcb\xea " + sound(), "ENCODING")
refused("TCVN3", ACCENTS.encode().replace("Đ".encode(), b"\xa7").replace("ư".encode(), b"\xad"), "ENCODING")
refused("VNI", ACCENTS.encode().replace("ơ".encode(), b"\xf4").replace("ã".encode(), b"a\xf5"), "ENCODING")
refused("utf-16 without its mark", ACCENTS.encode("utf-16-be"), "ENCODING")
case("utf-16 the other way", b"\xfe\xff" + ACCENTS.encode("utf-16-be"), rows=TWO)
refused("utf-16 cut within a character", b"\xff\xfe" + ACCENTS.encode("utf-16-le")[:-1], "FILE_TRUNCATED")

# Line ends and marks
case("carriage returns alone", sound().replace(b"\r\n", b"\r"), rows=TWO)
case("a carriage return in the title", b"DANH\rHO SO\r\n" + sound(), rows=TWO)
case("line ends mixed", sound(3).replace(b"\r\n", b"\n", 2), rows=THREE)
HEAD, *BODY = table(rows(4))
case("two files one after the other", csv_of([HEAD, *BODY[:2]]) + b"\xef\xbb\xbf" + csv_of([HEAD, *BODY[2:]]),
     rows=(5, 4, 0, 1, 0))  # fmt: skip
HEAD, *BODY = table(rows(4))
case("the header again, accents apart", csv_of([HEAD, *BODY[:2]]) + nfd(csv_of([HEAD])) + csv_of(BODY[2:]),
     rows=(5, 4, 0, 1, 0))  # fmt: skip
case("the header accents apart, and again composed", nfd(csv_of([HEAD])) + csv_of([*BODY[:2], HEAD, *BODY[2:]]),
     rows=(5, 4, 0, 1, 0))  # fmt: skip
HEAD, *BODY = table(rows(4))
LAST = [HEAD.index("Ngày tiếp nhận"), HEAD.index("Ngày hẹn trả")]
TURNED = [[line[LAST[1] if at == LAST[0] else LAST[0] if at == LAST[1] else at] for at in range(len(line))]
          for line in (HEAD, *BODY[2:])]  # fmt: skip
refused("a second table in another order", csv_of([HEAD, *BODY[:2], *TURNED]), "SEVERAL_TABLES")

# Quotes
case("a quote opens a name", raw(named('"NGƯỜI GIẢ', "B", "C")), rows=THREE)
case("a quote closes a name", raw(named('NGƯỜI GIẢ"', "B", "C")), rows=THREE)
case("one opens, a later one closes", raw(named('"NGƯỜI', 'GIẢ"', "C")), rows=THREE)
case("a quote within a name", raw(named('NGƯỜI "GIẢ" B', '"A" B', 'C "')), rows=THREE)
case("every name with a lone quote", raw(named('"A', '"B', '"C')), rows=THREE)
case("quotes around quotes", raw(named('"NGƯỜI ""GIẢ"""', '""', '""""')), rows=THREE)
case("a comma in a quoted name", raw(named('"GIẢ, NGƯỜI"', "B", "C")), rows=THREE)
case("line ends in a quoted name", raw(named('"NGƯỜI\r\n\r\nGIẢ"', "B", "C")), rows=THREE)
case("everything quoted", raw([[f'"{cell}"' for cell in line] for line in named("A", "B\nB", "C")]), rows=THREE)
case("a lone quote in a code", raw([HEAD, ['"' + BODY[0][0], *BODY[0][1:]], BODY[1]]), rows=TWO)
case("a comma too many in a name", raw(named("GIẢ, NGƯỜI", "B", "C")), verdict=QUARANTINED, rows=(3, 2, 1, 0, 0),
     refused={2: ["RAGGED"]})  # fmt: skip

# Characters
case("a zero byte in a name", raw(named("NGƯỜI\0GIẢ", "B")), rows=TWO)
case("a broken character in a name", raw(named("NG\ufffdI", "\u202eB")), rows=TWO)
case("a formula in a name", raw(named("=HYPERLINK(1)", "@SUM(1)", "+1")), rows=THREE)
ZERO = rows(2)
ZERO[0]["field_name"] = "Hộ\0tịch"
case("a zero byte", csv_list(ZERO), verdict=QUARANTINED, rows=(2, 1, 1, 0, 0), refused={2: ["NUL_BYTE"]})
case("failed formulas", csv_list(rows(2, field_name="#N/A")), verdict=QUARANTINED, rows=(2, 0, 2, 0, 0),
     refused={2: ["CELL_ERROR"], 3: ["CELL_ERROR"]})  # fmt: skip
for fee in ("50,000", "1,000,000", "50%"):
    case(f"a fee that may mean two amounts {fee}", sound(1, fee_amount=fee), verdict=QUARANTINED, rows=(1, 0, 1, 0, 0),
         refused={2: ["NUMBER_FORMAT"]})  # fmt: skip
MARKED = rows(1)
for form in ("{}", "'{}", '="{}"', "\u200e{}", "{}\u00ad"):
    MARKED.append({**MARKED[0], "dossier_code": form.format(MARKED[0]["dossier_code"].lower())})
case("one code in five disguises", csv_list(MARKED), rows=(6, 1, 0, 0, 5))
for code in ("１.０００６５６", "1.00065６", "٣.000656", "1。000656"):
    case(f"digits of elsewhere {code}", sound(1, procedure_code=code), verdict=QUARANTINED, rows=(1, 0, 1, 0, 0),
         refused={2: ["CODE"]})  # fmt: skip
for cell in ("１２/01/2026", "12/0１/2026", "12/01/2026 ٣:00"):
    case(f"days of elsewhere {cell}", sound(1, due_at=cell), verdict=QUARANTINED, rows=(1, 0, 1, 0, 0),
         refused={2: ["DATE_INVALID"]})  # fmt: skip
case("a very long name", raw(named("N" * 300_000, "B")), rows=TWO)
LONG = "x" * 5_000_000
refused("one line without end", LONG.encode(), "HEADER")
case("a line of five million characters", raw(named(LONG, "B")), rows=TWO)

# Headings
hostile = 'x"; DROP TABLE core.dossier;--'
case("a hostile heading", csv_of([[*row, text] for row, text in zip(table(rows()), (hostile, "1", "2"), strict=True)]),
     rows=TWO, told={"SCHEMA_DRIFT"})  # fmt: skip
case("a heading with a zero byte", csv_of([[*row, text] for row, text in zip(table(rows()), ("a\0b", "1", "2"), strict=True)]),
     rows=TWO, told={"SCHEMA_DRIFT"})  # fmt: skip
case("a heading as long as a book", csv_of([[*row, text] for row, text in zip(table(rows()), ("b" * 40_000, "1", "2"), strict=True)]),
     rows=TWO, told={"SCHEMA_DRIFT"})  # fmt: skip
case(
    "a hostile heading for a required one",
    csv_list(rows(), {"status": hostile}),
    verdict="rejected",
    reason="MISSING_COLUMN",
)
case(
    "a thousand columns",
    csv_of([[*line, *["x"] * 1000] for line in table(rows())]),
    verdict="rejected",
    reason="EXTENT",
)

# The same in other words
ONE, OTHER = rows()
SAID = [ONE | {"data_reused": "Có", "fee_amount": "50.000"}, ONE | {"data_reused": "x", "fee_amount": "50000,0 đ"}]
case("one dossier twice in other words", csv_list([*SAID, OTHER]), rows=(3, 2, 0, 0, 1))
ONE, OTHER = rows()
SAID = [ONE, ONE | {"unit_name": "xã  Tiên Điền ", "status": "4", "due_at": "12/01/2026 00:00"}]
case("one dossier twice, the unit by another name", csv_list([*SAID, OTHER]), rows=(3, 2, 0, 0, 1))
ONE, OTHER = rows()
case("one dossier twice, two fees", csv_list([ONE | {"fee_amount": "1"}, ONE | {"fee_amount": "2"}, OTHER]),
     verdict=QUARANTINED, rows=(3, 1, 2, 0, 0), refused={2: ["DUPLICATE_IN_FILE"], 3: ["DUPLICATE_IN_FILE"]})  # fmt: skip

# Held and rejected by what the rows say: nothing is in, and the counts add up all the same
WRONG = rows(12, unit_name="xã Không Có")
case(
    "more refused than sound",
    csv_list(rows(10) + WRONG),
    verdict="held",
    reason="QUARANTINE_SHARE",
    rows=(22, 10, 12, 0, 0),
)
LATE = rows(8, finished_at="04/01/2026", status="9")
YEAR_ONE = rows(8, status="Đang xử lý", finished_at="01/01/0001", returned_at="")  # as programs write no day
case("no day as the year 1", csv_list(rows(20) + YEAR_ONE), verdict=QUARANTINED, rows=(28, 20, 8, 0, 0),
     refused={row: ["DATE_ORDER", "DATE_RANGE", "FINISH_UNEXPECTED"] for row in range(22, 30)})  # fmt: skip
case("columns exchanged", csv_list(rows(20) + LATE), verdict="rejected", reason="COLUMN_SWAP", rows=(28, 20, 8, 0, 0))


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        load(made, CASES)
        yield made


@pytest.mark.parametrize("file", CASES, ids=[each.name for each in CASES])
def test_a_file_becomes_what_its_case_says(loaded: Warehouse, file: Case) -> None:
    check(loaded, file)


def test_the_rows_of_every_file_add_up_also_where_nothing_is_in(loaded: Warehouse) -> None:
    for row in loaded.files().values():
        parts = [row[f"rows_{part}"] for part in ("accepted", "quarantined", "dropped", "duplicate")]
        assert row["rows_read"] == sum(parts), row["file_name"]


def test_of_a_held_or_rejected_file_nothing_is_in(loaded: Warehouse) -> None:
    assert not loaded.value(
        "select count(*) from core.dossier_version join core.delivery using (delivery_id) "
        "where verdict in ('held', 'rejected')"
    )
