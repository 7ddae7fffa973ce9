"""What the page of definitions says beside the registries: treatments and drawn cases in the words of its readers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from tthc.domain.period import PeriodCalendar, periods_of_year
from tthc.reference.index_766 import read_index_bands, read_index_components
from tthc.reference.kpis import TREATMENTS
from tthc.reference.manual import read_indicators
from tthc.reference.questions import questions
from tthc.serving import wording
from tthc.settings import Settings

TREATMENT_NAMES = {
    "kind": "Loại", "event": "Sự kiện", "no_due": "Không có ngày hẹn", "awaiting_supplement": "Chờ bổ sung (5)",
    "awaiting_payment": "Chờ nghĩa vụ tài chính (6)", "withdrawn": "Rút (7)", "stopped": "Dừng xử lý (8)",
    "refused": "Chưa, không tiếp nhận (1, 3)", "compare": "So với ngày hẹn", "supplements": "Bổ sung hơn một lần",
}  # fmt: skip
TREATMENT_WORDS = {
    "flow": "phát sinh", "stock": "tồn", "receipt": "tiếp nhận", "end": "kết thúc (xong hoặc rút)",
    "finish": "xong (9, 10)", "cut_off": "ngày chốt", "in_time": "coi là trong hạn",
    "longest_time": "so với thời hạn của thủ tục", "not_counted": "không tính", "counted": "tính như hồ sơ khác",
    "request_is_end": "ngày yêu cầu là ngày kết thúc", "alone": "chỉ tính loại này", "tested": "so với ngày hẹn",
    "day": "theo ngày", "instant": "theo giờ nếu cả hai có giờ", "none": "không so", "late": "quá hạn",
    "no_effect": "không ảnh hưởng",
}  # fmt: skip
_HEADINGS = {
    "dossier": "Hồ sơ", "trap": "Tình huống", "told": "Đêm xuất", "received": "Tiếp nhận", "due": "Hẹn trả",
    "finished": "Kết thúc xử lý", "returned": "Trả kết quả", "status": "Trạng thái",
    "asked": "Yêu cầu bổ sung (lần: ngày cuối)",
    "max": "Thời hạn (ngày làm việc)", "channel": "Hình thức nộp", "level": "Mức độ", "fee": "Phí",
    "paid": "Thanh toán", "parts": "Số hóa thành phần", "result": "Số hóa kết quả", "e-result": "Kết quả điện tử",
    "reused": "Tái sử dụng", "yields": "Thủ tục có kết quả", "= 06A": "Biểu 06a", "= 766": "Bộ chỉ số 766",
}  # fmt: skip
_CELLS = {
    "received": "nhận trong kỳ", "carried over": "từ kỳ trước", "early": "đã giải quyết trước hạn",
    "on time": "đã giải quyết đúng hạn", "late": "đã giải quyết quá hạn", "withdrawn": "đã giải quyết đúng hạn (rút)",
    "in time": "đang giải quyết trong hạn", "overdue": "đang giải quyết quá hạn",
    "stopped": "đang giải quyết trong hạn (dừng)",
}  # fmt: skip
_INDEX_CELLS = {"in time": "trong hạn", "late": "quá hạn"}
_EXPECTED = re.compile(r"(= \S+)(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTable:
    """Dossiers and how they are counted, drawn as a table; expectations stand last. `name` is that of its test."""

    name: str
    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]


def explanations(settings: Settings) -> dict[str, Any]:
    """What the template shows beside metrics and periods. Raises ReferenceFault."""
    return {
        "topics": questions(),
        "treatments": [name for name in TREATMENTS if name in TREATMENT_NAMES],
        "treatment_names": TREATMENT_NAMES,
        "treatment_words": TREATMENT_WORDS,
        "cases": list(_cases()),
        "case_titles": {table["name"]: table["title_vi"] for group in _drawn() for table in group["tables"]},
        "components": read_index_components(settings),
        "bands": read_index_bands(settings),
        "indicators": list(read_indicators(settings).values()),
    }


def spans(year: int) -> list[tuple[str, list[str]]]:
    """Each period of a year by name, with its first and last day in each calendar."""
    found: dict[tuple[str, str], list[str]] = {}
    for calendar in PeriodCalendar:
        for period in periods_of_year(calendar, year):
            span = f"{wording.day(period.start)} – {wording.day(period.end)}"
            found.setdefault((str(period.kind), period.label), []).append(span)
    return [(wording.period_name(kind, label), days) for (kind, label), days in found.items()]


def marked(text: str) -> Markup:
    """Escaped text in which what stands in backquotes is code."""
    parts = (escape(part) for part in text.split("`"))
    return Markup("").join(  # every part is escaped above
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


@cache
def _drawn() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
    return found


def _cases() -> Iterator[tuple[str, list[DrawnTable]]]:
    for group in _drawn():
        yield group["title_vi"], [_table(table) for table in group["tables"]]


def _table(table: Mapping[str, Any]) -> DrawnTable:
    seen = f" Đêm dữ liệu {table['night']}/2026." if table["night"] else ""
    heading = table["heading"]
    return DrawnTable(
        name=table["name"],
        title=f"{table['title_vi']}.{seen}",
        heading=[_heading(name) for name in heading],
        rows=[[_cell(name, cell) for name, cell in zip(heading, row, strict=True)] for row in table["rows"]],
    )


def _heading(name: str) -> str:
    """ "= 06A [2026-Q2]" → "Biểu 06a [2026-Q2]"; a metric keeps its name."""
    known = _EXPECTED.fullmatch(name)
    if known and known[1] in _HEADINGS:
        return _HEADINGS[known[1]] + known[2]
    return name.removeprefix("= ") if known else _HEADINGS.get(name, name)


def _cell(name: str, cell: str) -> str:
    if name == "trap":
        return wording.vietnamese(cell)
    if name == "yields":
        return "không" if cell == "no" else ""
    if not name.startswith(("= 06A", "= 766")):
        return cell
    if cell == "-":
        return "không tính"
    words = _INDEX_CELLS if name.startswith("= 766") else _CELLS
    return ", ".join(words.get(word, word) for word in cell.split(", "))
