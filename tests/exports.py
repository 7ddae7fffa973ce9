"""Writers of the four layouts, for synthetic dossiers given as the words of a one-stop list (canonical column → text).

Written from the layouts' description, not from `tthc.simulation`: what both get right, two people read alike.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

SYNTHETIC = "DỮ LIỆU TỔNG HỢP, KHÔNG PHẢI NGƯỜI THẬT"

# canonical column → heading, in the order of the contract
HEADINGS = {
    "row_no": "STT",
    "dossier_code": "Mã hồ sơ",
    "procedure_code": "Mã TTHC",
    "procedure_name": "Tên thủ tục hành chính",
    "field_name": "Lĩnh vực",
    "unit_name": "Đơn vị tiếp nhận",
    "submitted_at": "Ngày nộp hồ sơ",
    "received_at": "Ngày tiếp nhận",
    "due_at": "Ngày hẹn trả",
    "finished_at": "Ngày kết thúc xử lý",
    "returned_at": "Ngày trả kết quả",
    "channel": "Hình thức nộp",
    "service_level": "Mức độ DVC",
    "status": "Trạng thái",
    "supplement_count": "Số lần bổ sung",
    "supplement_requested_at": "Ngày yêu cầu bổ sung",
    "fee_amount": "Phí, lệ phí",
    "payment_method": "Hình thức thanh toán",
    "paid_at": "Ngày thanh toán",
    "components_digitised": "Số hóa thành phần hồ sơ",
    "result_digitised": "Số hóa kết quả",
    "result_electronic": "Kết quả điện tử",
    "data_reused": "Tái sử dụng dữ liệu",
}
PERSONAL = ("Chủ hồ sơ", "Số CCCD", "Số điện thoại")
STATUS_WORDS = {
    1: "Mới đăng ký",
    2: "Được tiếp nhận",
    3: "Không được tiếp nhận",
    4: "Đang xử lý",
    5: "Yêu cầu bổ sung giấy tờ",
    6: "Yêu cầu thực hiện nghĩa vụ tài chính",
    7: "Công dân yêu cầu rút hồ sơ",
    8: "Dừng xử lý",
    9: "Đã xử lý xong",
    10: "Đã trả kết quả",
}
_STATUS_OF = {word: code for code, word in STATUS_WORDS.items()}
_CHANNEL_OF = {"Trực tiếp": "1", "Trực tuyến": "2", "Bưu chính công ích (BCCI)": "3"}

Row = dict[str, str]


def dossier(code: str, **cells: str) -> Row:
    """One row: a dossier of xã Tiên Điền in process since 5 January 2026, unless `cells` say otherwise."""
    unknown = set(cells) - set(HEADINGS) - set(PERSONAL)
    assert not unknown, unknown
    return {
        "dossier_code": code,
        "procedure_code": "1.000656",
        "field_name": "Hộ tịch",
        "unit_name": "UBND xã Tiên Điền",
        "received_at": "05/01/2026",
        "due_at": "12/01/2026",
        "channel": "Trực tiếp",
        "status": STATUS_WORDS[4],
        **cells,
    }


def columns_of(rows: Sequence[Row]) -> list[str]:
    """The columns any row fills, in the order of the contract."""
    used = {name for row in rows for name in row}
    return [name for name in (*HEADINGS, *PERSONAL) if name in used]


def table(rows: Sequence[Row], headings: Mapping[str, str] | None = None) -> list[list[str]]:
    """Header and rows as cells; `headings` replaces the contract's headings by canonical name."""
    columns = columns_of(rows)
    named = {**HEADINGS, **dict(zip(PERSONAL, PERSONAL, strict=True)), **(headings or {})}
    return [[named[name] for name in columns], *([row.get(name, "") for name in columns] for row in rows)]


