"""What may come in as a list from a one-stop system, and what must become of it: encodings, delimiters, headings, title
and total rows, duplicates, words, numbers, dates, units. All files are loaded in one night by the real pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import count

import pytest

from exports import HEADINGS, STATUS_WORDS, csv_list, csv_of, dossier, nfd, table, workbook, xlsx_list
from intake_cases import Case, check, load, numbered, sound
from warehouses import Warehouse, Warehouses

_numbers = count(1)
CASES: list[Case] = []
QUARANTINED = "loaded_with_quarantine"

# domain.md 2.2, the headings seen in real exporters beside our own
SYNONYMS = {
    "dossier_code": ["Số hồ sơ", "Số biên nhận", "Mã biên nhận"],
    "procedure_name": ["Tên TTHC", "Thủ tục", "Tên thủ tục"],
    "procedure_code": ["Mã thủ tục"],
    "field_name": ["Tên lĩnh vực"],
    "unit_name": ["Cơ quan/đơn vị", "Đơn vị", "Cơ quan", "Phòng ban", "Đơn vị xử lý"],
    "submitted_at": ["Ngày nộp"],
    "received_at": ["Ngày nhận", "Nhận hồ sơ"],
    "due_at": ["Hạn xử lý", "Hẹn trả kết quả", "Ngày hẹn trả kết quả"],
    "finished_at": ["Ngày hoàn tất", "Ngày có kết quả"],
    "returned_at": ["Ngày trả", "Ngày nhận kết quả"],
    "channel": ["Hình thức tiếp nhận", "Loại tiếp nhận", "Kênh thực hiện"],
    "status": ["Trạng thái hồ sơ", "Tình trạng"],
    "fee_amount": ["Lệ phí (VNĐ)", "Tổng / Phí, lệ phí"],
    "paid_at": ["Ngày thu"],
}
FULL = {
    "procedure_name": "Đăng ký giám hộ", "submitted_at": "05/01/2026 07:30", "received_at": "05/01/2026 08:00",
    "due_at": "12/01/2026 17:00", "finished_at": "09/01/2026 10:15", "returned_at": "09/01/2026 16:00",
    "service_level": "Một phần", "status": "Đã trả kết quả", "supplement_count": "1",
    "supplement_requested_at": "06/01/2026", "fee_amount": "50.000", "payment_method": "Trực tuyến",
    "paid_at": "05/01/2026", "components_digitised": "Có", "result_digitised": "Có", "result_electronic": "Không",
    "data_reused": "Có", "channel": "Trực tuyến",
}  # fmt: skip
FULL_STATE = {
    "unit_code": "18373", "procedure_code": "1.000656", "field_name": "Hộ tịch", "status": 10, "channel": 2,
    "service_level": "mot_phan", "submitted_on": date(2026, 1, 5), "received_on": date(2026, 1, 5),
    "due_on": date(2026, 1, 12), "due_at": datetime(2026, 1, 12, 17), "finished_on": date(2026, 1, 9),
    "finished_at": datetime(2026, 1, 9, 10, 15), "returned_on": date(2026, 1, 9),
    "returned_at": datetime(2026, 1, 9, 16), "supplement_count": 1, "supplement_requested_on": date(2026, 1, 6),
    "supplement_requested_at": None, "fee_amount": 50_000, "payment_method": "online", "paid_on": date(2026, 1, 5),
    "components_digitised": True, "result_digitised": True, "result_electronic": False, "data_reused": True,
}  # fmt: skip


def case(name: str, content: bytes, **expected: object) -> None:
    CASES.append(Case(name, content, **expected))  # type: ignore[arg-type]  # the table's own words, checked by Case


def n() -> int:
    return next(_numbers)


def full(**cells: str) -> bytes:
    return csv_list(numbered(n(), 1, **{**FULL, **cells}))


TWO = (2, 2, 0, 0, 0)

# Bytes and characters
case("plain", sound(n()), rows=TWO)
case("byte-order mark", b"\xef\xbb\xbf" + sound(n()), rows=TWO)
case("semicolons", csv_of(table(numbered(n())), ";"), rows=TWO)
case("tabs", csv_of(table(numbered(n())), "\t"), rows=TWO)
case(
    "sep line", b"sep=;\r\n" + csv_of(table(numbered(n())), ";"), rows=TWO, stated={3: {"status": 4}, 4: {"status": 4}}
)
case("sep line after a mark", b"\xef\xbb\xbfsep=;\r\n" + csv_of(table(numbered(n())), ";"), rows=TWO)
case("utf-16", sound(n()).decode().encode("utf-16"), rows=TWO)
case("unix line ends", sound(n()).replace(b"\r\n", b"\n"), rows=TWO)
case("no end of the last line", sound(n()).rstrip(), rows=TWO)
case("accents written apart", nfd(full()), rows=(1, 1, 0, 0, 0), stated={2: FULL_STATE})
case("another encoding", sound(n()).decode().encode("utf-16-le"), verdict="rejected", reason="ENCODING")
case("bytes of cp1258", b"\xff" + sound(n())[1:], verdict="rejected", reason="ENCODING")
case("no bytes", b"", verdict="rejected", reason="FILE_EMPTY")
case("a web page", b"<!DOCTYPE html><html><body>...</body></html>", verdict="rejected", reason="TYPE_MISMATCH")
case("cut in a quoted cell", sound(n()) + b'H42,"cut', verdict="rejected", reason="FILE_TRUNCATED")
case("header only", csv_of(table(numbered(n()))[:1]), verdict="held", reason="ZERO_ROWS", rows=(0, 0, 0, 0, 0))
case(
    "odd spaces everywhere",
    csv_of(
        [
            [f"\u00a0{cell.replace(' ', chr(0xA0) * 2)}\u200b " for cell in row]
            for row in table(numbered(n(), 1, **FULL))
        ]
    ),
    rows=(1, 1, 0, 0, 0),
    stated={2: FULL_STATE},
)
case(
    "a line end within a cell",
    csv_list([dossier(f"H42.{n()}-260105-1", field_name="Hộ\ntịch"), *numbered(n(), 1)]),
    rows=TWO,
    stated={2: {"field_name": "Hộ tịch"}, 3: {"field_name": "Hộ tịch"}},
)
case(
    "broken characters",
    csv_list(
        [
            dossier(f"H42.{n()}-260105-1", field_name="H\ufffd tịch"),
            dossier(f"H42.{n()}-260105-2", unit_name="xã \x07Tiên Điền"),
        ]
    ),
    verdict=QUARANTINED,
    rows=(2, 0, 2, 0, 0),
    refused={2: ["REPLACEMENT_CHAR"], 3: ["CONTROL_CHAR", "UNKNOWN_UNIT"]},
)

# Headings
case("every column", full(), rows=(1, 1, 0, 0, 0), stated={2: FULL_STATE})
for place in range(5):
    other = {name: words[place] for name, words in SYNONYMS.items() if place < len(words)}
    case(f"synonyms {place}", csv_list(numbered(n(), 1, **FULL), other), rows=(1, 1, 0, 0, 0), stated={2: FULL_STATE})
case(
    "headings in capitals and old tones",
    csv_list(numbered(n(), 1, **FULL), {name: text.upper().replace("HÓA", "HOÁ") for name, text in HEADINGS.items()}),
    rows=(1, 1, 0, 0, 0),
    stated={2: FULL_STATE},
)
case(
    "columns in another order",
    csv_of([list(reversed(row)) for row in table(numbered(n(), 1, **FULL))]),
    stated={2: FULL_STATE},
    rows=(1, 1, 0, 0, 0),
)
REQUIRED = ("dossier_code", "procedure_code", "unit_name", "received_at", "channel", "status")
case("required columns only", csv_list([{name: row[name] for name in REQUIRED} for row in numbered(n())]), rows=TWO)
for name in REQUIRED:
    case(
        f"without {name}",
        csv_list([{key: value for key, value in row.items() if key != name} for row in numbered(n())]),
        verdict="rejected",
        reason="MISSING_COLUMN",
    )
case(
    "two headings for one column",
    csv_of([[*row, extra] for row, extra in zip(table(numbered(n())), ("Ngày nhận", "05/01/2026", ""), strict=True)]),
    verdict="rejected",
    reason="DUPLICATE_COLUMN",
)
case(
    "one heading twice",
    csv_of([[*row, extra] for row, extra in zip(table(numbered(n())), ("Trạng thái", "4", "4"), strict=True)]),
    verdict="rejected",
    reason="DUPLICATE_COLUMN",
)
case(
    "an unlisted column",
    csv_of([[*row, extra] for row, extra in zip(table(numbered(n())), ("Cột mới", "a", "b"), strict=True)]),
    rows=TWO,
    told={"SCHEMA_DRIFT"},
)
case("no header at all", csv_of(table(numbered(n()))[1:]), verdict="rejected", reason="HEADER")

# Rows that are no dossiers
WIDE = table(numbered(n(), 3))
BLANK = [""] * len(WIDE[0])


def labelled(text: str, place: int = 0) -> list[str]:
    return [text if at == place else "7" if at == len(BLANK) - 1 else "" for at in range(len(BLANK))]


case(
    "titles above the header",
    csv_of([["UBND TỈNH HÀ TĨNH"], ["DANH SÁCH HỒ SƠ"], ["Từ ngày 01/01/2026 đến ngày 10/04/2026"], [], *WIDE]),
    rows=(3, 3, 0, 0, 0),
    stated={6: {"status": 4}, 8: {"status": 4}},
)
WIDE = table(numbered(n(), 3))
case(
    "blank rows",
    csv_of([WIDE[0], WIDE[1], BLANK, WIDE[2], [], WIDE[3], BLANK]),
    rows=(6, 3, 0, 3, 0),
    stated={4: {"status": 4}, 6: {"status": 4}},
)
for label in ("Tổng số", "Tổng cộng", "TỔNG CỘNG:", "Cộng", " tổng  số "):
    WIDE = table(numbered(n(), 3))
    case(f"total row {label.strip()}", csv_of([*WIDE, labelled(label)]), rows=(4, 3, 0, 1, 0))
WIDE = table(numbered(n(), 3))
case("total in the second column", csv_of([*WIDE, labelled("Tổng số", 1)]), rows=(4, 3, 0, 1, 0))
WIDE = table(numbered(n(), 3))
case("header again", csv_of([WIDE[0], WIDE[1], WIDE[0], WIDE[2], WIDE[0], WIDE[3]]), rows=(5, 3, 0, 2, 0))
WIDE = table(numbered(n(), 3))
case(
    "column numbers", csv_of([WIDE[0], [f"({at})" for at in range(1, len(BLANK) + 1)], *WIDE[1:]]), rows=(4, 3, 0, 1, 0)
)
WIDE = table(numbered(n(), 2))
case(
    "rows too short and too long",
    csv_of([*WIDE, WIDE[1][:3], [*WIDE[2], "x"]]),
    verdict=QUARANTINED,
    rows=(4, 2, 2, 0, 0),
    refused={4: ["RAGGED"], 5: ["RAGGED"]},
)

WIDE = table(numbered(n(), 3))
case(
    "sections, subtotals and a signature",
    csv_of([
        WIDE[0], ["I", "UBND xã Tiên Điền", *BLANK[2:]], *WIDE[1:3], ["Cộng nhóm I", "2", *BLANK[2:]],
        ["B. Nhóm khác", *BLANK[1:]], WIDE[3], ["Tổng cộng", "3", *BLANK[2:]],
        ["", "", "Hà Tĩnh, ngày 10 tháng 4 năm 2026", *BLANK[3:]], ["", "NGƯỜI LẬP BIỂU", *BLANK[2:]],
    ]),
    rows=(9, 3, 0, 6, 0),
)  # fmt: skip
WIDE = table(numbered(n(), 3))
case(
    "a total of other rows", csv_of([*WIDE, ["Tổng số: 4 hồ sơ", *BLANK[1:]]]), verdict="held", reason="TOTAL_MISMATCH"
)
WIDE = table(numbered(n(), 3))
case("a total of one cell", csv_of([*WIDE, ["Tổng số: 3 hồ sơ"]]), rows=(4, 3, 0, 1, 0))
WIDE = table(numbered(n(), 3))
case(
    "a total of one cell, of other rows", csv_of([*WIDE, ["Tổng số: 4 hồ sơ"]]), verdict="held", reason="TOTAL_MISMATCH"
)
WIDE = table(numbered(n(), 3))
case("a delimiter behind every row", csv_of([WIDE[0], *([*row, ""] for row in WIDE[1:])]), rows=(3, 3, 0, 0, 0))
WIDE = table(numbered(n(), 3))
case(
    "a delimiter behind one row",
    csv_of([*WIDE[:2], [*WIDE[2], ""], WIDE[3]]),
    verdict=QUARANTINED,
    rows=(3, 2, 1, 0, 0),
    refused={3: ["RAGGED"]},
)
case("one status everywhere", csv_list(numbered(n(), 100)), rows=(100, 100, 0, 0, 0), told={"ONE_STATUS"})
case(
    "two statuses",
    csv_list([*numbered(n(), 99), *numbered(n(), 1, status="7")]),
    rows=(100, 100, 0, 0, 0),
    told={"END_DATE_MISSING"},
)
_FORM = [name for name in HEADINGS if name != "row_no"]
case(
    "a usual column that vanished",
    csv_list(
        [
            {name: cell for name, cell in {**dict.fromkeys(_FORM, ""), **row}.items() if name != "due_at"}
            for row in numbered(n())
        ]
    ),
    rows=TWO,
    told={"SCHEMA_DRIFT"},
)

# The same row again
ONE, OTHER = numbered(n())
case("exact duplicates", csv_list([ONE, OTHER, ONE, ONE]), rows=(4, 2, 0, 0, 2))
ONE, OTHER = numbered(n())
case(
    "duplicates but for STT and person",
    csv_list(
        [
            {**ONE, "row_no": "1", "Chủ hồ sơ": "Người Tổng Hợp A"},
            {**ONE, "row_no": "2", "Chủ hồ sơ": "Người Tổng Hợp B"},
            OTHER,
        ]
    ),
    rows=(3, 2, 0, 0, 1),
)
ONE, OTHER = numbered(n())
case(
    "duplicates that contradict each other",
    csv_list([ONE, OTHER, {**ONE, "due_at": "13/01/2026"}]),
    verdict=QUARANTINED,
    rows=(3, 1, 2, 0, 0),
    refused={2: ["DUPLICATE_IN_FILE"], 4: ["DUPLICATE_IN_FILE"]},
)
ONE, OTHER = numbered(n())
case(
    "duplicates exact and contradicting",
    csv_list([ONE, ONE, {**ONE, "due_at": "13/01/2026"}, OTHER]),
    verdict=QUARANTINED,
    rows=(4, 1, 2, 0, 1),
    refused={2: ["DUPLICATE_IN_FILE"], 4: ["DUPLICATE_IN_FILE"]},
)

# Words
ENDED = {3: "06/01/2026", 7: "06/01/2026", 8: "06/01/2026", 9: "06/01/2026", 10: "06/01/2026"}
ASKED = {5: {"supplement_count": "1", "supplement_requested_at": "06/01/2026"}}
for kind, worded in (("words", STATUS_WORDS), ("numbers", {code: str(code) for code in STATUS_WORDS})):
    case(
        f"statuses as {kind}",
        csv_list(
            [
                dossier(f"H42.{n()}-260105-{code}", status=word, finished_at=ENDED.get(code, ""), **ASKED.get(code, {}))
                for code, word in worded.items()
            ]
        ),
        rows=(10, 10, 0, 0, 0),
        stated={code + 1: {"status": code} for code in STATUS_WORDS},
    )
CHANNELS = [
    ("Trực tiếp", 1),
    ("Trực tuyến", 2),
    ("Bưu chính công ích (BCCI)", 3),
    ("Bưu chính công ích", 3),
    ("BCCI", 3),
    ("TRỰC TUYẾN", 2),
]
case(
    "channels",
    csv_list([dossier(f"H42.{n()}-260105-1", channel=word) for word, _ in CHANNELS]),
    rows=(6, 6, 0, 0, 0),
    stated={row: {"channel": code} for row, (_, code) in enumerate(CHANNELS, start=2)},
)
YES_NO = [("Có", True), ("Không", False), ("x", True), ("", None), ("1", True), ("0", False), ("X", True), ("có", True)]
case(
    "yes and no",
    csv_list([dossier(f"H42.{n()}-260105-1", data_reused=word) for word, _ in YES_NO]),
    rows=(8, 8, 0, 0, 0),
    stated={row: {"data_reused": flag} for row, (_, flag) in enumerate(YES_NO, start=2)},
)
LEVELS = [("Toàn trình", "toan_trinh"), ("Một phần", "mot_phan"), ("Cung cấp thông tin", "thong_tin"), ("", None)]
case(
    "levels",
    csv_list([dossier(f"H42.{n()}-260105-1", service_level=word) for word, _ in LEVELS]),
    rows=(4, 4, 0, 0, 0),
    stated={row: {"service_level": code} for row, (_, code) in enumerate(LEVELS, start=2)},
)
PAID = [("Trực tuyến", "online"), ("Tiền mặt", "cash"), ("Chuyển khoản", "transfer"), ("", None)]
case(
    "payment methods",
    csv_list([dossier(f"H42.{n()}-260105-1", fee_amount="5000", payment_method=word) for word, _ in PAID]),
    rows=(4, 4, 0, 0, 0),
    stated={row: {"payment_method": code} for row, (_, code) in enumerate(PAID, start=2)},
)
UNKNOWN = [
    ({"status": "Chưa rõ"}, "UNKNOWN_STATUS"), ({"status": ""}, "UNKNOWN_STATUS"), ({"status": "11"}, "UNKNOWN_STATUS"),
    ({"channel": "Qua điện thoại"}, "UNKNOWN_CHANNEL"), ({"service_level": "Mức độ 5"}, "UNKNOWN_SERVICE_LEVEL"),
    ({"payment_method": "Vàng"}, "UNKNOWN_PAYMENT_METHOD"), ({"data_reused": "có lẽ"}, "UNKNOWN_FLAG"),
    ({"dossier_code": ""}, "DOSSIER_CODE_MISSING"), ({"received_at": ""}, "RECEIVED_MISSING"),
    ({"procedure_code": "1.00065"}, "CODE"), ({"procedure_code": "1.000656.01"}, "CODE"), ({"procedure_code": ""}, "CODE"),
    ({"procedure_code": "x1.000656"}, "CODE"),
]  # fmt: skip
case(
    "words nobody knows",
    csv_list([{**dossier(f"H42.{n()}-260105-1"), **cells} for cells, _ in UNKNOWN]),
    verdict=QUARANTINED,
    rows=(len(UNKNOWN), 0, len(UNKNOWN), 0, 0),
    refused={row: [rule] for row, (_, rule) in enumerate(UNKNOWN, start=2)},
)
case("a procedure nobody knows", sound(n(), procedure_code="9.999999"), rows=TWO, told={"PROCEDURE_UNKNOWN"})

# Numbers
FEES = [
    ("0", 0),
    ("5", 5),
    ("50000", 50_000),
    ("50.000", 50_000),
    ("1.234.567", 1_234_567),
    ("50.000 đ", 50_000),
    ("50.000,00", 50_000),
    ("12.0", 12),
    ("", None),
    ("-", None),
]
case(
    "amounts",
    csv_list([dossier(f"H42.{n()}-260105-1", fee_amount=word) for word, _ in FEES]),
    rows=(len(FEES), len(FEES), 0, 0, 0),
    stated={row: {"fee_amount": amount} for row, (_, amount) in enumerate(FEES, start=2)},
)
BAD_FEES = ["12,5", "nan", "inf", "1_000", "１２", "1.23.456", "năm mươi nghìn", "1e5", "0x10"]
case(
    "amounts that are none",
    csv_list(
        [dossier(f"H42.{n()}-260105-1", fee_amount=word) for word in BAD_FEES]
        + [dossier(f"H42.{n()}-260105-1", fee_amount="-5")]
    ),
    verdict=QUARANTINED,
    rows=(len(BAD_FEES) + 1, 0, len(BAD_FEES) + 1, 0, 0),
    refused={row: ["NUMBER_FORMAT"] for row in range(2, len(BAD_FEES) + 2)} | {len(BAD_FEES) + 2: ["RANGE"]},
)

# Dates
DAYS = [
    ("12/01/2026", date(2026, 1, 12), None),
    ("12/01/2026 17:00", date(2026, 1, 12), datetime(2026, 1, 12, 17)),
    ("12/01/2026 17:00:30", date(2026, 1, 12), datetime(2026, 1, 12, 17, 0, 30)),
    ("12/01/2026 00:00", date(2026, 1, 12), None),
    ("12/01/2026 00:00:00", date(2026, 1, 12), None),
    ("07/01/2026", date(2026, 1, 7), None),  # never 1 July
    ("29/02/2028", date(2028, 2, 29), None),
    ("-", None, None),
]
case(
    "dates",
    csv_list([dossier(f"H42.{n()}-260105-1", due_at=word) for word, _, _ in DAYS]),
    rows=(len(DAYS), len(DAYS), 0, 0, 0),
    stated={row: {"due_on": day, "due_at": at} for row, (_, day, at) in enumerate(DAYS, start=2)},
)
BAD_DAYS = ["31/02/2026", "01/31/2026", "2026-01-12", "12/01/26", "46034", "12/01/2026 25:00", "mai", "29/02/2026"]
case(
    "dates that are none",
    csv_list([dossier(f"H42.{n()}-260105-1", due_at=word) for word in BAD_DAYS]),
    verdict=QUARANTINED,
    rows=(len(BAD_DAYS), 0, len(BAD_DAYS), 0, 0),
    refused={row: ["DATE_INVALID"] for row in range(2, len(BAD_DAYS) + 2)},
)
IMPLAUSIBLE = [
    ({"received_at": "11/04/2026", "due_at": "20/04/2026"}, ["DATE_FUTURE"]),
    ({"finished_at": "11/04/2026", "status": "9"}, ["DATE_FUTURE"]),
    ({"finished_at": "04/01/2026", "status": "9"}, ["DATE_ORDER"]),
    ({"due_at": "04/01/2026"}, ["DUE_BEFORE_RECEIVED"]),
    ({"received_at": "05/01/0206", "unit_name": "Sở Nội vụ"}, ["DATE_RANGE"]),
    ({"received_at": "05/01/0206"}, ["DATE_RANGE"]),  # no commune of any name was valid then
    ({"received_at": "05/01/0206", "unit_name": "thị trấn Xuân An"}, ["DATE_RANGE"]),  # nor is this one today
    ({"received_at": "05/01/0206", "unit_name": "UBND xã Không Có Thật"}, ["UNKNOWN_UNIT"]),
    ({"due_at": "05/01/2062"}, ["DATE_RANGE"]),
    ({"returned_at": "05/01/1900", "finished_at": "09/01/2026", "status": "10"}, ["DATE_RANGE"]),
    ({"status": "9"}, ["FINISH_MISSING"]),
    ({"status": "10"}, ["FINISH_MISSING"]),
    ({"finished_at": "09/01/2026", "status": "4"}, ["FINISH_UNEXPECTED"]),
    ({"finished_at": "09/01/2026", "status": "2"}, ["FINISH_UNEXPECTED"]),
    ({"fee_amount": "0", "payment_method": "Trực tuyến"}, ["PAYMENT_WITHOUT_FEE"]),
]
case(
    "dates and states that cannot be",
    csv_list([dossier(f"H42.{n()}-260105-1", **cells) for cells, _ in IMPLAUSIBLE]),
    verdict=QUARANTINED,
    rows=(len(IMPLAUSIBLE), 0, len(IMPLAUSIBLE), 0, 0),
    refused={row: rules for row, (_, rules) in enumerate(IMPLAUSIBLE, start=2)},
    told={"CODE_DATE", "RETURNED_BEFORE_FINISHED"},  # warnings are told of refused rows too
)
PLAUSIBLE = [
    {"received_at": "10/04/2026", "due_at": "20/04/2026"},
    {"finished_at": "10/04/2026", "status": "9"},
    {"received_at": "05/01/2026 10:00", "finished_at": "05/01/2026 09:00", "status": "9"},  # by day, no contradiction
    {"received_at": "05/01/2026 10:00", "due_at": "05/01/2026 09:00"},
    {"status": "10", "returned_at": "09/01/2026"},
]
case(
    "dates on the edge",
    csv_list([dossier(f"H42.{n()}-260105-1", **cells) for cells in PLAUSIBLE]),
    rows=(len(PLAUSIBLE), len(PLAUSIBLE), 0, 0, 0),
    stated={6: {"finished_on": date(2026, 1, 9)}},
    told={"CODE_DATE"},
)
case(
    "what is odd but possible",
    csv_list(
        [
            dossier(f"H42.{n()}-260105-1", status="10", finished_at="09/01/2026", returned_at="08/01/2026"),
            dossier(f"H42.{n()}-250101-1"),
            dossier(f"H42.{n()}-260105-1", status="7"),
            dossier(f"H42.{n()}-260105-1", status="8"),
            dossier(f"H42.{n()}-260105-1", status="5"),
        ]
    ),
    rows=(5, 5, 0, 0, 0),
    told={"RETURNED_BEFORE_FINISHED", "CODE_DATE", "END_DATE_MISSING", "PAUSE_DATE_MISSING"},
)
RULE = {"DATE_ORDER": {"finished_at": "04/01/2026", "status": "9"}, "UNKNOWN_UNIT": {"unit_name": "xã Không Có"}}
case(
    "two columns swapped",
    csv_list(numbered(n(), 15) + numbered(n(), 6, **RULE["DATE_ORDER"])),
    verdict="rejected",
    reason="COLUMN_SWAP",
)
case(
    "more refused than sound",
    csv_list(numbered(n(), 10) + numbered(n(), 11, **RULE["UNKNOWN_UNIT"])),
    verdict="held",
    reason="QUARANTINE_SHARE",
)
case(
    "half refused",
    csv_list(numbered(n(), 10) + numbered(n(), 10, **RULE["UNKNOWN_UNIT"])),
    verdict=QUARANTINED,
    rows=(20, 10, 10, 0, 0),
    refused={row: ["UNKNOWN_UNIT"] for row in range(12, 22)},
)

# Units: name, day of receipt → code
BEFORE, AFTER = "30/06/2025", "01/07/2025"
UNITS = [
    ("18373", AFTER, "18373"), ("Tiên Điền", AFTER, "18373"), ("xã Tiên Điền", AFTER, "18373"),
    ("Xã Tiên Điền", AFTER, "18373"), ("UBND xã Tiên Điền", AFTER, "18373"), ("UBND Xã TIÊN ĐIỀN", AFTER, "18373"),
    ("Ủy ban nhân dân xã Tiên Điền", AFTER, "18373"), ("Uỷ ban nhân dân xã Tiên Điền", AFTER, "18373"),
    ("Trung tâm Phục vụ hành chính công xã Tiên Điền", AFTER, "18373"), ("UBND phường Thành Sen", AFTER, "18073"),
    ("xã Yên Hòa", AFTER, "18682"), ("xã Yên Hoà", AFTER, "18682"), ("UBND  xã   Cổ Đạm", AFTER, "18394"),
    ("thị trấn Tiên Điền", BEFORE, "18373"), ("UBND thị trấn Tiên Điền", BEFORE, "18373"), ("xã Xuân Yên", BEFORE, "18376"),
    ("18376", BEFORE, "18376"), ("phường Đại Nài", BEFORE, "18082"), ("Sở Nội vụ", AFTER, "42-SNV"),
    ("Sở Nội vụ", BEFORE, "42-SNV"), ("42-SNV", AFTER, "42-SNV"), ("Sở Nội vụ tỉnh Hà Tĩnh", AFTER, "42-SNV"),
    ("Sở Nông nghiệp và Môi trường", "01/03/2025", "42-SNNMT"),
]  # fmt: skip
case(
    "units",
    csv_list(
        [dossier(f"H42.{n()}-250701-1", unit_name=name, received_at=day, due_at="20/12/2025") for name, day, _ in UNITS]
    ),
    rows=(len(UNITS), len(UNITS), 0, 0, 0),
    told={"CODE_DATE"},
    stated={row: {"unit_code": code} for row, (_, _, code) in enumerate(UNITS, start=2)},
)
NO_UNITS = [
    ("xã Xuân Yên", AFTER), ("18376", AFTER), ("thị trấn Tiên Điền", AFTER), ("xã Tiên Điền", BEFORE),
    ("phường Tiên Điền", AFTER), ("Tien Dien", AFTER), ("xã Tiên Điền 2", AFTER), ("xã Tiên", AFTER), ("", AFTER),
    ("xã Tân Minh", AFTER), ("11779", AFTER), ("huyện Nghi Xuân", BEFORE), ("Hà Tĩnh", AFTER), ("42", AFTER),
    ("Sở Nông nghiệp và Môi trường", "28/02/2025"), ("Sở Kế hoạch và Đầu tư", AFTER), ("Văn phòng", AFTER),
]  # fmt: skip
case(
    "units of nowhere, of another province, or not on that day",
    csv_list(
        [dossier(f"H42.{n()}-250701-1", unit_name=name, received_at=day, due_at="20/12/2025") for name, day in NO_UNITS]
    ),
    verdict=QUARANTINED,
    rows=(len(NO_UNITS), 0, len(NO_UNITS), 0, 0),
    refused={
        row: ["SCOPE" if name in {"xã Tân Minh", "11779"} else "UNKNOWN_UNIT"]
        for row, (name, _) in enumerate(NO_UNITS, start=2)
    },
)


# Workbooks
def book(name: str, content: bytes, **expected: object) -> None:
    case(name, content, source="mot_cua_xlsx", **expected)


for kind in ("real", "text", "serial"):
    rows = numbered(
        n(),
        1,
        **{
            **FULL,
            **(
                {
                    "due_at": "12/01/2026",
                    "finished_at": "09/01/2026",
                    "returned_at": "09/01/2026",
                    "submitted_at": "05/01/2026",
                    "received_at": "05/01/2026",
                }
                if kind == "serial"
                else {}
            ),
        },
    )
    days_only = {"due_at": None, "finished_at": None, "returned_at": None} if kind == "serial" else {}
    book(f"{kind} dates", xlsx_list(rows, dates=kind), rows=(1, 1, 0, 0, 0), stated={2: {**FULL_STATE, **days_only}})
book(
    "a workbook of 1904",
    workbook(table(numbered(n(), 1, **FULL)), dates="real", epoch_1904=True),
    rows=(1, 1, 0, 0, 0),
    stated={2: FULL_STATE},
)
book(
    "real dates at midnight are days",
    xlsx_list(numbered(n(), 1, due_at="12/01/2026 00:00")),
    rows=(1, 1, 0, 0, 0),
    stated={2: {"due_on": date(2026, 1, 12), "due_at": None}},
)
WIDE = table(numbered(n(), 3))
book(
    "titles, blanks, totals, header again",
    workbook(
        [["UBND TỈNH"], ["Danh sách"], [], WIDE[0], WIDE[1], BLANK, WIDE[0], WIDE[2], WIDE[3], labelled("Tổng cộng")]
    ),
    rows=(6, 3, 0, 3, 0),
    stated={5: {"status": 4}, 8: {"status": 4}},
)
book(
    "numbers in cells of text",
    workbook(
        [
            [int(cell) if cell in {"4", "50000"} else cell for cell in row]
            for row in table(numbered(n(), 1, status="4", fee_amount="50000"))
        ]
    ),
    rows=(1, 1, 0, 0, 0),
    stated={2: {"status": 4, "fee_amount": 50_000}},
)
book("a list of text under a workbook's name", sound(n()), verdict="rejected", reason="TYPE_MISMATCH")
book("a workbook cut short", xlsx_list(numbered(n()))[:-200], verdict="rejected", reason="FILE_CORRUPT")
case("a workbook under a list's name", xlsx_list(numbered(n())), verdict="rejected", reason="TYPE_MISMATCH")


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        load(made, CASES)
        yield made


@pytest.mark.parametrize("file", CASES, ids=[f"{each.source}: {each.name}" for each in CASES])
def test_a_file_becomes_what_its_case_says(loaded: Warehouse, file: Case) -> None:
    check(loaded, file)


def test_rows_read_are_accepted_quarantined_dropped_or_duplicate_in_every_loaded_file(loaded: Warehouse) -> None:
    rows = [row for row in loaded.files().values() if row["verdict"].startswith("loaded")]
    assert len(rows) > 50
    for row in rows:
        parts = [row[f"rows_{part}"] for part in ("accepted", "quarantined", "dropped", "duplicate")]
        assert row["rows_read"] == sum(parts), row["file_name"]


def test_one_line_a_file_and_one_a_file_and_rule(loaded: Warehouse) -> None:
    key = "source_id, night, file_name, rule_id"
    assert loaded.query(f"select {key} from mart.data_quality group by {key} having count(*) > 1") == []
    assert loaded.value("select count(*) from mart.data_quality where rule_id is null") == len(CASES)


def test_every_failed_rule_and_refused_file_has_an_open_incident(loaded: Warehouse) -> None:
    failed = {rule for each in CASES for rules in each.refused.values() for rule in rules[:1]}
    failed |= {each.reason for each in CASES if each.reason} | {rule for each in CASES for rule in each.told}
    opened = {row["rule_id"] for row in loaded.query("select rule_id from alerts.incident where state = 'open'")}
    assert failed <= opened, failed - opened


def test_the_quarantine_names_the_heading_of_the_file_itself(warehouse: Warehouse) -> None:
    rows = [dossier("H42-260105-0001", received_at="31/02/2026")]
    warehouse.load(date(2026, 4, 10), {"mot_cua_csv/a.csv": csv_list(rows, {"received_at": "Nhận hồ sơ"})})
    (refused,) = warehouse.query("select column_name, reason from core.quarantine")
    assert refused["column_name"] == "Nhận hồ sơ" and "«Nhận hồ sơ»" in refused["reason"]
