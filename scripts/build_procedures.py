"""Decides which procedures the shipped registry knows: a selection that communes and departments handle.

Code, name and field are copied from the ministries' published lists, workbooks in the folder `data` under the setting
TTHC_SHARED. Level, fee, result and days are in no list: they are assumed here, and every row says so.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openpyxl import load_workbook

OUT = Path(__file__).resolve().parents[1] / "include" / "reference" / "procedures.csv"
LISTS = "danh-sach-tthc-*.xlsx"
HEADINGS = ("Mã số", "Tên", "Cơ quan ban hành", "Cơ quan thực hiện", "Lĩnh vực")
COLUMNS = ("procedure_code", "procedure_name", "field_code", "field_name", "service_level", "fee_bearing",
           "yields_result", "max_working_days", "source")  # fmt: skip
HANDLERS = re.compile(r"(ủy ban nhân dân|ubnd|ở)\s+cấp\s+xã|sở\s+\w|văn phòng đăng ký đất đai", re.IGNORECASE)
LEVELS = {"T": "toan_trinh", "M": "mot_phan", "I": "thong_tin"}
# code, service level, fee (F or -), result (R or -), longest time in working days: all but the code assumed.
SELECTION = """
1.001193 T - R 1    1.000894 M - R 1    1.000656 T - R 1    1.004873 T F R 3    1.004884 M - R 5
1.004859 M F R 3    1.004837 M - R 3    1.004845 M - R 2    1.001022 M F R 3    1.004746 M F R 5
1.005461 M F R 5    1.000689 M - R 3    1.004772 M - R 5    2.000635 T F R 1    2.000528 M F R 1
2.000806 M F R 10   1.001766 M F R 1    2.000748 M F R 6    2.000986 T - R 4    2.001023 T - R 5
3.000323 M - R 3    1.000419 I - R 5    2.000815 M F R 1    2.000884 I F R 1    2.001035 I F R 2
2.001019 I F R 2    2.001016 I F R 1    2.001406 I F R 2    2.000942 M F R 1    2.000913 I F R 2
2.001008 I F R 1    2.002363 M F R 5    2.000779 M F R 7    2.002349 M - R 10   1.002211 T - R 5
2.000930 T - - 5    2.002080 M - - 5    2.000424 M - - 5    2.002165 I - R 20   1.013225 T F R 20
1.013229 T F R 15   1.013226 T F R 15   1.013227 T F R 5    1.013228 T F R 5    1.013232 M F R 20
1.013274 T F R 5    1.013061 T - R 7    2.001921 M - R 5    1.012888 M - R 7    2.001215 M F R 3
2.001211 T - R 2    2.001212 T F R 3    1.009454 T F R 5    1.003658 T F R 5    1.009452 M - R 5
6.006594 I - - 30   1.011441 M F R 1    1.011443 M F R 1    1.002010 T F R 10   1.013830 T F R 5
1.013807 T F R 2    1.013816 T - - 5    1.013835 M F R 10   2.001247 T F R 5    1.012910 T F R 5
1.002626 T F R 5    1.009284 T F R 7    2.000587 T - R 5    1.011675 M - - 10   6.006576 I - R 30
"""


class ListMismatch(Exception):
    """A published list does not hold what the selection expects."""


class Listed(NamedTuple):
    """One line of a published list."""

    name: str
    field: str
    handler: str
    publisher: str


def main() -> None:
    """Write procedures.csv."""
    shared = os.environ.get("TTHC_SHARED")
    if not shared:
        sys.exit("TTHC_SHARED must name the folder that holds data/danh-sach-tthc-*.xlsx")
    listed = {code: line for path in sorted((Path(shared) / "data").glob(LISTS)) for code, line in read_list(path)}
    rows = sorted(registry_rows(listed))
    with OUT.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def read_list(path: Path) -> Iterator[tuple[str, Listed]]:
    """Code and line of every procedure of one workbook."""
    sheet = load_workbook(path, read_only=True).worksheets[0]
    cells = ([clean(cell) for cell in row] for row in sheet.iter_rows(max_col=len(HEADINGS), values_only=True))
    for row in cells:
        if tuple(row) == HEADINGS:
            break
    else:
        raise ListMismatch(f"{path.name}: no heading row {HEADINGS}")
    for code, name, publisher, handler, field in cells:
        if re.fullmatch(r"\d\.\d{6}", code):
            yield code, Listed(name, field, handler, publisher)


def registry_rows(listed: dict[str, Listed]) -> Iterator[tuple[str, ...]]:
    """The rows of procedures.csv, unsorted."""
    for code, level, fee, result, days in re.findall(r"(\S+) ([TMI]) ([F-]) ([R-]) (\d+)", SELECTION):
        if code not in listed:
            raise ListMismatch(f"{code} is in no list")
        line = listed[code]
        if line.handler and not HANDLERS.search(line.handler):
            raise ListMismatch(f"{code} is handled by {line.handler!r}")
        handler = "" if line.handler else "; agency not given"
        source = f"list of procedures, {line.publisher}{handler}; assumed: level, fee, result, days"
        yield (code, line.name, "", line.field, LEVELS[level], str(fee == "F").lower(), str(result == "R").lower(),
               days, source)  # fmt: skip


def clean(cell: object) -> str:
    """Text of a cell in NFC with single spaces."""
    return " ".join(unicodedata.normalize("NFC", "" if cell is None else str(cell)).split())


if __name__ == "__main__":
    main()