def csv_of(cells: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    """Cells as CSV in UTF-8 with CRLF, as exporters write it."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(cells)
    return text.getvalue().encode()


def csv_list(rows: Sequence[Row], headings: Mapping[str, str] | None = None) -> bytes:
    """The layout mot_cua_csv."""
    return csv_of(table(rows, headings))


def nfd(content: bytes) -> bytes:
    """The same text with every accent written apart."""
    return unicodedata.normalize("NFD", content.decode()).encode()


def moment(text: str) -> date | datetime | None:
    """A cell dd/MM/yyyy[ HH:mm[:ss]] as a day or a moment."""
    for form in ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return datetime.strptime(text, "%d/%m/%Y").date() if text else None


def workbook(
    cells: Sequence[Sequence[Any]],
    *,
    dates: str = "text",
    epoch_1904: bool = False,
    merges: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """Cells as a workbook of one sheet. `dates`: "text", "real" (date cells), or "serial" (numbers without a format)."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(
        buffer, {"in_memory": True, "date_1904": epoch_1904, "strings_to_formulas": False}
    ) as book:
        book.set_properties({"title": SYNTHETIC})
        sheet = book.add_worksheet("DanhSach")
        day, instant = (
            book.add_format({"num_format": "dd/mm/yyyy"}),
            book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
        )
        header = list(cells[0]) if cells else []
        for number, row in enumerate(cells):
            for position, cell in enumerate(row):
                value = cell
                if dates != "text" and position < len(header) and str(header[position]).startswith("Ngày") and number:
                    value = moment(str(cell))
                if isinstance(value, date):
                    whole = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
                    if dates == "serial":
                        passed = whole - (datetime(1904, 1, 1) if epoch_1904 else datetime(1899, 12, 30))
                        sheet.write_number(number, position, passed.total_seconds() / 86_400)
                    else:
                        sheet.write_datetime(number, position, whole, instant if isinstance(value, datetime) else day)
                elif isinstance(value, bool):
                    sheet.write_boolean(number, position, value)
                elif isinstance(value, int | float):
                    sheet.write_number(number, position, value)
                elif value not in ("", None):
                    sheet.write_string(number, position, str(value))
        for top, left, bottom, right in merges:
            sheet.merge_range(top, left, bottom, right, cells[top][left])
    return buffer.getvalue()


def xlsx_list(rows: Sequence[Row], headings: Mapping[str, str] | None = None, *, dates: str = "real") -> bytes:
    """The layout mot_cua_xlsx."""
    return workbook(table(rows, headings), dates=dates)


def _compact(text: str) -> str:
    when = moment(text)
    if when is None:
        return ""
    return when.strftime("%Y%m%d%H%M%S") if isinstance(when, datetime) else when.strftime("%Y%m%d000000")


def record(row: Row) -> dict[str, Any]:
    """One object of the layout dvcqg_json. The level is not in it: it comes from the registry."""
    requests = int(row.get("supplement_count") or 0)
    yes = {"Có", "x", "1"}
    paid = row.get("payment_method", "")
    return {
        "MaHoSo": row["dossier_code"],
        "MaTTHC": row["procedure_code"],
        "TenTTHC": row.get("procedure_name", ""),
        "MaLinhVuc": "LV",
        "TenLinhVuc": row.get("field_name", ""),
        "KenhThucHien": _CHANNEL_OF[row["channel"]],
        "ChuHoSo": row.get("Chủ hồ sơ", "Người Tổng Hợp"),
        "SoGiayToChuHoSo": row.get("Số CCCD", "000000000000"),
        "NgayNopHoSo": _compact(row.get("submitted_at", "")),
        "NgayTiepNhan": _compact(row.get("received_at", "")),
        "NgayHenTra": _compact(row.get("due_at", "")),
        "NgayKetThucXuLy": _compact(row.get("finished_at", "")),
        "NgayTra": _compact(row.get("returned_at", "")),
        "TrangThaiHoSo": str(_STATUS_OF.get(row["status"], row["status"])),
        "HinhThuc": "0",
        "DonViXuLy": row["unit_name"],
        "HoSoCoThanhPhanSoHoa": "1" if row.get("components_digitised") in yes else "0",
        "DuocThanhToanTrucTuyen": "1" if paid == "Trực tuyến" else "3" if paid else "0",
        "TaiLieuNop": [{"TepDinhKemId": "1", "DuocSoHoa": "0", "DuocTaiSuDung": "1", "DuocLayTuKhoDMQG": "0"}]
        if row.get("data_reused") in yes
        else [],
        "DanhSachLePhi": [{"TenPhiLePhi": "Lệ phí", "Gia": row["fee_amount"].replace(".", "")}]
        if row.get("fee_amount")
        else [],
        "DanhSachHoSoBoSung": [
            {"HoSoBoSungId": str(number), "NgayBoSung": _compact(row["supplement_requested_at"])}
            for number in range(requests)
        ],
        "DanhSachGiayToKetQua": [{"TenGiayTo": "Kết quả", "DuongDanTepTinKetQua": "https://vi.du/ket-qua"}]
        if row.get("result_electronic") in yes
        else [],
    }


