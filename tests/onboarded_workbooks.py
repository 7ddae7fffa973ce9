"""Exports of provincial one-stop systems in shapes no shipped layout knows; dossiers and persons are made up."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, time

import xlsxwriter

# One cell holds code, person and telephone; day and time of receipt stand apart; the term is a number of working days;
# how a case stands is told in words with numbers in them; below the total another table follows.
_LISTED = [
    ("Lĩnh vực Hộ tịch", [
        (1, "UBND xã Tiên Điền", date(2026, 1, 5), time(8, 5), 3, date(2026, 1, 8), "Đã trả kết quả (đúng hạn)", "Trực tuyến"),
        (2, "UBND xã Tiên Điền", date(2026, 1, 8), time(14, 30), 2, date(2026, 1, 13), "Đã trả kết quả (quá hạn 1 ngày)", "Trực tiếp"),
        (3, "UBND xã Cổ Đạm", date(2026, 1, 9), None, 1, None, "Đang xử lý (quá hạn 3 ngày)", "Trực tiếp"),
    ]),
    ("Lĩnh vực Đất đai", [
        (4, "UBND xã Cổ Đạm", date(2026, 1, 12), time(9, 0), 20, None, "Đang xử lý (còn 18 ngày)", "Bưu chính"),
        (5, "UBND xã Tiên Điền", date(2026, 1, 12), time(16, 59), "trong ngày", date(2026, 1, 12), "Đã trả kết quả (đúng hạn)", "Trực tuyến"),
    ]),
]  # fmt: skip


def listed() -> bytes:
    """A list of dossiers with two tables on its sheet."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("Sheet1")
        day, hour = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "hh:mm"})
        sheet.merge_range("A1:I1", "UBND TỈNH HÀ TĨNH (DỮ LIỆU GIẢ)")
        sheet.merge_range("A2:I2", "DANH SÁCH HỒ SƠ TIẾP NHẬN, GIẢI QUYẾT")
        sheet.merge_range("A3:I3", "Từ ngày 01/01/2026 đến ngày 14/01/2026")
        alone = ["STT", "Thông tin hồ sơ", "Cơ quan giải quyết", "", "", "Thời hạn giải quyết (ngày làm việc)",
                 "Ngày có kết quả", "Tình trạng", "Hình thức nộp"]  # fmt: skip
        for at, heading in enumerate(alone):
            if heading:
                sheet.merge_range(4, at, 5, at, heading)
        sheet.merge_range("D5:E5", "Tiếp nhận")
        sheet.write_row("D6", ["Ngày", "Giờ"])
        row = 6
        for number, (field, dossiers) in enumerate(_LISTED, start=1):
            sheet.write(row, 0, f"{'I' * number}. {field}")
            row += 1
            for at, unit, received, moment, term, finished, status, channel in dossiers:
                sheet.write_row(row, 0, [at, f"H42.14-260105-{at:04d}\nNGƯỜI GIẢ {at}\nĐT: 0900000000", unit])
                sheet.write_datetime(row, 3, datetime.combine(received, time()), day)
                if moment:
                    sheet.write_datetime(row, 4, moment, hour)
                sheet.write(row, 5, term)
                if finished:
                    sheet.write_datetime(row, 6, datetime.combine(finished, time()), day)
                sheet.write_row(row, 7, [status, channel])
                row += 1
        sheet.write(row, 0, "Tổng số: 5 hồ sơ")
        sheet.write(row + 2, 0, "B. HỒ SƠ LIÊN THÔNG CHUYỂN CƠ QUAN KHÁC")
        sheet.write_row(row + 3, 0, ["STT", "Cơ quan giải quyết", "Thông tin hồ sơ", "Ngày chuyển", "Tình trạng"])
        sheet.write_row(row + 4, 0, [1, "Sở Tư pháp", "H42.14-260105-0099\nNGƯỜI GIẢ 99", "13/01/2026", "Đã chuyển"])
    return content.getvalue()


# Text of two bytes a letter without a mark, a semicolon behind every row, months by name, a total of one cell.
REGISTER = "\n".join(
    [
        "Số hồ sơ;Họ và tên;Nơi tiếp nhận;Ngày nhận;Ngày hẹn;Ngày xong;Phí (đồng)",
        "TN-01;NGƯỜI GIẢ 1;xã Nghi Xuân;05-Thg1-2026;08-Thg1-2026;08-Thg1-2026;8.000;",
        "TN-02;NGƯỜI GIẢ 2;xã Nghi Xuân;06-Thg1-2026;09-Thg1-2026;12-Thg1-2026;0;",
        "TN-03;NGƯỜI GIẢ 3;xã Nghi Xuân;12-Thg1-2026;;;120.000;",
        "Tổng số: 3 hồ sơ",
        "",
    ]
).encode("utf-16-le")


