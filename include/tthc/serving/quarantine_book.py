"""What an owner of rows has to correct: one workbook a unit, or a source where a row does not say whose it is.

It names file, sheet, row, cell, column, rule and what is expected, never a dossier code or another value of a row.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.domain.working_days import after_working_days
from tthc.reference.lists import read_calendar_overrides
from tthc.reference.reporting import read_reporting
from tthc.reference.sources import Source, read_sources
from tthc.reference.units import Unit
from tthc.serving import wording
from tthc.serving.figures import NOTHING_PUBLISHED, statement, unit_on
from tthc.serving.workbooks import Book, writing
from tthc.settings import LOCAL, Settings

Deadline = Callable[[date], date]  # the night on which something was first refused → the last day to repair it

_ROWS_A_SHEET = 100_000
_SUMMARY = "Tóm tắt"
_ROWS = "Dòng cần sửa"
_HEADINGS = (
    "STT", "Nguồn", "Tệp", "Trang tính", "Dòng (bản ghi)", "Ô cần sửa", "Cột", "Sai ở đâu", "Cần ghi", "Quy tắc",
    "Đêm dữ liệu", "Hạn sửa",
)  # fmt: skip
_WIDTHS = (6, 15, 20, 12, 9, 9, 18, 32, 40, 20, 11, 11)
_ADVICE = (
    "Cách sửa: mở đúng tệp đã gửi, sửa từng ô tô vàng ở trang «Dòng cần sửa» theo cột «Cần ghi» (tốt nhất là sửa tại "
    "hệ thống nguồn rồi xuất lại), sau đó gửi lại cả tệp; không gửi riêng từng dòng. Dòng đúng được nhận ở lần nạp kế "
    "tiếp. Số dòng là số của tệp đã gửi; với tệp JSON là thứ tự bản ghi."
)


@dataclass(slots=True)
class _Owner:
    """A unit (`unit_code`) or, where that is unknown, a source; its counts by file and rule; files not loaded."""

    unit_code: str | None
    source_id: str
    counts: list[sa.RowMapping] = field(default_factory=list)
    refused: list[sa.RowMapping] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(count["first_count"] for count in self.counts)

    @property
    def first_night(self) -> date:
        """Since when the oldest of it waits."""
        first: date = min(each["first_night"] for each in (*self.counts, *self.refused))
        return first


def repair_deadlines(settings: Settings) -> Deadline:
    """The day by which owners are asked to repair what was first refused on a night, by `reporting.toml`.

    It does not move while the same row is refused again on later nights.
    """
    days = read_reporting(settings, read_sources(settings)).repair_working_days
    overrides = read_calendar_overrides(settings)
    return cache(lambda first_night: after_working_days(first_night, days, overrides))


def write_all(
    connection: sa.Connection, out: Path, *, units: Sequence[Unit], sources: dict[str, Source], deadline: Deadline
) -> list[Path]:
    """Workbooks of everything still in quarantine, one an owner; empty when there is nothing to correct.

    Names are `<newest night>_<unit or source>.xlsx`; `deadline`: last day for what was first refused on a night.
    Raises OutsideSystemFailed, Misconfigured before `tthc init`.
    """
    connection.execute(sa.text("set transaction isolation level repeatable read"))
    if connection.execute(sa.text("select to_regclass('core.delivery')")).scalar() is None:
        raise Misconfigured(NOTHING_PUBLISHED)
    connection.execute(statement("quarantine_open"))
    owners = _owners(connection)
    if not owners:
        return []
    night = connection.execute(sa.text("select max(night) from core.delivery")).scalar_one()
    return [_write(connection, out, each, _named(each, units, sources, night), night, deadline) for each in owners]


def _owners(connection: sa.Connection) -> list[_Owner]:
    owners: dict[tuple[str | None, str], _Owner] = {}
    for count in connection.execute(statement("quarantine_counts")).mappings():
        key = (count["unit_code"], "" if count["unit_code"] else count["source_id"])
        owners.setdefault(key, _Owner(count["unit_code"], count["source_id"])).counts.append(count)
    for file in connection.execute(statement("refused_files")).mappings():
        owners.setdefault((None, file["source_id"]), _Owner(None, file["source_id"])).refused.append(file)
    return list(owners.values())


def _write(connection: sa.Connection, out: Path, owner: _Owner, named: str, night: date, deadline: Deadline) -> Path:
    name = re.sub(r"[^\w.-]", "_", owner.unit_code or owner.source_id)
    path = out / f"{night}_{name}.xlsx"
    with writing(path, title=f"Dòng cần sửa, đêm {night}", made_at=datetime.now(LOCAL), row_by_row=True) as book:
        _summary(book, owner, named, night, deadline)
        _rows(book, _refused_rows(connection, owner), deadline)
    return path


def _named(owner: _Owner, units: Sequence[Unit], sources: dict[str, Source], night: date) -> str:
    if owner.unit_code:
        unit = unit_on(units, owner.unit_code, night)
        return f"Đơn vị: {unit.full_name} ({owner.unit_code})" if unit else f"Đơn vị: {owner.unit_code}"
    source = sources.get(owner.source_id)
    return f"Nguồn: {source.title if source else owner.source_id} ({owner.source_id}); đơn vị của dòng chưa xác định"


def _summary(book: Book, owner: _Owner, named: str, night: date, deadline: Deadline) -> None:
    sheet = book.sheet(_SUMMARY, (16, 24, 11, 22, 40, 42, 9))
    last = 6
    book.across(sheet, 0, (0, last), "DANH SÁCH DÒNG DỮ LIỆU CẦN SỬA", "title", 26)
    book.across(sheet, 1, (0, last), named, "strong", 18)
    book.across(sheet, 2, (0, last), f"Đêm dữ liệu mới nhất: {wording.day(night)}", "strong", 18)
    book.across(sheet, 3, (0, last), f"Số dòng bị cách ly: {wording.count(owner.rows)}", "strong", 18)
    book.across(
        sheet,
        4,
        (0, last),
        f"Đề nghị sửa và gửi lại trước hết ngày {wording.day(deadline(owner.first_night))}",
        "strong",
        18,
    )
    book.across(sheet, 5, (0, last), _ADVICE, "plain", 50)
    line = 7
    if owner.counts:
        book.head(sheet, line, ("Nguồn", "Tệp", "Đêm", "Quy tắc", "Sai ở đâu", "Cần ghi", "Số dòng"), 20)
        for count in owner.counts:
            line += 1
            texts = [count["source_id"], count["file_name"], wording.day(count["night"])]
            texts += [count[name] for name in ("rule_id", "reason", "expected")]
            book.put_row(sheet, line, [*((text, "text") for text in texts), (count["row_count"], "count")])
        line += 2
        book.across(sheet, line, (0, last), "Một dòng sai nhiều quy tắc được đếm ở từng quy tắc.", "plain")
        line += 2
    if owner.refused:
        _refused_files(book, sheet, line, owner.refused)


def _refused_files(book: Book, sheet: Any, line: int, refused: Sequence[sa.RowMapping]) -> None:
    book.across(sheet, line, (0, 6), "Tệp không được nạp", "strong", 18)
    line += 1
    book.head(sheet, line, ("Nguồn", "Tệp", "Đêm", "Kết quả", "Lý do", "", ""), 20)
    for file in refused:
        line += 1
        verdict = wording.VERDICTS.get(file["verdict"], file["verdict"])
        texts = [file["source_id"], file["file_name"], wording.day(file["night"]), verdict, file["reason"], None, None]
        book.put_row(sheet, line, [(text, "text") for text in texts])


def _refused_rows(connection: sa.Connection, owner: _Owner) -> Iterator[sa.RowMapping]:
    if not owner.counts:
        return iter(())
    streaming = connection.execution_options(yield_per=5_000)
    parameters = {"unit": owner.unit_code, "source": owner.source_id}
    return iter(streaming.execute(statement("quarantine_rows"), parameters).mappings())


def _rows(book: Book, rows: Iterator[sa.RowMapping], deadline: Deadline) -> None:
    numbered = enumerate(rows, start=1)
    for part in itertools.count(1):
        chunk = itertools.islice(numbered, _ROWS_A_SHEET)
        first = next(chunk, None)
        if first is None:
            return
        sheet = book.sheet(_ROWS if part == 1 else f"{_ROWS} {part}", _WIDTHS, repeat=(0, 0))
        book.head(sheet, 0, _HEADINGS)
        line = 0
        for line, (number, row) in enumerate(itertools.chain([first], chunk), start=1):
            book.put_row(sheet, line, _cells(number, row, deadline))
        sheet.autofilter(0, 0, line, len(_HEADINGS) - 1)


def _cells(number: int, row: sa.RowMapping, deadline: Deadline) -> list[tuple[Any, str]]:
    return [
        (number, "middle"),
        (row["source_id"], "text"),
        (row["file_name"], "text"),
        (row["sheet"], "text"),
        (row["row_no"], "middle"),
        (row["cell"] or None, "repair"),
        (row["column_name"], "text"),
        (row["reason"], "text"),
        (row["expected"], "text"),
        (row["rule_id"], "text"),
        (wording.day(row["night"]), "middle"),
        (wording.day(deadline(row["first_night"])), "middle"),
    ]
