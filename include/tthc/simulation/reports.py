"""Summary reports as one-stop systems and portals would make them for a closed quarter, from the true counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from tthc.domain.period import ReportingPeriod
from tthc.simulation.lists import MARK
from tthc.simulation.summaries import period_title

REPORTS, STATISTICS = "bao_cao_tong_hop_xlsx", "thong_ke_json"
Counts = Mapping[str, int]
# A column: its heading, and the measure it counts, or numerators and denominator of a displayed per cent.
_Shown = tuple[str, str | tuple[tuple[str, ...], str]]
_UNIT_SUMMARY: tuple[tuple[str, tuple[_Shown, ...]], ...] = (
    (
        "Tiếp nhận",
        (
            ("Tổng", "received_total"),
            ("Kỳ trước", "carried_over"),
            ("Trong kỳ", "received"),
            ("Qua mạng", "received_online"),
            ("Trực tiếp", "received_counter"),
            ("Qua BCCI", "received_postal"),
        ),
    ),
    (
        "Đã xử lý",
        (
            ("Tổng", "finished_total"),
            ("Trước", "finished_early"),
            ("Đúng", "finished_on_time"),
            ("Quá", "finished_late"),
            ("Tỷ lệ trước hạn đúng hạn", (("finished_early", "finished_on_time"), "finished_total")),
        ),
    ),
    (
        "Đang xử lý",
        (("Tổng", "active_total"), ("Trong hạn", "active_in_time"), ("Quá hạn", "in_progress_overdue")),
    ),
    ("", (("Bổ sung", "supplement"), ("Trả lại/Rút HS", "returned_withdrawn"))),
)
_DIGITISATION: tuple[tuple[str, tuple[_Shown, ...]], ...] = (
    (
        "",
        (
            ("Tiếp nhận", "received"),
            ("Chưa số hóa TPHS", "components_not_digitised"),
            ("Có số hóa TPHS", "components_digitised"),
            ("Có tái sử dụng thành phần", "data_reused"),
            ("Tỷ lệ số hóa TPHS", (("components_digitised",), "received")),
            ("Đã giải quyết", "resolved_any"),
            ("Chưa số hóa", "result_any_not_digitised"),
            ("Đã số hóa", "result_any_digitised"),
            ("Tỷ lệ số hóa kết quả", (("result_any_digitised",), "resolved_any")),
        ),
    ),
)
_PAYMENT: tuple[tuple[str, tuple[_Shown, ...]], ...] = (
    (
        "",
        (
            ("Số TTHC có phí", "fee_procedures"),
            ("Số TTHC có phí phát sinh hồ sơ", "fee_procedures_used"),
            ("Số TTHC có phí phát sinh thanh toán", "fee_procedures_paid"),
            ("Số TTHC có phí phát sinh TTTT", "fee_procedures_paid_online"),
            ("Tổng HS thuộc TTHC có phí", "fee_procedure_dossiers"),
            ("HS TTTT", "obliged_paid_online"),
            ("Tổng HS có NVTC", "obliged_dossiers"),
            ("Tỷ lệ", (("obliged_paid_online",), "obliged_dossiers")),
        ),
    ),
)
_WORKBOOKS = (
    ("tong-hop-don-vi", "BÁO CÁO TỔNG HỢP ĐƠN VỊ", _UNIT_SUMMARY),
    ("so-hoa", "CHỈ TIÊU SỐ HÓA", _DIGITISATION),
    ("thanh-toan", "THANH TOÁN TRỰC TUYẾN", _PAYMENT),
)
_HANDLING = (
    ("received", "received"),
    ("resolved", "resolved_any"),
    ("receivedOnline", "received_online"),
    ("receivedDirect", "received_direct"),
    ("resolvedOverdue", "finished_late"),
)
_FILES = (
    ("totalReceiver", "received"),
    ("totalReceiverHavingFile", "components_digitised"),
    ("totalReceiverNopeFile", "components_not_digitised"),
    ("totalComplete", "resolved_any"),
    ("totalCompleteHavingFile", "result_any_digitised"),
    ("totalCompleteNopeFile", "result_any_not_digitised"),
    ("totalReceiverCompleteHavingFile", "fully_any_digitised"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCounts:
    """A unit as reports name it, and its true counts."""

    unit_code: str
    unit_name: str
    counts: Counts


def write_reports(directory: Path, units: Sequence[UnitCounts], quarter: ReportingPeriod, night: date) -> None:
    """Three workbooks and three JSON files about all units, below `directory/<source>`."""
    if not units:
        return
    for source in (REPORTS, STATISTICS):
        (directory / source).mkdir(parents=True, exist_ok=True)
    for name, title, groups in _WORKBOOKS:
        _write_workbook(directory / REPORTS / f"{name}.xlsx", title, groups, units, quarter, night)
    days = f"{quarter.start:%Y%m%d}_{quarter.end:%Y%m%d}"
    statistics = {
        "xu-ly": [_agency(unit) | {name: unit.counts.get(measure, 0) for name, measure in _HANDLING} for unit in units],
        "so-hoa": [_agency(unit) | {name: unit.counts.get(measure, 0) for name, measure in _FILES} for unit in units],
        "truc-tuyen": [_online(unit) for unit in units],
    }
    for name, rows in statistics.items():
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        (directory / STATISTICS / f"{name}_{days}.json").write_text(text, encoding="utf-8")


def percent(numerator: int, denominator: int) -> str:
    """A displayed per cent: one decimal, half up, decimal comma ("99,9%"); a dash where nothing occurred."""
    if denominator == 0:
        return "-"
    shown = (Decimal(100 * numerator) / Decimal(denominator)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{shown}%".replace(".", ",")


def _agency(unit: UnitCounts) -> dict[str, Any]:
    return {"agency": {"code": unit.unit_code, "name": unit.unit_name}}


def _online(unit: UnitCounts) -> dict[str, Any]:
    return {
        "agency_name": unit.unit_name,
        "phatsinh_1phan_quantity": unit.counts.get("arisen_partial", 0),
        "phatsinh_toanphan_quantity": unit.counts.get("arisen_full", 0),
        "total": unit.counts.get("arisen_total", 0),
    }


def _write_workbook(
    path: Path,
    title: str,
    groups: Sequence[tuple[str, Sequence[_Shown]]],
    units: Sequence[UnitCounts],
    quarter: ReportingPeriod,
    night: date,
) -> None:
    """Titles, a header (of two merged rows where columns are grouped), a row a unit, the total row."""
    shown = [column for _, columns in groups for column in columns]
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"title": MARK, "created": datetime.combine(night, time(20))})
        head = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "text_wrap": True, "border": 1})
        sheet = book.add_worksheet("Báo cáo")
        sheet.write_string(0, 0, f"{title} – {MARK}")
        sheet.write_string(1, 0, f"Kỳ báo cáo: {period_title(quarter)}")
        first = 3 + _write_header(sheet, groups, head)
        total = {name: sum(unit.counts.get(name, 0) for unit in units) for _, name in shown if isinstance(name, str)}
        rows = [(str(number), unit.unit_name, unit.counts) for number, unit in enumerate(units, start=1)]
        for line, (number, name, counts) in enumerate([*rows, ("", "Tổng số", total)], start=first):
            sheet.write_row(line, 0, [number, name, *(_cell(what, counts) for _, what in shown)])


def _write_header(sheet: Any, groups: Sequence[tuple[str, Sequence[_Shown]]], head: Any) -> int:
    """Write the header from the fourth row on; how many rows it has."""
    depth = 2 if any(group for group, _ in groups) else 1
    alone = [("STT", 0), ("Đơn vị", 1)]
    place = 2
    for group, columns in groups:
        if group:
            sheet.merge_range(3, place, 3, place + len(columns) - 1, group, head)
            sheet.write_row(4, place, [heading for heading, _ in columns], head)
        else:
            alone += [(heading, place + offset) for offset, (heading, _) in enumerate(columns)]
        place += len(columns)
    for heading, column in alone:
        if depth == 2:
            sheet.merge_range(3, column, 4, column, heading, head)
        else:
            sheet.write_string(3, column, heading, head)
    return depth


def _cell(what: str | tuple[tuple[str, ...], str], counts: Counts) -> int | str:
    if isinstance(what, str):
        return counts.get(what, 0)
    numerators, denominator = what
    return percent(sum(counts.get(name, 0) for name in numerators), counts.get(denominator, 0))
