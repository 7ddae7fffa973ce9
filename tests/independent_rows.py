"""Reads the public layouts row by row, by the pages alone: what each delivery says of each dossier, and what a form says.

Nothing of the product is imported but its reference data files. Where the pages leave the acceptance of a row open,
the nights of `ten_nights.py` hold no such row, and this reader raises rather than guesses.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

REFERENCE = Path(__file__).resolve().parents[1] / "include" / "reference"
SOURCES = ("mot_cua_xlsx", "mot_cua_csv", "dvcqg_json")  # the order of trust, as sources.toml lists them
FORM = "tong_hop_06a_xlsx"
COUNTS = (
    "received_total", "received_online", "received_direct", "carried_over", "resolved_total", "resolved_early",
    "resolved_on_time", "resolved_late", "in_progress_total", "in_progress_in_time", "in_progress_overdue",
)  # fmt: skip
_LISTS = {
    "Mã hồ sơ": "code", "Mã TTHC": "procedure", "Lĩnh vực": "field", "Đơn vị tiếp nhận": "unit",
    "Ngày tiếp nhận": "received", "Ngày hẹn trả": "due", "Ngày kết thúc xử lý": "finished",
    "Ngày trả kết quả": "returned", "Hình thức nộp": "channel", "Mức độ DVC": "level", "Trạng thái": "status",
    "Số lần bổ sung": "supplements", "Ngày yêu cầu bổ sung": "requested", "Phí, lệ phí": "fee",
    "Hình thức thanh toán": "method", "Số hóa thành phần hồ sơ": "components", "Số hóa kết quả": "result",
    "Kết quả điện tử": "electronic", "Tái sử dụng dữ liệu": "reused",
}  # fmt: skip
_CHANNELS = {"Trực tiếp": 1, "Trực tuyến": 2, "Bưu chính công ích (BCCI)": 3, "1": 1, "2": 2, "3": 3, "": 1}
_LEVELS = {"Toàn trình": "toan_trinh", "Một phần": "mot_phan", "Cung cấp thông tin": "thong_tin", "": ""}
_STATUSES = {
    "Mới đăng ký": 1, "Được tiếp nhận": 2, "Không được tiếp nhận": 3, "Đang xử lý": 4, "Yêu cầu bổ sung giấy tờ": 5,
    "Yêu cầu thực hiện nghĩa vụ tài chính": 6, "Công dân yêu cầu rút hồ sơ": 7, "Dừng xử lý": 8, "Đã xử lý xong": 9,
    "Đã trả kết quả": 10,
}  # fmt: skip
_DATES = ("received", "due", "finished", "returned", "requested")
_YES = {"Có": True, "x": True, "1": True, "Không": False, "0": False, "": False}


@dataclass(frozen=True)
class Moment:
    """A day of the desk and, where the cell told one, the time of day; midnight tells none."""

    day: date
    at: time | None = None


@dataclass(frozen=True)
class State:
    """What one row says of a dossier. `unit` is a code; `field` is empty where the row names none."""

    code: str
    procedure: str
    field: str
    unit: str
    status: int
    received: Moment | None
    due: Moment | None
    finished: Moment | None
    returned: Moment | None
    channel: int
    level: str
    supplements: int
    requested: Moment | None
    fee: int
    paid_online: bool
    components: bool
    result: bool
    electronic: bool
    reused: bool


@dataclass(frozen=True)
class Form:
    """A form II.06a: the counts of each field row and, under `*`, of all."""

    unit: str
    start: date
    end: date
    rows: Mapping[str, Mapping[str, int]]


def fold(text: str) -> str:
    """Names are compared after NFC, case, dash and space folding."""
    text = unicodedata.normalize("NFC", text).casefold().replace("\u00a0", " ")
    return " ".join(re.sub(r"\s*[-‐‑–—]\s*", " - ", text).split())


_KEYS = {
    "units.csv": ("unit_code", "valid_from"), "unit_successions.csv": ("old_code", "new_code", "effective_date"),
    "agencies.csv": ("alias", "valid_from"), "procedures.csv": ("procedure_code",), "calendar.csv": ("date",),
}  # fmt: skip


def table(name: str, overlay: Path | None = None) -> list[dict[str, str]]:
    """The rows of a reference file, those of the overlay in place of shipped ones of the same key."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for folder in (REFERENCE, overlay):
        if folder is not None and (folder / name).is_file():
            for row in csv.DictReader(io.StringIO((folder / name).read_text("utf-8"))):
                rows[tuple(row[column] for column in _KEYS[name])] = row
    return list(rows.values())


