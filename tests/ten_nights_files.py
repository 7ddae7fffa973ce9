"""Writes rows of made-up dossiers in the public layouts: list as CSV and Excel, record as JSON, form II.06a."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import xlsxwriter

from independent_rows import COUNTS, Moment

Row = dict[str, Any]
HEADINGS = (
    "STT", "Mã hồ sơ", "Mã TTHC", "Tên thủ tục hành chính", "Lĩnh vực", "Đơn vị tiếp nhận", "Chủ hồ sơ", "Số CCCD",
    "Số điện thoại", "Ngày nộp hồ sơ", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý", "Ngày trả kết quả",
    "Hình thức nộp", "Mức độ DVC", "Trạng thái", "Số lần bổ sung", "Ngày yêu cầu bổ sung", "Phí, lệ phí",
    "Hình thức thanh toán", "Ngày thanh toán", "Số hóa thành phần hồ sơ", "Số hóa kết quả", "Kết quả điện tử",
    "Tái sử dụng dữ liệu",
)  # fmt: skip
CHANNELS = ("Trực tiếp", "Trực tuyến", "Trực tuyến", "Bưu chính công ích (BCCI)")
WORDS = (
    "", "Mới đăng ký", "Được tiếp nhận", "Không được tiếp nhận", "Đang xử lý", "Yêu cầu bổ sung giấy tờ",
    "Yêu cầu thực hiện nghĩa vụ tài chính", "Công dân yêu cầu rút hồ sơ", "Dừng xử lý", "Đã xử lý xong",
    "Đã trả kết quả",
)  # fmt: skip


def _cells(row: Row, number: int) -> list[Any]:
    yes = {True: "Có", False: "Không"}
    return [
        number, row["code"], row["procedure_code"], row["procedure"]["procedure_name"], row["field"], row["unit_name"],
        f"NGƯỜI GIẢ {number}", "", "", row["received"], row["received"], row["due"], row["finished"], row["returned"],
        row["channel"], row["level"], WORDS[row["status"]], row["supplements"] or "", row["requested"], row["fee"],
        row["method"], None, yes[row["components"]], yes[row["result"]], yes[row["electronic"]], yes[row["reused"]],
    ]  # fmt: skip


def _text(cell: Any) -> Any:
    if isinstance(cell, Moment):
        return f"{cell.day:%d/%m/%Y}" + (f" {cell.at:%H:%M:%S}" if cell.at else "")
    return "" if cell is None else cell


def as_csv(rows: list[Row], pick: random.Random) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=pick.choice(",;"))
    writer.writerow(HEADINGS)
    for number, row in enumerate(rows, 1):
        cells = _cells(row, number)
        cells[19] = f"{cells[19]:,}".replace(",", ".")
        writer.writerow([_text(cell) for cell in cells])
    return out.getvalue().encode(pick.choice(("utf-8", "utf-8-sig")))


def as_xlsx(rows: list[Row], pick: random.Random) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, style = book.add_worksheet("Danh sách"), book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        sheet.write_row(0, 0, HEADINGS)
        for line, row in enumerate(rows, 1):
            for column, cell in enumerate(_cells(row, line)):
                if isinstance(cell, Moment) and pick.random() < 0.7:
                    sheet.write_datetime(line, column, datetime.combine(cell.day, cell.at or time()), style)
                elif cell not in (None, ""):
                    sheet.write(line, column, _text(cell))
    return out.getvalue()


def as_json(rows: list[Row]) -> bytes:
    def stamp(moment: Moment | None) -> str:
        return f"{datetime.combine(moment.day, moment.at or time()):%Y%m%d%H%M%S}" if moment else ""

    def record(row: Row) -> Row:
        asked = stamp(row["requested"])
        return {
            "MaHoSo": row["code"], "MaTTHC": row["procedure_code"], "TenTTHC": row["procedure"]["procedure_name"],
            "TenLinhVuc": row["field"], "KenhThucHien": str(min(3, CHANNELS.index(row["channel"]) + 1 - (row["channel"][0] == "B"))),
            "ChuHoSo": "NGƯỜI GIẢ", "NgayNopHoSo": stamp(row["received"]), "NgayTiepNhan": stamp(row["received"]),
            "NgayHenTra": stamp(row["due"]), "NgayKetThucXuLy": stamp(row["finished"]), "NgayTra": stamp(row["returned"]),
            "TrangThaiHoSo": str(row["status"]), "DonViXuLy": row["unit_name"], "HoSoCoThanhPhanSoHoa": str(int(row["components"])),
            "DuocThanhToanTrucTuyen": "2" if row["method"] == "Trực tuyến" else "3",
            "TaiLieuNop": [{"DuocSoHoa": "0", "DuocTaiSuDung": str(2 * row["reused"]), "DuocLayTuKhoDMQG": "0"}],
            "DanhSachLePhi": [{"Gia": str(row["fee"] - 5000)}, {"Gia": "5000"}] if row["fee"] else [],
            "DanhSachHoSoBoSung": [{"NgayBoSung": asked}] * row["supplements"],
            "DanhSachGiayToKetQua": [{"DuongDanTepTinKetQua": "/tep-gia.pdf"}] if row["result"] else [],
        }  # fmt: skip

    return json.dumps([record(row) for row in rows], ensure_ascii=False).encode()


def as_form(unit: Row, label: str, start: date, end: date, pick: random.Random) -> bytes:
    total = dict.fromkeys(COUNTS, 0)
    lines: list[tuple[str, dict[str, int]]] = []
    for name in ("Hộ tịch", "Chứng thực"):
        online, direct, carried, early, due, late = (pick.randrange(20) for _ in range(6))
        early = min(early, online + direct + carried)
        due = min(due, online + direct + carried - early)
        late = min(late, online + direct + carried - early - due)
        still = online + direct + carried - early - due - late
        over = pick.randint(0, still)
        numbers = (
            online + direct + carried,
            online,
            direct,
            carried,
            early + due + late,
            early,
            due,
            late,
            still,
            still - over,
            over,
        )
        lines.append((name, dict(zip(COUNTS, numbers, strict=True))))
        total = {key: total[key] + value for key, value in lines[-1][1].items()}
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("06a")
        sheet.write(0, 0, f"Đơn vị: UBND {unit['kind']} {unit['name']}")
        sheet.write(
            1,
            0,
            f"Kỳ báo cáo: {label} {_days(start, end)}",
        )
        for column, text in ((0, "STT"), (1, "Lĩnh vực")):
            sheet.merge_range(3, column, 5, column, text)
        for first, last, text in (
            (2, 5, "Số hồ sơ nhận giải quyết"),
            (6, 9, "Số hồ sơ đã giải quyết"),
            (10, 12, "Số hồ sơ đang giải quyết"),
        ):
            sheet.merge_range(3, first, 3, last, text)
        sheet.merge_range(4, 3, 4, 4, "Trong kỳ")
        for column, text in (
            (2, "Tổng số"),
            (5, "Từ kỳ trước"),
            (6, "Tổng số"),
            (7, "Trước hạn"),
            (8, "Đúng hạn"),
            (9, "Quá hạn"),
            (10, "Tổng số"),
            (11, "Trong hạn"),
            (12, "Quá hạn"),
        ):
            sheet.merge_range(4, column, 5, column, text)
        sheet.write_row(5, 3, ("Trực tuyến", "Trực tiếp, dịch vụ bưu chính"))
        for number, (name, counts) in enumerate([*lines, ("Tổng số", total)]):
            sheet.write_row(6 + number, 0, ("" if name == "Tổng số" else number + 1, name, *counts.values()))
    return out.getvalue()


def as_statements(
    unit: Row, label: str, start: date, end: date, lines: Sequence[tuple[str, int | str, int | str, str]]
) -> bytes:
    """A form of manual input; a line is indicator, numerator, denominator and what the form shows as on record."""
    name = unit["name"] if unit["level"] == "department" else f"UBND {unit['kind']} {unit['name']}"
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Nhập tay")
        head = (f"Đơn vị: {name}", f"Mã đơn vị: {unit['unit_code']}", f"Kỳ báo cáo: {label} {_days(start, end)}")
        for number, text in enumerate(head):
            sheet.write_string(number, 0, text)
        sheet.write_row(4, 0, ("STT", "Mã chỉ tiêu", "Tử số", "Mẫu số", "Đang ghi nhận"))
        for number, line in enumerate(lines, 1):
            sheet.write_row(4 + number, 0, (number, *line))
    return out.getvalue()


def _days(start: date, end: date) -> str:
    return f"(từ ngày {start.day}/{start.month}/{start.year} đến ngày {end.day}/{end.month}/{end.year})"
