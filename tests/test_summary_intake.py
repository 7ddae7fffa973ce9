"""Summary reports that may come in, in every shape, and what a broken one is told: one line a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exports import counts, form_06a, workbook
from intake_cases import Case, check, load
from reports import (
    DIGITISATION,
    OLD_07A,
    PAYMENT,
    Q1_DAYS,
    Q1_FILE,
    agency,
    flat,
    records,
    share,
    unit_counts,
    unit_summary,
)
from warehouses import Warehouse, Warehouses

REPORTS, STATISTICS, FORMS = "bao_cao_tong_hop_xlsx", "thong_ke_json", "tong_hop_06a_xlsx"
CASES: list[Case] = []
ADDRESS: dict[str, str] = {}

ONE = unit_counts(
    before=2, online=5, counter=3, post=1, early=4, on_time=1, late=2, in_time=1, over=1, supplement=1, back=1
)
TWO = unit_counts(online=1234, early=1200, late=34)
BOTH = [a + b if isinstance(a, int) else share(1205, 1241) for a, b in zip(ONE, TWO, strict=True)]
ROWS = [["1", "UBND xã Tiên Điền", *ONE], ["2", "xã Cổ Đạm", *TWO]]


def report(name: str, content: bytes, *, source: str = REPORTS, at: str = "", **expected: Any) -> None:
    """`at`: the cell that the sentence of a refusal names."""
    CASES.append(Case(name, content, source=source, **expected))
    if at:
        ADDRESS[name] = at


def refused(name: str, content: bytes, reason: str, at: str = "", *, source: str = REPORTS) -> None:
    report(name, content, source=source, verdict="rejected", reason=reason, at=at)


def spoilt(place: int, value: Any) -> list[list[Any]]:
    """The rows with one figure of the first unit replaced; `place` counts figures from 0 (column C)."""
    return [["1", "UBND xã Tiên Điền", *ONE[:place], value, *ONE[place + 1 :]], ROWS[1]]


# Good ones
report("two units", unit_summary(ROWS), rows=(3, 2, 0, 1, 0))
report("a total below", unit_summary([*ROWS, ["", "Tổng số", *BOTH]]), rows=(4, 2, 0, 2, 0))
report("a total above", unit_summary([["", "Tổng cộng", *BOTH], *ROWS]), rows=(4, 2, 0, 2, 0))
report(
    "sections that are sums",
    unit_summary([["I", "Cấp tỉnh", *TWO], ["1", "Sở Nội vụ", *TWO], ["II", "Cấp xã", *BOTH], *ROWS]),
    rows=(6, 3, 0, 3, 0),
)
report(
    "sections that only say what follows",
    unit_summary([["A", "Khối xã"], ["I", "Hương Sơn"], *ROWS]),
    rows=(5, 2, 0, 3, 0),
)
report("numbered by roman numbers", unit_summary([["I", *ROWS[0][1:]], ["II.", *ROWS[1][1:]]]), rows=(3, 2, 0, 1, 0))
report(
    "notes and signatures below",
    unit_summary(
        [*ROWS, ["", "Tổng số", *BOTH]],
        below=[["Ghi chú: số liệu giả"], [], ["", "Người lập biểu", *[""] * 9, "Hà Tĩnh, ngày 14 tháng 3 năm 2026"]],
    ),
    rows=(7, 2, 0, 5, 0),
)
report("thousands with dots", unit_summary([*spoilt(0, "11"), ["3", "xã Can Lộc", *[f"{n:,}".replace(",", ".") if isinstance(n, int) else n for n in TWO]]]), rows=(4, 3, 0, 1, 0))  # fmt: skip
report("a dash and an empty cell are nothing", unit_summary([["1", "xã Can Lộc", *[n or "-" for n in TWO]], ["2", "Sở Nội vụ", *[n or "" for n in TWO]]]), rows=(3, 2, 0, 1, 0))  # fmt: skip
report("a share instead of a per cent", unit_summary(spoilt(10, 5 / 7)), rows=(3, 2, 0, 1, 0))
report("a per cent of two decimals", unit_summary(spoilt(10, "71,43%")), rows=(3, 2, 0, 1, 0))
report("counts as 12.0", unit_summary(spoilt(0, "11,0")), rows=(3, 2, 0, 1, 0))
report(
    "a calendar month",
    unit_summary(ROWS, period="Tháng 3/2026 (từ ngày 01/03/2026 đến ngày 31/03/2026)"),
    rows=(3, 2, 0, 1, 0),
)
report("days in words", unit_summary([["1", "xã Can Lộc", *ONE]], period="Từ ngày 15 tháng 12 năm 2025 đến ngày 14 tháng 3 năm 2026"), rows=(2, 1, 0, 1, 0))  # fmt: skip
report("paused in a column of its own", unit_summary([["1", "xã Tiên Điền", *unit_counts(online=3, early=1, paused=2)]], paused=True), rows=(2, 1, 0, 1, 0))  # fmt: skip
report(
    "one unit that nobody knows",
    unit_summary([*ROWS, ["3", "Chi nhánh không có", *ONE], ["", "Tổng số", *[
        a + b if isinstance(a, int) else share(1210, 1248) for a, b in zip(BOTH, ONE, strict=True)
    ]]]),
    verdict="loaded_with_quarantine",
    rows=(5, 2, 1, 2, 0),
    refused={9: ["UNKNOWN_UNIT"]},
)  # fmt: skip
report(
    "old 07a",
    flat(OLD_07A, [["1", "Hộ tịch", 2, 9, 5, 2, 1, 1, 1, 1], ["2", "Đất đai", 0, 1, 0, 0, 1, 0, 0, 0]],
         titles=("Đơn vị: xã Tiên Điền", Q1_DAYS), first="Lĩnh vực"),
    rows=(2, 2, 0, 0, 0),
)  # fmt: skip
DIGITISED = ["1", "xã Tiên Điền", 9, 2, 7, 1, 1, share(7, 9), 6, 1, 5, share(5, 6)]
report("digitisation", flat(DIGITISATION, [DIGITISED]), rows=(1, 1, 0, 0, 0))
PAID = ["1", "xã Tiên Điền", 40, 12, 9, 7, 120, 60, 90, 30, share(60, 90)]
report("payment", flat(PAYMENT, [PAID, ["2", "xã Cổ Đạm", *PAID[2:]]]), rows=(2, 2, 0, 0, 0))
report(
    "procedures do not add up over units",
    flat(
        PAYMENT, [PAID, ["2", "xã Cổ Đạm", *PAID[2:]], ["", "Tổng số", 41, 13, 9, 7, 240, 120, 180, 60, share(60, 90)]]
    ),
    rows=(3, 2, 0, 1, 0),
)
report("form 06b by unit", form_06a([("xã Tiên Điền", counts(online=3, early=3)), ("xã Cổ Đạm", counts(direct=2, in_time=2))], heading="Đơn vị"), rows=(3, 2, 0, 1, 0))  # fmt: skip
HANDLED = agency("18373", "UBND xã Tiên Điền", received=9, resolved=7, receivedOnline=5, receivedDirect=4, resolvedOverdue=2)  # fmt: skip
report(f"xu-ly_{Q1_FILE}", records([HANDLED]), source=STATISTICS, rows=(1, 1, 0, 0, 0))
report(
    f"so-hoa_{Q1_FILE}",
    records([
        {
            "agency": {"code": "18373", "name": "xã Tiên Điền"}, "totalReceiver": 9, "totalReceiverHavingFile": 7,
            "totalReceiverNopeFile": 2, "totalComplete": 6, "totalCompleteHavingFile": 5, "totalCompleteNopeFile": 1,
            "totalReceiverCompleteHavingFile": 4, "percentReceiverHavingFile": 77.78, "percentCompleteHavingFile": 83.33,
            "percentReceiverCompleteHavingFile": 44.44,
        }
    ]),
    source=STATISTICS,
    rows=(1, 1, 0, 0, 0),
)  # fmt: skip
ONLINE = {"phatsinh_1phan_quantity": 1, "phatsinh_toanphan_quantity": 4, "total": 5}
report(
    f"truc-tuyen_{Q1_FILE}",
    records([{"agency_name": "UBND xã Tiên Điền", **ONLINE}, {"agency_name": "Tiên", **ONLINE}]),
    source=STATISTICS,
    verdict="loaded_with_quarantine",
    rows=(2, 1, 1, 0, 0),
    refused={2: ["UNKNOWN_UNIT"]},
)

# Broken ones: parts and wholes
refused("all in all", unit_summary(spoilt(0, 12)), "IDENTITY", "ô C7")
refused("channels", unit_summary(spoilt(3, 6)), "IDENTITY", "ô E7")
refused("handled", unit_summary(spoilt(7, 5)), "IDENTITY", "ô I7")
refused("open", unit_summary(spoilt(12, 2)), "IDENTITY", "ô N7")
refused("what became of all", unit_summary(spoilt(14, 2)), "IDENTITY", "ô C7")
refused("a per cent that is none of these", unit_summary(spoilt(10, "71,5%")), "PERCENT", "ô M7")
refused("a per cent cut off", unit_summary([["1", "xã Tiên Điền", *unit_counts(online=3, early=2, late=1)[:10], "66,6%", *unit_counts(online=3, early=2, late=1)[11:]]]), "PERCENT", "ô M7")  # fmt: skip
refused("a rate in words", unit_summary(spoilt(10, "cao")), "NUMBER_FORMAT", "ô M7")
refused("a total that is none", unit_summary([*ROWS, ["", "Tổng số", *ONE]]), "TOTAL_MISMATCH", "ô C9")
refused("a section that is no sum", unit_summary([["I", "Cấp xã", *ONE], *ROWS]), "TOTAL_MISMATCH", "ô C7")
refused("a total of another per cent", unit_summary([*ROWS, ["", "Tổng số", *BOTH[:10], share(1, 2), *BOTH[11:]]]), "PERCENT", "ô M9")  # fmt: skip
refused("paused and not in the sum", unit_summary([["1", "xã Tiên Điền", *ONE, 1]], paused=True), "IDENTITY", "ô C7")
refused("07a", flat(OLD_07A, [["1", "Hộ tịch", 2, 9, 5, 2, 1, 1, 1, 2]], titles=("Đơn vị: xã Tiên Điền", Q1_DAYS), first="Lĩnh vực"), "IDENTITY", "ô C5")  # fmt: skip
refused("digitised and not", flat(DIGITISATION, [[*DIGITISED[:4], 8, *DIGITISED[5:]]]), "IDENTITY", "ô C4")
refused("paid", flat(PAYMENT, [[*PAID[:7], 61, *PAID[8:]]]), "PERCENT", "ô K4")
refused(
    f"lech_{Q1_FILE}",
    records([{**HANDLED, "received": 8}]),
    "IDENTITY",
    "bản ghi 1, trường «received»",
    source=STATISTICS,
)
# Cells
for name, cell in (("negative", -1), ("grouped by commas", "1,234"), ("a fraction", 1.5), ("a word", "mười"), ("too large", 10**10), ("thousandths", "1,000"), ("other digits", "١")):  # fmt: skip
    refused(f"a count: {name}", unit_summary(spoilt(4, cell)), "NUMBER_FORMAT", "ô G7")
# Units and fields
refused("a unit told twice", unit_summary([*ROWS, ["3", "Ủy ban nhân dân xã Tiên Điền", *ONE]]), "REPEATED_ROW", "ô B9")
for name, field_name in (("an asterisk", "*"), ("nothing", ""), ("a broken character", "Hộ t\ufffdch"), ("a page", "x" * 301)):  # fmt: skip
    refused(
        f"a field called {name}",
        form_06a([(field_name, counts(direct=1, early=1))]),
        "FIELD_NAME",
        "ô B8",
        source=FORMS,
    )
refused("a field told twice", form_06a([("Hộ tịch", counts(direct=1, early=1)), ("HỘ TỊCH", counts(direct=1, early=1))]), "REPEATED_ROW", "ô B9", source=FORMS)  # fmt: skip
# Periods
refused("no period of any calendar", unit_summary(ROWS, period="Từ ngày 01/01/2026 đến ngày 15/02/2026"), "PERIOD")
refused("a day that does not exist", unit_summary(ROWS, period="Từ ngày 01/02/2026 đến ngày 31/02/2026"), "PERIOD")
refused("a name without days", unit_summary(ROWS, period="Quý I/2026"), "PERIOD")
refused(
    "a name and other days", unit_summary(ROWS, period="Quý II/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"), "PERIOD"
)
refused("days in words and none of a period", unit_summary(ROWS, period="Từ ngày 16 tháng 12 năm 2025 đến ngày 14 tháng 3 năm 2026"), "PERIOD")  # fmt: skip
refused("a period to come", unit_summary(ROWS, period="Từ ngày 15/6/2026 đến ngày 14/9/2026"), "PERIOD")
refused("no period at all", unit_summary(ROWS, period="Số liệu giả"), "MISSING_TITLE")
refused("a file without days in its name", records([HANDLED, HANDLED]), "MISSING_TITLE", source=STATISTICS)
refused("xu-ly_20260101_20260215", records([{**HANDLED, "resolved": 6}]), "PERIOD", source=STATISTICS)
# Shapes that are none
refused(
    "a column missing",
    workbook([[Q1_DAYS], ["STT", "Đơn vị", "Tiếp nhận"], ["1", "xã Tiên Điền", 3]]),
    "MISSING_COLUMN",
)


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        load(made, CASES)
        yield made


@pytest.mark.parametrize("file", CASES, ids=[f"{each.source}: {each.name}" for each in CASES])
def test_a_report_becomes_what_its_case_says(loaded: Warehouse, file: Case) -> None:
    check(loaded, file)
    if file.name in ADDRESS:
        detail = loaded.value(
            "select detail from core.delivery where file_name = :name", name=file.path.partition("/")[2]
        )
        assert ADDRESS[file.name] in detail, detail
