"""How a one-stop system writes its list of dossiers: headings, words and dates of `mot_cua_csv` and `mot_cua_xlsx`."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from random import Random

import xlsxwriter

from tthc.domain.dossier import Channel, Dossier, PaymentMethod, ServiceLevel, Status

MARK = "DỮ LIỆU TỔNG HỢP – KHÔNG PHẢI NGƯỜI THẬT"
SHEET = "Danh sách"
FIRST_ROW = {"mot_cua_csv": 2, "mot_cua_xlsx": 5, "dvcqg_json": 1}
FOOTER = "Tổng cộng"

Cell = str | int | date | datetime | None

# canonical column (or a personal one), its heading, a synonym seen in real exports
COLUMNS = (
    ("row_no", "STT", "TT"),
    ("dossier_code", "Mã hồ sơ", "Số hồ sơ"),
    ("procedure_code", "Mã TTHC", "Mã TTHC"),
    ("procedure_name", "Tên thủ tục hành chính", "Tên TTHC"),
    ("field_name", "Lĩnh vực", "Tên lĩnh vực"),
    ("unit_name", "Đơn vị tiếp nhận", "Đơn vị xử lý"),
    ("person", "Chủ hồ sơ", "Họ tên"),
    ("identity", "Số CCCD", "Số CCCD"),
    ("telephone", "Số điện thoại", "SĐT"),
    ("submitted_at", "Ngày nộp hồ sơ", "Ngày nộp"),
    ("received_at", "Ngày tiếp nhận", "Ngày nhận"),
    ("due_at", "Ngày hẹn trả", "Hạn xử lý"),
    ("finished_at", "Ngày kết thúc xử lý", "Ngày có kết quả"),
    ("returned_at", "Ngày trả kết quả", "Ngày trả"),
    ("channel", "Hình thức nộp", "Hình thức tiếp nhận"),
    ("service_level", "Mức độ DVC", "Mức độ DVC"),
    ("status", "Trạng thái", "Tình trạng"),
    ("supplement_count", "Số lần bổ sung", "Số lần bổ sung"),
    ("supplement_requested_at", "Ngày yêu cầu bổ sung", "Ngày yêu cầu bổ sung"),
    ("fee_amount", "Phí, lệ phí", "Phí, lệ phí"),
    ("payment_method", "Hình thức thanh toán", "Hình thức thanh toán"),
    ("paid_at", "Ngày thanh toán", "Ngày thu"),
    ("components_digitised", "Số hóa thành phần hồ sơ", "Số hóa thành phần hồ sơ"),
    ("result_digitised", "Số hóa kết quả", "Số hóa kết quả"),
    ("result_electronic", "Kết quả điện tử", "Kết quả điện tử"),
    ("data_reused", "Tái sử dụng dữ liệu", "Tái sử dụng dữ liệu"),
)
_REAL_DATES = ("received_at", "due_at", "finished_at")  # the other dates of a workbook are text

_STATUSES: dict[Status, str] = {
    Status.REGISTERED: "Mới đăng ký",
    Status.ACCEPTED: "Được tiếp nhận",
    Status.NOT_ACCEPTED: "Không được tiếp nhận",
    Status.IN_PROCESS: "Đang xử lý",
    Status.AWAITING_SUPPLEMENT: "Yêu cầu bổ sung giấy tờ",
    Status.AWAITING_PAYMENT: "Yêu cầu thực hiện nghĩa vụ tài chính",
    Status.WITHDRAWN: "Công dân yêu cầu rút hồ sơ",
    Status.STOPPED: "Dừng xử lý",
    Status.RESOLVED: "Đã xử lý xong",
    Status.RETURNED: "Đã trả kết quả",
}
_CHANNELS: dict[Channel, str] = {
    Channel.DIRECT: "Trực tiếp",
    Channel.ONLINE: "Trực tuyến",
    Channel.POSTAL: "Bưu chính công ích (BCCI)",
}
_OTHERS: dict[str, str] = {
    ServiceLevel.FULL: "Toàn trình",
    ServiceLevel.PARTIAL: "Một phần",
    ServiceLevel.INFORMATION: "Cung cấp thông tin",
    PaymentMethod.ONLINE: "Trực tuyến",
    PaymentMethod.CASH: "Tiền mặt",
    PaymentMethod.TRANSFER: "Chuyển khoản",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One dossier on its way into a file. `raw` overrides cells by canonical column; `rule_id` is what it breaks."""

    number: int
    dossier: Dossier
    unit_name: str
    person: int
    raw: Mapping[str, str] = field(default_factory=dict)
    rule_id: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """The habits of the system that writes one file; all of them must be understood."""

    headings: str  # plain | synonyms | upper | decomposed | no_break
    yes_no: tuple[str, str]
    seconds: bool
    thousands: bool
    status_as_number: bool


