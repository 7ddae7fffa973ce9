"""How fast files are read, beside the fastest reader that only reads them, alternately in one run of one machine.

The floors: pyarrow with every column as text for csv, python-calamine's `to_python` for xlsx. Ours is the whole way of
a file through a reader process: looked at and searched, header found, rows sorted, text composed, handed over.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import python_calamine
import xlsxwriter

from tthc.reference.layouts import read_layouts
from tthc.settings import settings
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool

HEADINGS = (
    "STT", "Mã hồ sơ", "Mã TTHC", "Tên thủ tục hành chính", "Lĩnh vực", "Đơn vị tiếp nhận", "Chủ hồ sơ", "Số CCCD",
    "Số điện thoại", "Ngày nộp hồ sơ", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý", "Hình thức nộp",
    "Mức độ DVC", "Trạng thái", "Phí, lệ phí", "Số hóa kết quả", "Tái sử dụng dữ liệu",
)  # fmt: skip
_START = datetime(2026, 1, 5, 8)  # noqa: DTZ001  (cells of a list are local and name no zone)


def _row(number: int) -> list[object]:
    days = [_START + timedelta(minutes=number * step % 200_000) for step in (1, 3, 7, 11)]
    return [
        number, f"H42.18-260105-{number:06d}", "1.000656", "Đăng ký giám hộ", "Hộ tịch", "UBND xã Tiên Điền",
        f"NGƯỜI GIẢ {number}", f"{number:012d}", f"09{number:08d}", *days, "Trực tiếp", "Một phần", "Đã xử lý xong",
        number % 7 * 5000, "Có", "x",
    ]  # fmt: skip


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADINGS)
        for number in range(rows):
            out.writerow(c.strftime("%d/%m/%Y %H:%M") if isinstance(c, datetime) else c for c in _row(number))


def write_xlsx(path: Path, rows: int) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet, form = book.add_worksheet("DanhSach"), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_row(0, 0, HEADINGS)
        for number in range(rows):
            for place, cell in enumerate(_row(number)):
                if isinstance(cell, datetime):
                    sheet.write_datetime(number + 1, place, cell, form)
                else:
                    sheet.write(number + 1, place, cell)


def floor_csv(path: Path) -> int:
    types = pacsv.ConvertOptions(column_types=dict.fromkeys(HEADINGS, pa.string()))
    return int(pacsv.read_csv(path, convert_options=types).num_rows)


def floor_xlsx(path: Path) -> int:
    with python_calamine.load_workbook(path) as book:
        return len(book.get_sheet_by_index(0).to_python()) - 1


def alternately(ways: dict[str, Callable[[], int]], rounds: int, rows: int) -> dict[str, float]:
    """Way → rows a second, the median of the rounds; every round tries each way once."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            if way() != rows:
                raise SystemExit(f"{name} read another number of rows")
            seconds[name].append(time.perf_counter() - begun)
    return {name: rows / statistics.median(times) for name, times in seconds.items()}


def measure(kind: str, files: Sequence[Path], rows: int, rounds: int) -> dict[str, object]:
    """One file at a time and all files at once, ours beside the floor."""
    layout = read_layouts(settings())[f"mot_cua_{kind}"]
    floor = floor_csv if kind == "csv" else floor_xlsx
    with ReaderPool(1) as one, ReaderPool(2) as two:

        def read(pool: ReaderPool) -> int:
            answers = pool.read_all((path, layout) for path in files)  # each is let go of, as the floor's tables are
            return sum(answer.rows_read for answer in answers if isinstance(answer, Reading))

        def floor_of_all(threads: int) -> int:
            with ThreadPoolExecutor(threads) as workers:
                return sum(workers.map(floor, files))

        read(one), read(two)
        ways = {
            "floor": lambda: floor_of_all(1),
            "ours": lambda: read(one),
            "floor, all at once": lambda: floor_of_all(2),
            "ours, all at once": lambda: read(two),
        }
        told = alternately(ways, rounds, rows)
    return {
        "kind": kind,
        "rows": rows,
        **{name: round(speed) for name, speed in told.items()},
        "share of the floor": round(told["ours"] / told["floor"], 2),
        "share, all at once": round(told["ours, all at once"] / told["floor, all at once"], 2),
    }


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=100_000, help="of each csv file; an xlsx file has a fifth")
    words.add_argument("--files", type=int, default=4)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, write, rows in (("csv", write_csv, asked.rows), ("xlsx", write_xlsx, asked.rows // 5)):
            files = [Path(folder, f"{number}.{kind}") for number in range(asked.files)]
            for path in files:
                write(path, rows)
            found.append(measure(kind, files, rows * asked.files, asked.rounds))
    if asked.json:
        print(json.dumps({"cpus": os.cpu_count(), "reading": found}, indent=1))
        return
    print(f"rows a second, median of {asked.rounds} rounds, {os.cpu_count()} processors")
    for name in found[0]:
        print(f"{name:24}" + "".join(f"{one[name]!s:>14}" for one in found))


if __name__ == "__main__":
    main()