def json_list(rows: Sequence[Row]) -> bytes:
    """The layout dvcqg_json."""
    return json.dumps([record(row) for row in rows], ensure_ascii=False).encode()


FORM_COLUMNS = (
    "received_total", "received_online", "received_direct", "carried_over", "resolved_total", "resolved_early",
    "resolved_on_time", "resolved_late", "in_progress_total", "in_progress_in_time", "in_progress_overdue",
)  # fmt: skip
Q1 = "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"


def form_06a(
    rows: Sequence[tuple[str, Mapping[str, int]]],
    *,
    unit: str = "UBND xã Tiên Điền",
    period: str = Q1,
    total: Mapping[str, int] | None = None,
    as_text: bool = False,
    heading: str = "Lĩnh vực",
) -> bytes:
    """Form II.06a: titles, a header of two merged rows, column numbers, one row a field, the total row if given.

    `heading`: what the rows are.
    """
    head = [
        ["STT", heading, "Số hồ sơ nhận giải quyết", "", "", "", "Số hồ sơ đã giải quyết", "", "", "",
         "Số hồ sơ đang giải quyết", "", ""],
        ["", "", "Tổng số", "Trong kỳ: Trực tuyến", "Trong kỳ: Trực tiếp, dịch vụ bưu chính", "Từ kỳ trước",
         "Tổng số", "Trước hạn", "Đúng hạn", "Quá hạn", "Tổng số", "Trong hạn", "Quá hạn"],
    ]  # fmt: skip
    shown = (lambda number: f"{number:,}".replace(",", ".")) if as_text else (lambda number: number)
    body: list[list[Any]] = [
        [place, name, *(shown(counts.get(column, 0)) for column in FORM_COLUMNS)]
        for place, (name, counts) in enumerate(rows, start=1)
    ]
    if total is not None:
        body.append(["", "Tổng số", *(shown(total.get(column, 0)) for column in FORM_COLUMNS)])
    cells = [
        [f"Biểu số II.06a/VPCP/KSTT – {SYNTHETIC}"],
        [f"Đơn vị: {unit}"],
        [f"Kỳ báo cáo: {period}"],
        [],
        *head,
        [f"({number})" for number in range(1, 14)],
        *body,
    ]
    return workbook(cells, merges=[(4, 0, 5, 0), (4, 1, 5, 1), (4, 2, 4, 5), (4, 6, 4, 9), (4, 10, 4, 12)])


def counts(
    *,
    online: int = 0,
    direct: int = 0,
    early: int = 0,
    on_time: int = 0,
    late: int = 0,
    in_time: int = 0,
    over: int = 0,
) -> dict[str, int]:
    """The eleven counts of a row of the form whose identities hold; what is not received in the period is carried over."""
    resolved, open_ = early + on_time + late, in_time + over
    return {
        "received_total": resolved + open_,
        "received_online": online,
        "received_direct": direct,
        "carried_over": resolved + open_ - online - direct,
        "resolved_total": resolved,
        "resolved_early": early,
        "resolved_on_time": on_time,
        "resolved_late": late,
        "in_progress_total": open_,
        "in_progress_in_time": in_time,
        "in_progress_overdue": over,
    }