class Places:
    """Finds units by code or alias, then by exact name with the usual prefixes, valid on the day of receipt."""

    def __init__(self, overlay: Path | None, province: str = "42") -> None:
        self.units = [row for row in table("units.csv", overlay) if row["province_code"] == province]
        self._aliases = [(fold(row["alias"]), row) for row in table("agencies.csv", overlay)]
        self._names: dict[str, list[dict[str, str]]] = {}
        self._units_below = [unit for unit in self.units if unit["level"] != "province"]
        for unit in self._units_below:
            forms = {unit["name"], *([f"{unit['kind']} {unit['name']}"] if unit["level"] == "commune" else [])}
            prefixes = ("", "UBND ", "Ủy ban nhân dân ", "Trung tâm Phục vụ hành chính công ")
            for form in {prefix + form for form in forms for prefix in prefixes}:
                self._names.setdefault(fold(form), []).append(unit)

    def alias(self, text: str, day: date) -> str | None:
        hits = {row["unit_code"] for name, row in self._aliases if name == fold(text) and _valid(row, day)}
        return hits.pop() if len(hits) == 1 else None

    def find(self, text: str, day: date) -> str | None:
        hits = {row["unit_code"] for row in self._names.get(fold(text), ()) if _valid(row, day)}
        if any(row["unit_code"] == text and _valid(row, day) for row in self._units_below):
            return text
        return self.alias(text, day) or (hits.pop() if len(hits) == 1 else None)


def _valid(row: Mapping[str, str], day: date) -> bool:
    return row["valid_from"] <= day.isoformat() <= (row["valid_to"] or "9999")


def _moment(cell: Any) -> Moment | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime | date):
        at = cell.time() if isinstance(cell, datetime) else time()
        day = cell.date() if isinstance(cell, datetime) else cell
        return Moment(day, at if at != time() else None)
    for pattern in ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y%m%d%H%M%S"):
        try:
            return _moment(datetime.strptime(str(cell), pattern))
        except ValueError:
            continue
    raise AssertionError("a date of no declared form")


def _number(cell: Any) -> int:
    return int(cell) if isinstance(cell, int | float) else int((cell or "0").replace(".", ""))


def _list_rows(grid: list[list[Any]]) -> Iterator[dict[str, Any]]:
    head = next(number for number, line in enumerate(grid) if "Mã hồ sơ" in [str(cell) for cell in line])
    names = [_LISTS.get(unicodedata.normalize("NFC", str(cell))) for cell in grid[head]]
    for line in grid[head + 1 :]:
        cells = (unicodedata.normalize("NFC", cell).strip() if isinstance(cell, str) else cell for cell in line)
        row = {name: cell for name, cell in zip(names, cells, strict=True) if name}
        row["status"] = _STATUSES.get(row["status"]) or int(row["status"])
        row["channel"] = _CHANNELS[row["channel"]]
        row["level"] = _LEVELS[row["level"]]
        row["method"] = row["method"] == "Trực tuyến"
        for name in ("components", "result", "electronic", "reused"):
            row[name] = _YES[row[name]]
        yield row