def report() -> bytes:
    """A report of counts a unit, with a list of late dossiers below it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("BC")
        sheet.merge_range("A1:K1", "KẾT QUẢ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH (DỮ LIỆU GIẢ)")
        sheet.merge_range("A2:K2", "Kỳ báo cáo: Quý I/2026")
        for at, heading in ((0, "TT"), (1, "Địa phương"), (2, "Tồn kỳ trước"), (10, "Tỷ lệ đúng hạn")):
            sheet.merge_range(3, at, 4, at, heading)
        sheet.merge_range("D4:F4", "Nhận trong kỳ")
        sheet.merge_range("G4:I4", "Đã giải quyết")
        sheet.write("J4", "Chưa giải quyết")
        sheet.write_row("D5", ["Tổng", "Trực tuyến", "Khác", "Sớm và đúng hạn", "Trễ hạn", "Cộng", "Cộng"])
        rows = [
            ["1", "Xã Tiên Điền", 2, 10, 8, 2, 9, 1, 10, 2, "90%"],
            ["2", "Xã Cổ Đạm", 0, 5, 5, 0, 3, 0, 3, 2, "100%"],
            ["", "Tổng cộng", 2, 15, 13, 2, 12, 1, 13, 4, "92,31%"],
            ["DANH SÁCH HỒ SƠ TRỄ HẠN"],
            ["1", "H42.14-260105-0002", "NGƯỜI GIẢ 2", "Xã Tiên Điền", "quá hạn 1 ngày"],
        ]
        for at, row in enumerate(rows):
            sheet.write_row(5 + at, 0, row)
    return content.getvalue()


def followed() -> bytes:
    """A sheet a unit; the lower row of the header holds nothing that is wanted."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        for at, (unit, rows) in enumerate((
            ("UBND XÃ TIÊN ĐIỀN", [("1", "05/01/2026", "08/01/2026", "08/01/2026"), ("2", "06/01/2026", "09/01/2026", "Quá hạn 3 ngày")]),
            ("UBND X. CỔ ĐẠM", [("3", "07/01/2026", "20/01/2026", "Còn hạn")]),
        )):  # fmt: skip
            sheet = book.add_worksheet(f"Trang {at + 1}")
            sheet.write("A1", "DANH SÁCH THEO DÕI HỒ SƠ (DỮ LIỆU GIẢ)")
            sheet.write("A2", unit)
            for place, heading in enumerate(["STT", "Mã hồ sơ", "Người nộp", "Ngày nhận", "Hẹn trả", "Kết quả"]):
                sheet.merge_range(3, place, 4, place, heading)
            sheet.merge_range("G4:H4", "Tình trạng")
            sheet.write_row("G5", ["Còn hạn", "Quá hạn"])
            sheet.write_row("A6", [f"({number})" for number in range(1, 9)])
            sheet.write_row("A7", ["I", f"LĨNH VỰC HỘ TỊCH ({len(rows)} hồ sơ)"])
            for place, (number, *days) in enumerate(rows, start=7):
                sheet.write_row(place, 0, [number, f"H42.14-260105-01{number}", f"NGƯỜI GIẢ {number}", *days, "", "x"])
    return content.getvalue()


def of_an_api() -> bytes:
    """Received at 01:00 of the 12th and at 08:00 of the 13th there, due at 17:00 of the 13th and of the 19th."""

    def record(code: str, unit: str, received: str, due: int) -> dict[str, object]:
        names = [{"languageId": 228, "name": unit}, {"languageId": 46, "name": "A commune"}]
        return {"code": code, "agency": {"name": names}, "sector": {"id": "1"}, "acceptedDate": received,
                "appointmentDate": f"/Date({due})/", "applicant": {"fullname": "NGƯỜI GIẢ"}}  # fmt: skip

    records = [
        record("H42.14-260112-0201", "UBND xã Tiên Điền", "2026-01-11T18:00:00.000+0000", 1768298400000),
        record("H42.14-260113-0202", "UBND xã Cổ Đạm", "2026-01-13T01:00:00.000+0000", 1768816800000),
    ]
    return json.dumps({"code": 200, "data": {"content": records, "totalElements": 2}}).encode()


FILES = {
    "theo_doi": ("theo-doi.xlsx", followed()),
    "api_ho_so": ("dang_xu_ly_20260114.json", of_an_api()),
    "danh_sach": ("danh-sach.xlsx", listed()),
    "so_nhan": ("so-nhan.csv", REGISTER),
    "ket_qua": ("ket-qua.xlsx", report()),
}
