"""Writers of the summary reports other than form II.06a: what portals count by unit or field, as workbook or JSON.

Written from the layouts' description, not from `tthc.simulation`: what both get right, two people read alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from exports import SYNTHETIC, workbook

Q1_DAYS = "Từ ngày 15/12/2025 đến ngày 14/3/2026"
Q1_FILE = "20251215_20260314"
_UNIT_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Tiếp nhận", ("Tổng", "Kỳ trước", "Trong kỳ", "Qua mạng", "Trực tiếp", "Qua BCCI")),
    ("Đã xử lý", ("Tổng", "Trước", "Đúng", "Quá", "Tỷ lệ trước hạn đúng hạn")),
    ("Đang xử lý", ("Tổng", "Trong hạn", "Quá hạn")),
)
DIGITISATION = (
    "Tiếp nhận", "Chưa số hóa TPHS", "Có số hóa TPHS", "Có tái sử dụng thành phần",
    "Có tái sử dụng thành phần từ cổng DVCQG", "Tỷ lệ số hóa TPHS", "Đã giải quyết", "Chưa số hóa", "Đã số hóa",
    "Tỷ lệ số hóa kết quả",
)  # fmt: skip
PAYMENT = (
    "Số TTHC có phí", "Số TTHC có phí phát sinh hồ sơ", "Số TTHC có phí phát sinh thanh toán",
    "Số TTHC có phí phát sinh TTTT", "Tổng HS thuộc TTHC có phí", "HS TTTT", "Tổng HS có NVTC",
    "Số HS đã TTTT cổng DVCQG", "Tỷ lệ",
)  # fmt: skip
OLD_07A = (
    "Số kỳ trước chuyển qua", "Số mới tiếp nhận", "Trả đúng thời hạn", "Trả quá hạn", "Chưa đến hạn", "Quá hạn",
    "Bổ sung", "Trả lại",
)  # fmt: skip
Row = Sequence[Any]


def share(numerator: int, denominator: int) -> str:
    """A displayed per cent of one decimal, a dash where nothing occurred: "99,9%"."""
    if denominator == 0:
        return "-"
    tenths = (2000 * numerator + denominator) // (2 * denominator)
    return f"{tenths // 10},{tenths % 10}%"


def unit_counts(
    *, before: int = 0, online: int = 0, counter: int = 0, post: int = 0, early: int = 0, on_time: int = 0,
    late: int = 0, in_time: int = 0, over: int = 0, supplement: int = 0, back: int = 0, paused: int | None = None,
) -> list[Any]:  # fmt: skip
    """The figures of one row of the unit summary (with `paused` of Tiến độ giải quyết); they must agree by themselves."""
    received, finished = online + counter + post, early + on_time + late
    assert before + received == finished + in_time + over + supplement + back + (paused or 0)
    row = [
        before + received, before, received, online, counter, post, finished, early, on_time, late,
        share(early + on_time, finished), in_time + over, in_time, over, supplement, back,
    ]  # fmt: skip
    return row if paused is None else [*row, paused]


def unit_summary(
    rows: Sequence[Row], *, period: str = Q1_DAYS, paused: bool = False, below: Sequence[Row] = (), name: str = "Đơn vị"
) -> bytes:
    """Báo cáo tổng hợp đơn vị: rows are [STT, unit, figures …]; a header of two merged rows and its numbers."""
    alone = ["Bổ sung", "Trả lại/Rút HS", *(["Tạm dừng xử lý"] if paused else [])]
    top, low, merges = ["STT", name], ["", ""], [(3, 0, 4, 0), (3, 1, 4, 1)]
    for group, headings in _UNIT_GROUPS:
        merges.append((3, len(top), 3, len(top) + len(headings) - 1))
        top += [group, *[""] * (len(headings) - 1)]
        low += headings
    merges += [(3, len(top) + place, 4, len(top) + place) for place in range(len(alone))]
    head = [
        [*top, *alone],
        [*low, *[""] * len(alone)],
        [f"({number})" for number in range(1, len(top) + len(alone) + 1)],
    ]
    cells = [[f"BÁO CÁO TỔNG HỢP ĐƠN VỊ – {SYNTHETIC}"], [f"({period})"], [], *head, *rows, *below]
    return workbook(cells, merges=merges)


def flat(
    headings: Sequence[str], rows: Sequence[Row], *, titles: Sequence[str] = (Q1_DAYS,), first: str = "Đơn vị"
) -> bytes:
    """A report whose header is one row."""
    return workbook([[f"BÁO CÁO – {SYNTHETIC}"], *([title] for title in titles), ["STT", first, *headings], *rows])


def records(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A portal's statistics as JSON."""
    return json.dumps(list(rows), ensure_ascii=False).encode()


def agency(code: str, name: str, **figures: Any) -> dict[str, Any]:
    """One object of the statistics of handling."""
    return {"agency": {"code": code, "name": name}, **figures}