def _json_rows(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        papers, supplements = record["TaiLieuNop"], record["DanhSachHoSoBoSung"]
        has_result = any(paper["DuongDanTepTinKetQua"] for paper in record["DanhSachGiayToKetQua"])
        yield {
            "code": record["MaHoSo"], "procedure": record["MaTTHC"], "field": record["TenLinhVuc"],
            "unit": record["DonViXuLy"], "received": record["NgayTiepNhan"], "due": record["NgayHenTra"],
            "finished": record["NgayKetThucXuLy"], "returned": record["NgayTra"], "level": "",
            "channel": _CHANNELS[record["KenhThucHien"]], "status": int(record["TrangThaiHoSo"]),
            "supplements": len(supplements), "requested": max((s["NgayBoSung"] for s in supplements), default=""),
            "fee": sum(int(fee["Gia"]) for fee in record["DanhSachLePhi"]) if record["DanhSachLePhi"] else None,
            "method": record["DuocThanhToanTrucTuyen"] in ("1", "2"),
            "components": record["HoSoCoThanhPhanSoHoa"] == "1" or any(p["DuocSoHoa"] == "1" for p in papers),
            "result": has_result, "electronic": has_result,
            "reused": any(p["DuocTaiSuDung"] in ("1", "2") or p["DuocLayTuKhoDMQG"] == "1" for p in papers),
        }  # fmt: skip


def _grid(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def _state(row: Mapping[str, Any], places: Places, night: date, by_prefix: bool) -> State | None:
    """The state a row tells, None where a rule of the pages quarantines it."""
    when = {name: row[name] for name in _DATES}
    status, received, due, finished = row["status"], when["received"], when["due"], when["finished"]
    if status == 10 and finished is None:
        finished = when["finished"] = when["returned"]
    fee, online, day = row["fee"], row["method"], received.day if received else night
    unit = (places.alias(row["code"].split("-")[0], day) if by_prefix else None) or places.find(row["unit"], day)
    refused = (
        unit is None
        or not re.fullmatch(r"\d\.\d{6}", row["procedure"])
        or (received is None and status not in (1, 3))
        or (received and (received.day > night or (due and due.day < received.day)))
        or (received and finished and finished.day < received.day)
        or (finished and finished.day > night)
        or (status in (9, 10) and finished is None)
        or (status in (2, 4) and finished is not None)
        or (online and fee == 0)
    )
    if refused:
        return None
    return State(
        code=row["code"], procedure=row["procedure"], field=row["field"], unit=unit, status=status,
        channel=row["channel"], level=row["level"], supplements=_number(row["supplements"]), fee=fee or 0,
        paid_online=online, components=row["components"], result=row["result"], electronic=row["electronic"],
        reused=row["reused"], **when,
    )  # fmt: skip


def states(source: str, content: bytes, night: date, places: Places) -> list[State]:
    """The accepted states of one file; rows of one dossier that differ are all refused, equal ones are one."""
    if source == "dvcqg_json":
        rows = list(_json_rows(json.loads(content)))
    elif source == "mot_cua_csv":
        text = content.decode("utf-8-sig")
        rows = list(_list_rows(list(csv.reader(io.StringIO(text), delimiter=";" if ";" in text[:400] else ","))))
    else:
        rows = list(_list_rows(_grid(content)))
    for row in rows:  # a real date of a workbook and its text are one value
        row.update(
            {name: _moment(row[name]) for name in _DATES}, fee=None if row["fee"] in (None, "") else _number(row["fee"])
        )
    by_code: dict[str, list[Any]] = {row["code"]: [] for row in rows}
    for row in rows:
        by_code[row["code"]].append(row)
    alone = (same[0] for same in by_code.values() if all(row == same[0] for row in same))
    return [state for row in alone if (state := _state(row, places, night, source == "dvcqg_json"))]


def form(content: bytes, places: Places) -> Form:
    """The form II.06a of one file; its total row is `*`."""
    unit, start, end, rows = "", date.min, date.min, {}
    for line in _grid(content):
        first = str(line[0])
        if first.startswith("Kỳ báo cáo:"):
            days = re.findall(r"(\d+)/(\d+)/(\d{4})", first)
            start, end = (date(int(year), int(month), int(day)) for day, month, year in days)
        elif first.startswith("Đơn vị:"):
            unit = first.removeprefix("Đơn vị:").strip()
        elif isinstance(line[2], int | float) and line[2] != "":
            name = "*" if str(line[1]).startswith("Tổng") or first.startswith("Tổng") else str(line[1])
            rows[name] = dict(zip(COUNTS, map(int, line[2:13]), strict=True))
    code = places.find(unit, end)
    assert code and rows, "a form of no known unit"
    return Form(code, start, end, rows)