def hand_of(rng: Random) -> Hand:
    """The habits of one file; they stay the same every night."""
    return Hand(
        headings=rng.choices(("plain", "synonyms", "upper", "decomposed", "no_break"), weights=(70, 9, 7, 7, 7))[0],
        yes_no=rng.choice((("Có", "Không"), ("x", ""), ("1", "0"))),
        seconds=rng.random() < 0.5,
        thousands=rng.random() < 0.2,
        status_as_number=rng.random() < 0.06,
    )


def write_csv(path: Path, lines: Sequence[Line | None], hand: Hand, *, footer: bool) -> None:
    """UTF-8 with BOM, commas, header in row 1; None is a blank row."""
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(headings(hand))
        for line in lines:
            writer.writerow([_as_text(cell, hand) for cell in _cells(line, hand)])
        if footer:
            writer.writerow(_footer(lines))


def write_xlsx(path: Path, lines: Sequence[Line | None], hand: Hand, *, footer: bool, night: date) -> None:
    """Two title rows, header in row 4; real dates in some columns, text in the others; None is a blank row."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"title": MARK, "created": datetime.combine(night, time(20))})
        with_time, day_only = (book.add_format({"num_format": f"dd/mm/yyyy{clock}"}) for clock in (" hh:mm:ss", ""))
        sheet = book.add_worksheet(SHEET)
        sheet.write_string(0, 0, "DANH SÁCH HỒ SƠ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH")
        sheet.write_string(1, 0, MARK)
        rows: list[Sequence[Cell]] = [
            headings(hand),
            *(_cells(line, hand) for line in lines),
            *([_footer(lines)] if footer else []),
        ]
        for number, row in enumerate(rows, start=FIRST_ROW["mot_cua_xlsx"] - 2):
            for place, cell in enumerate(row):
                if isinstance(cell, date) and COLUMNS[place][0] in _REAL_DATES:
                    sheet.write_datetime(number, place, cell, with_time if isinstance(cell, datetime) else day_only)
                elif isinstance(cell, int):
                    sheet.write_number(number, place, cell)
                elif cell:
                    sheet.write_string(number, place, _as_text(cell, hand))


def headings(hand: Hand) -> list[str]:
    """The header row as a hand writes it."""
    names = [synonym if hand.headings == "synonyms" else name for _, name, synonym in COLUMNS]
    return [_written(name.upper() if hand.headings == "upper" else name, hand) for name in names]


def _footer(lines: Sequence[Line | None]) -> list[Cell]:
    return [FOOTER, f"{sum(line is not None for line in lines)} hồ sơ", *[""] * (len(COLUMNS) - 2)]


def _cells(line: Line | None, hand: Hand) -> list[Cell]:
    """The cells of one row in column order: text, whole numbers and dates."""
    if line is None:
        return [None] * len(COLUMNS)
    dossier = line.dossier
    known: dict[str, Cell] = {
        "row_no": line.number,
        "unit_name": line.unit_name,
        "person": f"Người Giả Định {line.person:06d}",
        "identity": f"{line.person:012d}",
        "telephone": f"0{line.person:09d}",
    }
    row: list[Cell] = []
    for name, _, _ in COLUMNS:
        cell: Cell = line.raw.get(name, known[name] if name in known else getattr(dossier, name))
        if isinstance(cell, bool):
            cell = hand.yes_no[not cell]
        elif isinstance(cell, Status):
            cell = str(int(cell)) if hand.status_as_number else _STATUSES[cell]
        elif isinstance(cell, Channel):
            cell = _CHANNELS[cell]
        elif isinstance(cell, ServiceLevel | PaymentMethod):
            cell = _OTHERS[cell]
        row.append(_written(cell, hand) if isinstance(cell, str) else cell)
    return row


def _written(text: str, hand: Hand) -> str:
    if hand.headings == "no_break":
        return text.replace(" ", "\u00a0")
    return unicodedata.normalize("NFD", text) if hand.headings == "decomposed" else text


def _as_text(cell: Cell, hand: Hand) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y %H:%M:%S}" if hand.seconds or cell.second else f"{cell:%d/%m/%Y %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, int) and hand.thousands:
        return f"{cell:,}".replace(",", ".")
    return "" if cell is None else str(cell)
