"""What a layout can say, setting by setting, from the bytes of a file to typed rows; and what it may not say.

All persons and places of exports in here are made up. Whole nights are in test_intake_*.py and test_examples.py.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exports import csv_of, workbook
from tthc.domain.errors import FileRefused, ReferenceFault
from tthc.domain.working_days import after_working_days
from tthc.reference.layouts import Column, Layout, read_layouts
from tthc.reference.units import Places, Unit
from tthc.settings import settings
from tthc.staging.days_after import days_after
from tthc.staging.legacy_encodings import LETTERS, register
from tthc.staging.parse import Meanings, parse_dossiers
from tthc.staging.reader import read

NIGHT = date(2026, 4, 10)
BASE = """
id = "list"
title = "A list"
feed = "dossier"
kind = "{kind}"
{top}
[columns.dossier_code]
headings = ["Code"]
required = true
[columns.status]
headings = ["Status"]
required = true
[columns.unit_name]
headings = ["Unit"]
[columns.received_at]
headings = ["In"]
required = true
[columns.due_at]
headings = ["Due"]
[columns.finished_at]
headings = ["Out"]
[columns.fee_amount]
headings = ["Fee"]
[columns.channel]
headings = ["Channel"]
codes = {{ "Web" = "2" }}
{bottom}
"""
HEAD = ["Code", "Status", "Unit", "In", "Due", "Out", "Fee", "Channel"]


def unit(code: str, name: str, province: str = "42", kind: str = "xã") -> Unit:
    return Unit(
        unit_code=code, level="province" if code == province else "commune", kind=kind, name=name, parent_code=province,
        province_code=province, district="", valid_from=None, valid_to=None, source="made up",
    )  # fmt: skip


UNITS = [
    unit("42", "Hà Tĩnh", kind="tỉnh"), unit("01234", "Một"), unit("18373", "Hai"), unit("18374", "Ba"),
    unit("31", "Hải Phòng", "31"), unit("11779", "Xa", "31"), unit("11780", "Hai", "31"),
]  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What became of a file: `rows` by row number, rules of refused rows, reasons of dropped rows, warnings."""

    rows: dict[int, dict[str, Any]]
    refused: dict[int, list[str]]
    dropped: Counter[str]
    told: Counter[str]
    reading: Any

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows.values()]


def layout_of(tmp_path: Path, text: str) -> Any:
    folder = tmp_path / "reference" / "layouts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "list.toml").write_text(text, encoding="utf-8")
    return read_layouts(replace(settings(), reference_overlay=tmp_path / "reference"))["list"]


def see(tmp_path: Path, content: bytes, top: str = "", bottom: str = "", *, kind: str = "csv", text: str = "") -> Seen:
    """Read a file by BASE with settings added at its top and columns at its bottom."""
    layout = layout_of(tmp_path, text or BASE.format(kind=kind, top=top, bottom=bottom))
    path = tmp_path / "file"
    path.write_bytes(content)
    reading = read(path, layout)
    meanings = Meanings(
        places=Places(UNITS, [], "42"), status_words={"open": "4", "done": "9", "asked": "5", "4": "4", "9": "9"}, hmac_key=b"key",
        province="42", night=NIGHT,
    )  # fmt: skip
    parsed = parse_dossiers([reading], layout, meanings)
    refused: dict[int, list[str]] = {}
    for row, rule in zip(parsed.refused["row_no"], parsed.refused["rule_id"], strict=True):
        refused.setdefault(row, []).append(rule)
    dropped = Counter(reason for _, _, reason in reading.dropped)
    dropped.update(parsed.dropped.get(0, {}))
    frame = parsed.rows.astype(object).where(parsed.rows.notna(), None)
    rows = {row["row_no"]: row for row in frame.to_dict("records")}
    refused_rows = len(parsed.refused.drop_duplicates(["sheet", "row_no"]))
    counted = len(parsed.rows) + refused_rows + dropped.total() + parsed.duplicates.get(0, 0)
    assert counted == reading.rows_read, "a row was lost"
    return Seen(rows, refused, dropped, Counter(parsed.told.get(0, {})), reading)


def line(code: str = "A-1", **cells: str) -> list[str]:
    sound = {"Status": "open", "Unit": "xã Hai", "In": "05/01/2026", "Due": "12/01/2026"}
    return [code, *((sound | cells).get(heading, "") for heading in HEAD[1:])]


def a_list(*rows: Sequence[str], head: Sequence[str] = HEAD) -> bytes:
    return csv_of([head, *rows])


# Dates


@pytest.mark.parametrize(
    ("top", "cell", "expected"),
    [
        ('date_formats = ["%m/%d/%Y %I:%M:%S %p"]', "06/30/2012 11:59:00 PM", datetime(2012, 6, 30, 23, 59)),
        ('date_formats = ["%m/%d/%Y %I:%M:%S %p"]', "06/30/2012 12:00:00 AM", datetime(2012, 6, 30)),
        ('date_formats = ["%Y-%m-%dT%H:%M:%S.%f"]', "2012-06-30T23:59:59.000", datetime(2012, 6, 30, 23, 59, 59)),
        ('time_zone = "Asia/Ho_Chi_Minh"\ndate_formats = ["%Y-%m-%dT%H:%M:%S.%f%z"]', "2026-03-31T18:30:00.000Z",
         datetime(2026, 4, 1, 1, 30)),
        ('time_zone = "Asia/Ho_Chi_Minh"\ndate_formats = ["%Y-%m-%dT%H:%M:%S%z"]', "2026-03-31T18:30:00+02:00",
         datetime(2026, 3, 31, 23, 30)),
        ('time_zone = "America/Chicago"\ndate_formats = ["epoch"]', "1341118740", datetime(2012, 6, 30, 23, 59)),
        ('time_zone = "America/Chicago"\ndate_formats = ["epoch_ms"]', "1341118740000", datetime(2012, 6, 30, 23, 59)),
        ('date_formats = ["excel_serial"]', "46086", datetime(2026, 3, 5)),
        ('date_formats = ["%d-%b-%Y"]', "30-Jun-2012", datetime(2012, 6, 30)),
        ('date_formats = ["%d-%b-%y"]', "30-JUN-12", datetime(2012, 6, 30)),
        ('date_formats = ["%B %d, %Y"]', "June 30, 2012", datetime(2012, 6, 30)),
        ('date_formats = ["ngày %d tháng %m năm %Y"]', "ngày 30 tháng 6 năm 2012", datetime(2012, 6, 30)),
        ('date_formats = ["%d %b %Y"]\nmonth_names = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", '
         '"okt", "nov", "dec"]', "3 mrt. 2012", datetime(2012, 3, 3)),
        ('date_formats = ["%Y-%m-%d %H:%M"]\ntime_zone = "Asia/Ho_Chi_Minh"\nsource_zone = "UTC"', "2026-03-31 18:30",
         datetime(2026, 4, 1, 1, 30)),
        ('date_formats = ["%Y-%m-%d"]\ntime_zone = "Asia/Ho_Chi_Minh"\nsource_zone = "UTC"', "2026-03-31",
         datetime(2026, 3, 31)),
        ('date_formats = ["%d/%m/%Y"]', "05/03/2026", datetime(2026, 3, 5)),
        ('date_formats = ["%m/%d/%Y"]', "05/03/2026", datetime(2026, 5, 3)),
    ],
)  # fmt: skip
def test_a_date_is_read_as_its_layout_declares(tmp_path: Path, top: str, cell: str, expected: datetime) -> None:
    seen = see(tmp_path, a_list(line(In=cell, Due="")), top)
    (row,) = seen.rows.values()
    assert (row["received_at"] or row["received_on"]) == expected
    assert row["received_on"].date() == expected.date()


def test_a_column_may_have_a_form_of_its_own(tmp_path: Path) -> None:
    seen = see(
        tmp_path,
        a_list(line(In="05/01/2026", Out="01/20/2026", Status="done")),
        bottom="""
[columns.paid_at]
headings = ["Paid"]
date_formats = ["%Y%m%d"]
""".replace("paid_at", "returned_at").replace("Paid", "Back"),
    )
    assert seen.refused == {2: ["DATE_INVALID"]}
    layout = BASE.format(kind="csv", top="", bottom="").replace(
        'headings = ["Out"]', 'headings = ["Out"]\ndate_formats = ["%m/%d/%Y"]'
    )
    seen = see(tmp_path, a_list(line(In="05/01/2026", Out="01/20/2026", Status="done")), text=layout)
    assert [day.date() for day in seen.column("finished_on")] == [date(2026, 1, 20)]


def test_days_and_months_are_never_exchanged(tmp_path: Path) -> None:
    rows = [line(f"A-{day}", In=f"{day:02d}/01/2026", Due="") for day in range(1, 13)]
    assert [day.date() for day in see(tmp_path, a_list(*rows)).column("received_on")] == [
        date(2026, 1, day) for day in range(1, 13)
    ]


# Words and numbers


def test_null_words_of_the_layout_and_of_a_column(tmp_path: Path) -> None:
    layout = BASE.format(kind="csv", top='null_words = ["n/a"]', bottom="")
    layout = layout.replace('headings = ["Due"]', 'headings = ["Due"]\nnull_words = ["Không", "chưa có"]')
    rows = [line("A-1", Due="Không"), line("A-2", Due="N/A"), line("A-3", Due="CHƯA CÓ"), line("A-4", Out="Không")]
    seen = see(tmp_path, a_list(*rows), text=layout)
    assert seen.column("due_on") == [None, None, None]
    assert seen.refused == {5: ["DATE_INVALID"]}


def test_null_words_may_be_patterns(tmp_path: Path) -> None:
    layout = BASE.format(kind="csv", top="", bottom="").replace('["Out"]', '["Out"]\nnull_words = ["/quá hạn .*/"]')
    cells = ("Quá hạn 12 ngày", "06/01/2026", "Quá hạn")
    seen = see(tmp_path, a_list(*(line(f"A-{at}", Out=cell) for at, cell in enumerate(cells))), text=layout)
    assert seen.column("finished_on") == [None, datetime(2026, 1, 6)] and seen.refused == {4: ["DATE_INVALID"]}


def test_every_other_word_has_a_code_where_the_layout_says_so(tmp_path: Path) -> None:
    rows = [line("A-1", Channel="WEB"), line("A-2", Channel="Phone"), line("A-3")]
    assert see(tmp_path, a_list(*rows)).refused == {3: ["UNKNOWN_CHANNEL"]}
    layout = BASE.format(kind="csv", top="", bottom="").replace('{ "Web" = "2" }', '{ "Web" = "2" }\notherwise = "1"')
    assert see(tmp_path, a_list(*rows), text=layout).column("channel") == [2, 1, None]
    layout = layout.replace('otherwise = "1"', 'otherwise = ""')
    assert see(tmp_path, a_list(*rows), text=layout).column("channel") == [2, None, None]
    layout = layout.replace('{ "Web" = "2" }', '{ "Web" = "2", "" = "3" }')
    assert see(tmp_path, a_list(*rows), text=layout).column("channel") == [2, None, 3], "the empty cell has a code"


def events(top: str, columns: str) -> str:
    """A layout of a log with one row an event; a case is received by its first."""
    return f"""
id = "list"
title = "Events"
feed = "dossier"
kind = "csv"
several_rows = "events"
{top}
[columns.dossier_code]
headings = ["Code"]
required = true
[columns.received_at]
headings = ["Time"]
required = true
pick = "first"
[columns.finished_at]
headings = ["Time"]
when = {{ column = "activity", in = ["Decide", "Withdraw"] }}
[columns.unit_name]
headings = ["Unit"]
[columns.row_at]
headings = ["Time"]
[columns.activity]
headings = ["Activity"]
helper = true
{columns}
"""


def test_the_events_of_a_case_tell_how_it_ended_and_none_that_it_is_open(tmp_path: Path) -> None:
    status = """
[columns.status]
headings = ["Activity"]
when = { column = "activity", in = ["Decide", "Withdraw"] }
codes = { "Decide" = "9", "Withdraw" = "7", "" = "4" }
"""
    cells = [["Code", "Unit", "Activity", "Time"]]
    for code, last in (("A", "Decide"), ("B", "Withdraw"), ("C", "Check")):
        cells += [[code, "xã Ba", "Receive", "05/01/2026 08:00"], [code, "xã Ba", last, "20/01/2026 10:00"]]
    seen = see(tmp_path, csv_of(cells), text=events("", status))
    assert (seen.column("status"), seen.refused) == ([9, 7, 4], {})
    ends = [row["finished_on"] for row in seen.rows.values()]
    assert [str(end)[:10] for end in ends] == ["2026-01-20", "2026-01-20", "None"]


def test_codes_of_statuses_and_of_units(tmp_path: Path) -> None:
    layout = BASE.format(kind="csv", top="", bottom="")
    layout = layout.replace('headings = ["Status"]', 'headings = ["Status"]\ncodes = { "Closed - no action" = "9" }')
    layout = layout.replace(
        'headings = ["Unit"]', 'headings = ["Unit"]\ncodes = { "DPW" = "18373" }\notherwise = "18374"'
    )
    rows = [line("A-1", Status="closed - NO action", Unit="dpw"), line("A-2", Unit="Fire"), line("A-3", Status="Xong")]
    seen = see(tmp_path, a_list(*rows), text=layout)
    assert (seen.column("status"), seen.column("unit_code")) == ([9, 4], ["18373", "18374"])
    assert seen.refused == {4: ["UNKNOWN_STATUS"]}


def test_yes_and_no_words(tmp_path: Path) -> None:
    bottom = '[columns.data_reused]\nheadings = ["Reused"]\n[columns.result_digitised]\nheadings = ["Digital"]\ncodes = { "P" = "1", "-" = "" }'
    rows = [
        [*line(f"A-{at}"), reused, digital]
        for at, (reused, digital) in enumerate([("Y", "P"), ("n", "-"), ("Có", "x")])
    ]
    seen = see(
        tmp_path, a_list(*rows, head=[*HEAD, "Reused", "Digital"]), 'yes_words = ["Y"]\nno_words = ["N"]', bottom
    )
    assert seen.column("data_reused") == [True, False, True]
    assert seen.column("result_digitised") == [True, None, True]


@pytest.mark.parametrize(
    ("settings_of", "cells"),
    [
        ("", {"1.234": 1234, "1.234,0": 1234, "95,5": "NUMBER_FORMAT", "nan": "NUMBER_FORMAT", "-3": "RANGE"}),
        ("decimals = 2", {"95,5": 9550, "1.234,56": 123456, "0,005": 1, "7": 700, "inf": "NUMBER_FORMAT"}),
        ('decimals = 2\nthousands = ","\ndecimal = "."', {"1,234.5": 123450, "$95.50": 9550, "1234.5": 123450, "95,5": "NUMBER_FORMAT"}),
        ('thousands = " "', {"1 234 567": 1234567, "1.234": "NUMBER_FORMAT"}),
    ],
)  # fmt: skip
def test_numbers_are_read_as_their_column_declares(tmp_path: Path, settings_of: str, cells: Mapping[str, Any]) -> None:
    layout = BASE.format(kind="csv", top="", bottom="").replace(
        'headings = ["Fee"]', f'headings = ["Fee"]\n{settings_of}'
    )
    seen = see(tmp_path, a_list(*(line(f"A-{cell}", Fee=cell) for cell in cells)), text=layout)
    found = {
        cell: seen.refused[row][0] if row in seen.refused else seen.rows[row]["fee_amount"]
        for row, cell in enumerate(cells, 2)
    }
    assert found == cells


# Codes and units


def test_sixteen_digits_of_a_number_are_whole_where_one_does_not_end_with_zero(tmp_path: Path) -> None:
    for last, refused in ((0, {3, 4}), (7, set())):
        rows = [
            HEAD,
            line("A-1"),
            *([code, *line()[1:]] for code in (2_603_020_000_010_030, 2_603_020_000_010_040 + last)),
        ]
        seen = see(tmp_path, workbook(rows), kind="xlsx")
        assert seen.refused == {row: ["DOSSIER_CODE_ROUNDED"] for row in refused}


def test_codes_that_passed_through_a_spreadsheet(tmp_path: Path) -> None:
    rows = [
        line("77.0", Unit="1234"),
        line("77", Unit="1234.0", Due=""),
        line("A-3", Unit="999"),
        line("A-4", Unit="01234"),
    ]
    seen = see(tmp_path, a_list(*rows))
    assert [seen.rows[row]["unit_code"] for row in (2, 5)] == ["01234", "01234"]
    assert seen.refused == {4: ["UNKNOWN_UNIT"]}
    assert seen.rows[2]["dossier_key"] == seen.rows[3]["dossier_key"]


def test_offices_and_short_kinds_before_the_name_of_a_unit(tmp_path: Path) -> None:
    names = ("X. Ba", "UBND X.Ba", "Bộ phận Tiếp nhận và trả kết quả của xã Ba", "Trung tâm Hành chính công xã Ba")
    seen = see(tmp_path, a_list(*(line(f"A-{at}", Unit=name) for at, name in enumerate(names))))
    assert seen.column("unit_code") == ["18374"] * len(names)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("11779", "SCOPE"), ("xã Xa", "SCOPE"), ("UBND xã Xa", "SCOPE"), ("Xa", "UNKNOWN_UNIT"), ("phường Hai", "UNKNOWN_UNIT"), ("", "UNKNOWN_UNIT")],
)  # fmt: skip
def test_a_unit_of_another_province_is_told_apart(tmp_path: Path, name: str, rule: str) -> None:
    assert see(tmp_path, a_list(line(Unit=name))).refused == {2: [rule]}


def test_a_name_that_both_provinces_have_is_ours(tmp_path: Path) -> None:
    assert see(tmp_path, a_list(line(Unit="xã Hai"))).column("unit_code") == ["18373"]


def test_eth_for_dd_is_mended_and_told(tmp_path: Path) -> None:
    bottom = '[columns.field_name]\nheadings = ["Field"]'
    rows = [[*line("A-1"), "Ðất đai"], [*line("A-2"), "Đất đai"]]
    seen = see(tmp_path, a_list(*rows, head=[*HEAD, "Field"]), bottom=bottom)
    assert seen.column("field_name") == ["Đất đai", "Đất đai"]
    assert seen.told == {"HOMOGLYPH": 1}


HELPERS = """
[columns.term]
headings = ["Term"]
helper = true
codes = { "in a day" = "0" }
[columns.day]
headings = ["Day"]
helper = true
[columns.time]
headings = ["Time"]
helper = true
"""


def with_columns(tmp_path: Path, taken_out: str, head: list[str], rows: list[list[str]], more: str) -> Seen:
    """BASE without some columns, with helpers and `more`; the rows have the headings of `head`."""
    text = BASE.format(kind="csv", top="", bottom=HELPERS + more)
    for name in taken_out.split():
        start = text.index(f"[columns.{name}]")
        text = text[:start] + text[text.index("\n[", start) + 1 :]
    return see(tmp_path, csv_of([head, *rows]), text=text)


def test_a_term_in_days_gives_the_day_it_ends(tmp_path: Path) -> None:
    head = ["Code", "Status", "Unit", "In", "Term"]
    # 30/04 and 01/05/2026 are holidays, a Thursday and a Friday; 27/04 is the Monday of the kings' day.
    rows = [
        ["A-1", "open", "Hai", "02/03/2026", "3"],  # Monday
        ["A-2", "open", "Hai", "05/03/2026", "2"],  # Thursday; Saturday and Sunday do not count
        ["A-3", "open", "Hai", "07/03/2026", "in a day"],  # a Saturday: the next working day
        ["A-4", "open", "Hai", "07/03/2026", "1"],
        ["A-5", "open", "Hai", "02/03/2026", ""],
        ["A-6", "open", "Hai", "02/03/2026", "soon"],
        ["A-7", "open", "Hai", "02/03/2026", "-1"],
        ["A-8", "open", "Hai", "", "3"],
    ]
    counted = '[derived.due_at]\nafter = "received_at"\ndays = "term"\n'
    seen = with_columns(tmp_path, "due_at", head, rows, counted + "working = true")
    ends = [day and (day.day, day.month) for day in seen.column("due_on")]
    assert ends == [(5, 3), (9, 3), (9, 3), (9, 3), None]
    assert seen.refused == {7: ["NUMBER_FORMAT"], 8: ["RANGE"], 9: ["RECEIVED_MISSING"]}

    seen = with_columns(tmp_path, "due_at", head, rows, counted)
    ends = [day and (day.day, day.month) for day in seen.column("due_on")]
    assert ends == [(5, 3), (7, 3), (7, 3), (8, 3), None]
    seen = with_columns(tmp_path, "due_at", head, rows[:1], counted.replace('"term"', "56"))
    assert seen.column("due_on") == [datetime(2026, 4, 27)]


def test_a_term_counts_as_the_calendar_says(tmp_path: Path) -> None:
    days = [date(2026, 1, 1) + timedelta(days=at) for at in range(400)]
    off = {date(2026, 3, 3): False, date(2026, 3, 7): True}
    for count in (0, 1, 2, 7, 30):
        found = days_after(
            pd.Series(pd.to_datetime(days)),
            pd.Series([count] * len(days), dtype="Int64"),
            off,
            NIGHT.replace(year=2010),
        )
        assert [day.date() for day in found] == [after_working_days(day, count, off) for day in days]


def test_a_term_passes_over_the_holidays_of_its_country(tmp_path: Path) -> None:
    due = '[derived.due_at]\nafter = "received_at"\ndays = 2\nworking = true'
    text = BASE.format(kind="csv", top='holidays = "US-PA"', bottom=due).replace(
        '[columns.due_at]\nheadings = ["Due"]\n', ""
    )
    for received, expected in (("16/01/2026", (21, 1)), ("30/03/2026", (1, 4))):  # Martin Luther King Day is the 19th
        (day,) = see(tmp_path, a_list(line(In=received)), text=text).column("due_on")
        assert (day.day, day.month) == expected
    with pytest.raises(ReferenceFault, match="holidays"):
        layout_of(tmp_path, text.replace("US-PA", "Texas"))


def test_day_and_time_in_two_columns(tmp_path: Path) -> None:
    head = ["Code", "Status", "Unit", "Day", "Time"]
    rows = [["A-1", "open", "Hai", "05/01/2026", "8:05"], ["A-2", "open", "Hai", "05/01/2026", ""]]
    rows += [["A-3", "open", "Hai", "", "08:05"], ["A-4", "open", "Hai", "05/01/2026", "noon"]]
    joined = '[derived.received_at]\njoin = ["day", "time"]'
    seen = with_columns(tmp_path, "received_at", head, rows, joined)
    assert seen.column("received_at") == [datetime(2026, 1, 5, 8, 5), None]
    assert seen.column("received_on") == [datetime(2026, 1, 5)] * 2
    assert seen.refused == {4: ["RECEIVED_MISSING"], 5: ["DATE_INVALID"]}
    for row, refused in ((rows[1], {}), (rows[3], {2: ["DATE_INVALID"]}), (rows[2], {2: ["RECEIVED_MISSING"]})):
        assert with_columns(tmp_path, "received_at", head, [row], joined).refused == refused  # no time at all

    text = BASE.format(kind="xlsx", top="", bottom=HELPERS + joined).replace(
        '[columns.received_at]\nheadings = ["In"]\nrequired = true\n', ""
    )
    cells = [datetime(2026, 1, 5), time(14, 30)]
    seen = see(tmp_path, workbook([head, ["A-1", "open", "Hai", *cells]]), text=text)
    assert seen.column("received_at") == [datetime(2026, 1, 5, 14, 30)]


def test_the_first_filled_of_several_columns(tmp_path: Path) -> None:
    head = ["Code", "Unit", "In", "Day", "Time"]
    rows = [["A-1", "Hai", "05/01/2026", "06/01/2026", "07/01/2026"], ["A-2", "Hai", "05/01/2026", "", "07/01/2026"]]
    rows += [["A-3", "Hai", "05/01/2026", "", ""]]
    follow = """[derived.finished_at]
first_of = ["day", "time"]
[columns.given]
headings = ["Day"]
helper = true
codes = { "" = "" }
otherwise = "7"
[columns.ended]
headings = ["Time"]
helper = true
codes = { "" = "" }
otherwise = "9"
[derived.status]
first_of = ["given", "ended"]
otherwise = "4"
"""
    seen = with_columns(tmp_path, "status finished_at", head, rows, follow)
    assert seen.column("status") == [7, 9, 4]
    assert [day and day.day for day in seen.column("finished_on")] == [6, 7, None]


def test_a_part_of_a_cell_and_words_by_pattern(tmp_path: Path) -> None:
    head = ["Code", "Status", "In", "Out", "Channel"]
    rows = [
        ["A-1 / NGƯỜI GIẢ", "Done (on time)", "05/01/2026", "Issued: 06/01/2026", "Web - phone"],
        ["A-2 / NGƯỜI GIẢ", "Open, 3 days late", "05/01/2026", "", "Web"],
        ["A-3", "done", "05/01/2026", "Issued: 06/01/2026", "web-portal"],
        ["A-4 / NGƯỜI GIẢ", "Doing", "05/01/2026", "06/01/2026", ""],
    ]
    text = BASE.format(
        kind="csv", top='unit_from = ["dossier_code", "unit_name"]\n[constants]\nunit_name = "Hai"', bottom=""
    )
    text = text.replace('[columns.unit_name]\nheadings = ["Unit"]\n', "")
    text = text.replace('headings = ["Code"]', """headings = ["Code"]\npart = '(\\S+) / .*'""")
    text = text.replace('headings = ["Out"]', """headings = ["Out"]\npart = 'Issued: (.*)'""")
    text = text.replace(
        'headings = ["Status"]',
        """headings = ["Status"]\ncodes = { '/done .*/' = "9", '/open, \\d+ .*/' = "4", "Done" = "10" }""",
    )
    text = text.replace('"Web" = "2"', '"Web" = "2", "/web.*/" = "3"')
    seen = see(tmp_path, csv_of([head, *rows]), text=text)
    assert seen.column("status") == [9, 4] and seen.column("channel") == [3, 2]
    assert seen.refused == {4: ["DOSSIER_CODE_MISSING"], 5: ["DATE_INVALID", "UNKNOWN_STATUS"]}


def test_a_file_without_codes_is_known_by_other_columns(tmp_path: Path) -> None:
    rows = [["open", "Hai", "05/01/2026 08:01", "Web"], ["open", "Hai", "05/01/2026 08:02", "Web"]]
    rows += [rows[0], ["open", "Ba", "05/01/2026 08:01", ""]]
    text = BASE.format(kind="csv", top='code_parts = ["unit_name", "received_at", "channel"]', bottom="")
    text = text.replace('[columns.dossier_code]\nheadings = ["Code"]\nrequired = true\n', "")
    seen = see(tmp_path, csv_of([["Status", "Unit", "In", "Channel"], *rows]), text=text)
    assert len(seen.rows) == 3 and len(set(seen.column("dossier_key"))) == 3 and not seen.refused


def test_numbers_of_each_unit_are_no_codes_of_the_province(tmp_path: Path) -> None:
    rows = [line("1", Unit="xã Hai"), line("1", Unit="xã Ba")]
    assert len(set(see(tmp_path, a_list(*rows)).column("dossier_key"))) == 1
    seen = see(tmp_path, a_list(*rows), 'code_parts = ["unit_name", "dossier_code"]')
    assert len(set(seen.column("dossier_key"))) == 2


# Several rows of one dossier


def test_the_latest_row_counts(tmp_path: Path) -> None:
    rows = [
        [*line("A-1", Status="done", Out="09/01/2026"), "09/01/2026"],
        [*line("A-1"), "05/01/2026"],
        [*line("A-2"), "-"],
    ]
    rows += [[*line(" a-1 "), "02/01/2026"], [*line("A-3"), ""], [*line("A-3", Status="asked"), ""]]
    seen = see(
        tmp_path,
        a_list(*rows, head=[*HEAD, "Written"]),
        'several_rows = "latest"',
        '[columns.row_at]\nheadings = ["Written"]',
    )
    assert {row: state["status"] for row, state in seen.rows.items()} == {2: 9, 7: 5}
    assert seen.refused == {4: ["DATE_INVALID"]}
    assert seen.dropped == {"OLDER_STATE": 3}


def test_events_become_one_dossier(tmp_path: Path) -> None:
    top = 'only_rows = [{ column = "phase", not_in = ["start"] }]\n[derived.status]\nwhen_present = "finished_at"\nthen = "9"\notherwise = "4"'
    phase = '[columns.phase]\nheadings = ["Phase"]\nhelper = true'
    cells = [["Code", "Unit", "Activity", "Time", "Phase"]]
    cells += [
        ["B", "xã Ba", "Decide", "20/01/2026 10:00", "complete"],
        ["A", "xã Hai", "Check", "12/01/2026 09:00", "complete"],
    ]
    cells += [["A", "", "Receive", "05/01/2026 08:00", "complete"], ["A", "", "Receive", "01/01/2026 08:00", "start"]]
    cells += [["B", "xã Ba", "Receive", "06/01/2026 08:00", "complete"]]
    seen = see(tmp_path, csv_of(cells), text=events(top, phase))
    found = {row["unit_code"]: (row["received_at"], row["finished_at"], row["status"]) for row in seen.rows.values()}
    assert found == {
        "18373": (datetime(2026, 1, 5, 8), None, 4),
        "18374": (datetime(2026, 1, 6, 8), datetime(2026, 1, 20, 10), 9),
    }
    assert seen.dropped == {"EVENT": 2, "NOT_WANTED": 1}


def test_a_cell_may_count_only_under_a_condition(tmp_path: Path) -> None:
    layout = BASE.format(kind="csv", top="", bottom="")
    layout = layout.replace('headings = ["Out"]', 'headings = ["Out"]\nwhen = { column = "status", in = ["done"] }')
    rows = [line("A-1", Out="09/01/2026"), line("A-2", Out="09/01/2026", Status="done")]
    assert [day is not None for day in see(tmp_path, a_list(*rows), text=layout).column("finished_on")] == [False, True]


# Rows that are no dossiers


def test_sections_subtotals_totals_and_the_signature_block(tmp_path: Path) -> None:
    blank = [""] * (len(HEAD) - 2)
    cells = [
        ["SỔ THEO DÕI"], HEAD, [f"({at})" for at in range(1, 9)],
        ["I", "UBND xã Hai", *blank], line("A-1", Unit=""), line("A-2", Unit=""), ["Cộng xã Hai", "2", *blank],
        ["II", "UBND xã Ba", *blank], line("A-3", Unit=""), ["Tổng cộng", "1", *blank],
        HEAD, line("A-4", Unit="xã Hai"), ["Tổng số: 4 hồ sơ", "", *blank],
        ["", "", "", "", "", "", "Hà Tĩnh, ngày 10 tháng 4 năm 2026", ""], ["", "NGƯỜI LẬP BIỂU", "", "", "", "", "THỦ TRƯỞNG", ""],
        ["", "Người Giả Lập", "", "", "", "", "Người Giả Ký", ""],
    ]  # fmt: skip
    seen = see(tmp_path, csv_of(cells), "[sections]\nunit_name = '''^[IVX]+ (.+)$'''")
    assert seen.refused == {}
    assert seen.dropped == {
        "COLUMN_NUMBERS": 1, "SECTION": 2, "SUBTOTAL": 2, "REPEATED_HEADER": 1, "TOTAL_ROW": 1, "FOOTER": 3
    }  # fmt: skip
    assert seen.column("unit_code") == ["18373", "18373", "18374", "18373"]
    assert [total[""] for total in seen.reading.totals] == ["4"]


@pytest.mark.parametrize(
    ("row", "claim"),
    [
        (["Tổng số", "25", "", "", "", "", "", ""], "25"), (["Tổng số: 25 hồ sơ"] + [""] * 7, "25"),
        (["", "Tổng cộng", "1.025", "", "", "", "", ""], "1025"), (["Tổng cộng", "", "", "", "", "", "75.000", ""], ""),
        (["Tổng cộng (25)"] + [""] * 7, "25"), (["Tổng cộng", "", "", "", "", "", "", "7"], ""),
        (["25", "Tổng số", "", "", "", "", "", ""], "25"),
    ],
)  # fmt: skip
def test_the_number_of_a_total_row_that_counts_rows(tmp_path: Path, row: list[str], claim: str) -> None:
    seen = see(tmp_path, a_list(line("A-1"), line("A-2", Fee="5.000"), row))
    assert [total[""] for total in seen.reading.totals] == [claim]


def test_a_dossier_is_not_dropped_for_its_words(tmp_path: Path) -> None:
    rows = [
        line("Tổng số", Unit="xã Hai"),
        line("Cộng 1"),
        line("I"),
        ["A-9", "open", "Người lập biểu", "05/01/2026", "", "", "", ""],
    ]
    seen = see(tmp_path, a_list(*rows), "[sections]\ndropped = '''^[IVX]+\\b.*'''")
    assert not seen.dropped and set(seen.refused) == {2, 5}
    assert seen.refused[2] == ["DOSSIER_CODE_MISSING"]  # words, and kept as a row that somebody has to correct


def test_where_another_table_begins_the_first_one_ends(tmp_path: Path) -> None:
    other = [["Out", "Code", "Unit", "Status"], ["06/01/2026", "B-1", "Hai", "done"]]
    rows = [HEAD, line("A-1"), line("A-2"), ["Tổng số: 2 hồ sơ"], ["II. Already  DONE"], *other]
    with pytest.raises(FileRefused, match="SEVERAL_TABLES"):
        see(tmp_path, workbook(rows), kind="xlsx")
    seen = see(tmp_path, workbook(rows), "table_ends = ['ii\\. already .*']", kind="xlsx")
    assert len(seen.rows) == 2 and not seen.refused
    assert seen.dropped == {"TOTAL_ROW": 1, "AFTER_TABLE": 3} and seen.reading.claims == [(2, 2)]
    seen = see(tmp_path, csv_of([*rows, [*line("A-3"), "one", "more"]]), "table_ends = ['ii\\. already .*']")
    assert len(seen.rows) == 2 and not seen.refused and seen.reading.claims == [(2, 2)]
    assert seen.dropped == {"TOTAL_ROW": 1, "AFTER_TABLE": 4}


def test_short_lines_of_csv_are_told_by_what_they_say(tmp_path: Path) -> None:
    """A total, a section and a signature may have fewer cells than the header; data may not."""
    rows = [",".join(HEAD), "I. Land", *(",".join(line(code)) for code in ("A-1", "A-2")), "A-3,open,xã Hai,05/01/2026"]
    rows += ["Tổng số: 3 hồ sơ", "", "Người lập biểu"]
    top = "[sections]\nfield_name = '^[IVX]+\\. (.+)$'"
    seen = see(tmp_path, ("\n".join(rows) + "\n").encode(), top)
    assert seen.column("field_name") == ["Land"] * 2 and seen.refused == {5: ["RAGGED"]}
    assert seen.dropped == {"SECTION": 1, "TOTAL_ROW": 1, "BLANK": 1, "FOOTER": 1}
    assert seen.reading.claims == [(3, 3)]


@pytest.mark.parametrize(
    ("ends", "ragged"),
    [([";", ";", ";"], []), (["; ", ";", ";"], []), ([";", ";", ""], [2, 3]), ([";", ";x", ";"], [2, 3, 4])],
)
def test_a_delimiter_behind_every_row_adds_nothing(tmp_path: Path, ends: list[str], ragged: list[int]) -> None:
    """Where only some rows have it, a cell of theirs may have been cut in two."""
    rows = [";".join(line(f"A-{at}")) + end for at, end in enumerate(ends)]
    seen = see(tmp_path, "\n".join([";".join(HEAD), *rows, "Tổng số: 3 hồ sơ", ""]).encode())
    assert sorted(seen.refused) == ragged and len(seen.rows) == 3 - len(ragged)
    assert seen.dropped == {"TOTAL_ROW": 1} and seen.reading.claims == [(3, 3)]


def test_a_signature_amid_the_rows_is_no_footer(tmp_path: Path) -> None:
    seen = see(tmp_path, a_list(line("A-1"), ["Người lập", *[""] * 7], line("A-2")))
    assert len(seen.rows) == 2 and set(seen.refused) == {3} and not seen.dropped


# Headings


def test_patterns_of_headings(tmp_path: Path) -> None:
    head = [*HEAD, "Giấy tờ 1", "GIẤY TỜ 12", "Tên người 3", "Giấy tờ"]
    seen = see(
        tmp_path,
        a_list([*line(), "a", "b", "c", "d"], head=head),
        'ignored = ["/giấy tờ \\\\d+/"]\npersonal = ["/tên người.*/"]',
    )
    assert seen.reading.unlisted == ["Giấy tờ"]


def test_a_header_of_two_rows_in_csv_and_workbook(tmp_path: Path) -> None:
    text = (
        BASE.format(kind="{kind}", top="header_depth = 2", bottom="")
        .replace('"In"', '"Ngày | nhận"')
        .replace('"Due"', '"Ngày | hẹn"')
    )
    head = [["Code", "Status", "Unit", "Ngày", "", "Out"], ["", "", "", "nhận", "hẹn", ""]]
    body = ["A-1", "open", "xã Hai", "05/01/2026", "12/01/2026", ""]
    for kind, content in (
        ("csv", csv_of([*head, body])),
        ("xlsx", workbook([*head, body], merges=[(0, 3, 0, 4), (0, 0, 1, 0)])),
    ):
        (row,) = see(tmp_path, content, text=text.replace("{kind}", kind)).rows.values()
        assert (row["received_on"].day, row["due_on"].day) == (5, 12)


def test_a_header_is_as_deep_as_what_it_ignores(tmp_path: Path) -> None:
    text = BASE.format(kind="xlsx", top='header_depth = 2\nignored = ["Done | early", "Done | late"]', bottom="")
    head = [["Code", "Status", "Unit", "In", "Done", ""], ["", "", "", "", "early", "late"]]
    numbers = [f"({at})" for at in range(1, 7)]
    body = ["A-1", "open", "xã Hai", "05/01/2026", "", "x"]
    merges = [(0, 4, 0, 5), *((0, at, 1, at) for at in range(4))]
    seen = see(tmp_path, workbook([*head, numbers, body], merges=merges), text=text)
    assert list(seen.rows) == [4] and seen.dropped == {"COLUMN_NUMBERS": 1} and not seen.reading.unlisted


def test_a_column_without_a_heading_may_be_ignored(tmp_path: Path) -> None:
    content = a_list(["0", *line()], head=["", *HEAD])
    assert see(tmp_path, content).reading.unlisted == ["cột A không có tiêu đề"]
    assert see(tmp_path, content, 'ignored = [""]').reading.unlisted == []


def test_a_usual_column_that_vanished_is_told_a_shorter_form_is_not(tmp_path: Path) -> None:
    text = (
        BASE.format(kind="csv", top="", bottom="")
        .replace('"Due"]', '"Due"]\nusual = true')
        .replace('"Out"]', '"Out"]\nusual = true')
        .replace('"Fee"]', '"Fee"]\nusual = true')
    )

    def vanished(*gone: str) -> list[str]:
        rows = csv_of(
            [[cell for heading, cell in zip(HEAD, row, strict=True) if heading not in gone] for row in (HEAD, line())]
        )
        found: list[str] = see(tmp_path, rows, text=text).reading.vanished
        return found

    assert vanished() == [] and vanished("Due") == ["Due"] and vanished("Due", "Out") == []


# Workbooks


def sheets(*named: tuple[str, list[list[Any]]], hidden: Sequence[str] = (), epoch_1904: bool = False) -> bytes:
    import io

    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": epoch_1904}) as book:
        for name, cells in named:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(cells):
                sheet.write_row(number, 0, row)
            if name in hidden:
                sheet.hide()
    return buffer.getvalue()


def test_several_sheets_and_a_unit_a_sheet(tmp_path: Path) -> None:
    book = sheets(
        ("Hai", [HEAD, line("A-1", Unit="")]), ("Ba", [["Danh sách"], HEAD, line("A-2", Unit="")]), ("Ghi chú", [["x"]])
    )
    with pytest.raises(FileRefused, match="SEVERAL_SHEETS"):
        see(tmp_path, book, kind="xlsx")
    seen = see(tmp_path, book, 'several_sheets = true\nunit_from = ["unit_name", "sheet"]', kind="xlsx")
    assert [(row["sheet"], row["row_no"], row["unit_code"]) for row in seen.rows.values()] == [
        ("Hai", 2, "18373"),
        ("Ba", 3, "18374"),
    ]


def test_titles_of_each_sheet_are_said_of_its_rows_with_codes_of_their_own(tmp_path: Path) -> None:
    text = BASE.format(kind="xlsx", top="several_sheets = true", bottom='[titles]\nunit_name = "^Đơn vị: (.+)$"')
    text = text.replace('headings = ["Unit"]', 'headings = []\ncodes = { "Khu H" = "xã Hai" }')
    one = ("1", [["Đơn vị: Khu H"], HEAD, line("A-1")])
    book = sheets(one, ("2", [["Sổ"], ["Đơn vị: xã Ba"], HEAD, line("A-2")]))
    seen = see(tmp_path, book, text=text)
    assert seen.column("unit_code") == ["18373", "18374"]


def test_a_hidden_sheet_is_told_and_not_read_unless_it_is_named(tmp_path: Path) -> None:
    book = sheets(("Mới", [HEAD, line("A-1")]), ("Cũ", [HEAD, line("A-2"), line("A-3")]), hidden=["Cũ"])
    seen = see(tmp_path, book, kind="xlsx")
    assert len(seen.rows) == 1 and seen.reading.hidden_sheets == 1
    assert len(see(tmp_path, book, 'sheet = "CŨ"', kind="xlsx").rows) == 2
    assert see(tmp_path, book, 'sheet = "/cũ|mới/"\nseveral_sheets = true', kind="xlsx").reading.rows_read == 3


def test_a_sheet_that_has_few_of_the_headings_is_told(tmp_path: Path) -> None:
    counts = [["Status", "Hồ sơ"], ["open", "1"]]
    book = sheets(("Danh sách", [HEAD, line("A-1")]), ("Thống kê", counts), ("Ghi chú", [["x"]]))
    seen = see(tmp_path, book, kind="xlsx")
    assert (len(seen.rows), seen.reading.passed_over) == (1, ["Thống kê"])


def test_cells_merged_downwards_count_for_each_row_and_empty_ones_for_none(tmp_path: Path) -> None:
    cells = [HEAD, line("A-1"), line("A-2", Unit=""), line("A-3", Unit=""), line("A-4", Unit="")]
    seen = see(tmp_path, workbook(cells, merges=[(1, 2, 3, 2)]), kind="xlsx")
    assert seen.column("unit_code") == ["18373"] * 3
    assert seen.refused == {5: ["UNKNOWN_UNIT"]}


@pytest.mark.parametrize(("epoch_1904", "serial"), [(False, 46086), (True, 44624)])
def test_a_serial_without_a_format_is_a_day_of_its_workbook(tmp_path: Path, epoch_1904: bool, serial: int) -> None:
    row: list[Any] = line("A-1", Due="")
    row[3] = serial
    seen = see(tmp_path, sheets(("a", [HEAD, row]), epoch_1904=epoch_1904), kind="xlsx")
    assert [day.date() for day in seen.column("received_on")] == [date(2026, 3, 5)]


def test_a_procedure_code_that_became_a_number(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[*line("A-1"), 2.000930], [*line("A-2"), 1.000656], [*line("A-3"), "1.0006567"]]
    seen = see(
        tmp_path,
        sheets(("a", [[*HEAD, "TTHC"], *rows])),
        bottom='[columns.procedure_code]\nheadings = ["TTHC"]',
        kind="xlsx",
    )
    assert seen.column("procedure_code") == ["2.000930", "1.000656"]
    assert seen.refused == {4: ["CODE"]}


def test_a_legacy_workbook_where_the_layout_declares_it(tmp_path: Path) -> None:
    import io

    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Danh sách")
    day = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for number, cells in enumerate([["DANH SÁCH"], HEAD, line("A-1", Out=""), line("A-2", Unit="")]):
        for place, cell in enumerate(cells):
            if cell == "05/01/2026":
                sheet.write(number, place, datetime(2026, 1, 5), day)
            elif not (place == 2 and number in {2, 3}):
                sheet.write(number, place, cell)
    sheet.merge(2, 3, 2, 2)
    sheet.write(2, 2, "xã Hai")
    content = io.BytesIO()
    book.save(content)
    seen = see(tmp_path, content.getvalue(), kind="xls")
    assert seen.column("unit_code") == ["18373", "18373"]
    assert {day.date() for day in seen.column("received_on")} == {date(2026, 1, 5)}
    with pytest.raises(FileRefused, match="LEGACY_XLS"):
        see(tmp_path, content.getvalue(), kind="xlsx")
    with pytest.raises(FileRefused, match="TYPE_MISMATCH"):
        see(tmp_path, a_list(line()), kind="xls")


HTML = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="utf-8"></head><body>
<table><tr><td>menu</td></tr></table>
<table border=1><tr><th colspan=8>DANH S&Aacute;CH</th></tr>
<tr><th rowspan="2">Code</th><th rowspan="2">Status</th><th rowspan="2">Unit</th><th colspan="2">Ngày</th><th rowspan=2>Out</th></tr>
<tr><th>nhận</th><th>hẹn</th></tr>
<tr><td>A-1</td><td>open</td><td rowspan=2>xã&nbsp;Hai</td><td>05/01/2026</td><td>12/01/2026<br></td><td></td></tr>
<tr><td>A-2</td><td>open</td><td>06/01/2026</td><td></td><td></td></tr></table></body></html>"""


def test_an_html_table_where_the_layout_declares_it(tmp_path: Path) -> None:
    text = (
        BASE.format(kind="html", top="header_depth = 2", bottom="")
        .replace('"In"', '"Ngày | nhận"')
        .replace('"Due"', '"Ngày | hẹn"')
    )
    seen = see(tmp_path, HTML.encode(), text=text)
    assert seen.column("unit_code") == ["18373", "18373"]
    assert [day.day for day in seen.column("received_on")] == [5, 6]
    apart = HTML.replace("xã&nbsp;Hai", "<!-- 1 --><div>xã</div>Hai<script>x</script>")
    assert see(tmp_path, apart.encode(), text=text).column("unit_code") == ["18373", "18373"]
    for cut in (HTML.partition("</table></body>")[0], HTML.partition("<td>06/01/2026")[0]):  # behind a whole menu
        with pytest.raises(FileRefused, match="FILE_TRUNCATED"):
            see(tmp_path, cut.encode(), text=text)
    for other, kind in ((HTML, "csv"), ("<html><form>sign in</form></html>", "html"), ("Code,Status", "html")):
        with pytest.raises(FileRefused, match="TYPE_MISMATCH"):
            see(tmp_path, other.encode(), text=text.replace('"html"', f'"{kind}"'))


# JSON

JSON = BASE.format(kind="{kind}", top="{top}", bottom="")
RECORD = {"Code": "A-1", "status": "open", "Unit": "xã Hai", "In": "05/01/2026"}


def test_records_in_an_envelope_as_lines_and_as_rows_of_cells(tmp_path: Path) -> None:
    one, other = RECORD, {**RECORD, "Code": "A-2"}
    names = list(one)
    rows = [list(one.values()), list(other.values())]
    meta = {"view": {"columns": [{"name": name} for name in names]}}
    for kind, top, content in (
        ("json", 'records = "result.records"', {"result": {"records": [one, other]}}),
        ("json", 'records = "data"\nrecord_fields = "meta.view.columns.name"', {"meta": meta, "data": rows}),
        ("json", 'records = "data"\nrecord_fields = "first_row"', {"data": [names, *rows]}),
        ("json", 'records = "features.attributes"', {"features": [{"attributes": one}, {"attributes": other}]}),
        ("ndjson", "", f"{json.dumps(one)}\n\n{json.dumps(other)}\n"),
    ):
        text = JSON.replace("{kind}", kind).replace("{top}", top)
        seen = see(tmp_path, (content if isinstance(content, str) else json.dumps(content)).encode(), text=text)
        assert seen.column("unit_code") == ["18373", "18373"] and seen.reading.unlisted == [], top


def test_the_first_of_a_list_of_names(tmp_path: Path) -> None:
    take = 'headings = ["office.name"]\ntake = { how = "first", list = "office.name", item = "text" }'
    text = JSON.replace("{kind}", "json").replace("{top}", "").replace('headings = ["Unit"]', take)
    names = [{"lang": 1, "text": "xã Ba"}, {"lang": 2, "text": "Commune Three"}]
    record = {**{name: text for name, text in RECORD.items() if name != "Unit"}, "office": {"name": names}}
    assert see(tmp_path, json.dumps([record]).encode(), text=text).column("unit_code") == ["18374"]
    with pytest.raises(ReferenceFault, match="'second' is none of"):
        layout_of(tmp_path, text.replace('"first"', '"second"'))


def test_envelopes_that_are_not_there(tmp_path: Path) -> None:
    for top, content in (
        ('records = "data"', [RECORD]),
        ('records = "data"', {"data": {}}),
        ('records = "data"\nrecord_fields = "x"', {"data": []}),
    ):
        with pytest.raises(FileRefused, match="JSON_SHAPE"):
            see(tmp_path, json.dumps(content).encode(), text=JSON.replace("{kind}", "json").replace("{top}", top))
    top = 'records = "d"\nrecord_fields = "n"'
    seen = see(
        tmp_path,
        json.dumps({"n": list(RECORD), "d": [list(RECORD.values()), ["A-2"]]}).encode(),
        text=JSON.replace("{kind}", "json").replace("{top}", top),
    )
    assert len(seen.rows) == 1 and seen.refused == {2: ["JSON_SHAPE"]}
    with pytest.raises(FileRefused, match=r"FILE_TRUNCATED.*dòng 2"):
        see(tmp_path, b'{"Code": "A"}\n{"Code"', text=JSON.replace("{kind}", "ndjson").replace("{top}", ""))


def test_an_object_counts_as_its_parts(tmp_path: Path) -> None:
    text = JSON.replace("{kind}", "json").replace("{top}", 'personal = ["owner"]').replace('"Unit"', '"office.name"')
    record = {**RECORD, "office": {"name": "xã Ba", "id": 7}, "owner": {"name": "Người Giả"}}
    del record["Unit"]
    seen = see(tmp_path, json.dumps([record]).encode(), text=text)
    assert seen.column("unit_code") == ["18374"] and seen.reading.unlisted == ["office.id"]


# Bytes


@pytest.mark.parametrize("encoding", ["tcvn3", "vni", "cp1258", "latin-1", "utf-16"])
def test_legacy_text_is_read_where_it_is_declared_and_refused_elsewhere(tmp_path: Path, encoding: str) -> None:
    register()
    word = "é à ü" if encoding == "latin-1" else "xã Hai"
    text = (
        "Code,Status,Unit,In\nA-1,open,xã Hai,05/01/2026\n"
        if encoding != "latin-1"
        else f"Code,Status,Unit,In\nA-1,open,18373,05/01/2026\n{word},,,\n"
    )
    content = text.encode() if encoding == "x" else _encoded(text, encoding)
    seen = see(tmp_path, content, f'encodings = ["utf-8", "{encoding}"]')
    assert seen.rows[2]["unit_code"] == "18373"
    if encoding != "utf-16":
        with pytest.raises(FileRefused, match="ENCODING"):
            see(tmp_path, content)


def _encoded(text: str, encoding: str) -> bytes:
    import unicodedata

    if encoding == "cp1258":
        marks = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
        parts = [unicodedata.normalize("NFD", letter) for letter in text]
        text = "".join(
            unicodedata.normalize("NFC", "".join(c for c in part if c not in marks))
            + "".join(c for c in part if c in marks)
            for part in parts
        )
    return text.encode(encoding)


@pytest.mark.parametrize("encoding", ["tcvn3", "vni"])
def test_every_vietnamese_letter_survives_a_legacy_encoding(encoding: str) -> None:
    register()
    assert len(set(LETTERS)) == 134
    every = "".join(a + b for a in LETTERS for b in LETTERS + "aoueAOUEnNiIyY ")
    assert every.encode(encoding).decode(encoding) == every
    with pytest.raises(UnicodeDecodeError):
        b"a\xb0\xfe\xff".decode(encoding)


# Faults


@pytest.mark.parametrize(
    ("line_of", "told"),
    [
        ('sheets = "a"', "sheets"), ('several_rows = "newest"', "several_rows"), ('time_zone = "Mars/Base"', "time_zone"),
        ('date_formats = ["%d/%m/%Y %z"]', "time_zone"), ('date_formats = ["dd/MM/yyyy"]', "date_formats"), ('date_formats = ["epoch"]', "time_zone"),
        ('encodings = ["tcvn4"]', "encodings"), ('ignored = ["/(/"]', "ignored"), ('ignored = "STT"', "ignored"), ('month_names = ["jan"]', "month_names"),
        ('only_rows = [{ column = "phase", in = ["x"] }]', "only_rows"), ('only_rows = [{ column = "status" }]', "only_rows"), ('unit_from = ["desk"]', "unit_from"),
        ('code_parts = ["year"]', "code_parts"), ('[sections]\nunit_name = "^I"', "sections.unit_name"), ('[titles]\nunit_name = "("', "titles.unit_name"),
        ('source_zone = "UTC"', "source_zone"), ('record_fields = "a"', "record_fields"), ('delimiters = ["||"]', "delimiters"), ('header_depth = 0', "header_depth"),
        ('valid_from = 2026-02-01\nvalid_to = 2026-01-01', "valid_to"), ('[derived.status]\nwhen_present = "nothing"\nthen = "9"\notherwise = "4"', "derived.status"),
        ('[derived.due_at]\nafter = "finished_at"\ndays = 5', "columns.due_at"), ('[derived.paid_at]\nafter = "finished_at"', "needs `days`"),
        ('[derived.paid_at]\nafter = "finished_at"\ndays = "term"', "'term' is no column"), ('[derived.field_name]\nafter = "due_at"\ndays = 1', "derived.field_name"),
        ('[derived.paid_at]\nfirst_of = ["due_at"]\nthen = "1"', "derived.paid_at"), ('[derived.paid_at]\njoin = "due_at"', "join"), ('[derived.paid_at]\nafter = "due_at"\ndays = -1', "days"),
        ('[derived.paid_at]\nafter = "due_at"\ndays = 1\nworking = "yes"', "working"), ('[derived.dossier_code]\njoin = ["status", "channel"]', "code_parts"),
        ('code_parts = ["paid_at"]\n[derived.paid_at]\njoin = ["due_at"]', "code_parts"), ('table_ends = ["("]', "table_ends"),
        ('earliest = 1899-12-31', "earliest"),
        ('only_rows = [{ column = "status", in = ["/(/"] }]', "only_rows"), ('null_words = ["/(/"]', "null_words"),
        ('[derived.paid_at]\nfirst_of = ["returned_at"]', "'returned_at' is empty in every row"), ('only_rows = [{ column = "row_at", in = ["x"] }]', "is empty in every row"), ('kind = "pdf"', "kind"),
    ],
)  # fmt: skip
def test_a_fault_of_a_layout_names_file_and_setting(tmp_path: Path, line_of: str, told: str) -> None:
    text = BASE.format(kind="csv", top=line_of, bottom="")
    if line_of.startswith("kind"):
        text = text.replace('kind = "csv"\n', "")
    tomllib.loads(text)
    with pytest.raises(ReferenceFault) as fault:
        layout_of(tmp_path, text)
    assert "list.toml" in str(fault.value) and told in str(fault.value)


_OF_ANOTHER_TYPE = ("[1]", '"no"', "true", "2026-01-31T08:00:00")


def _takes(declared: str) -> set[str]:
    """Which of these values a setting declared so may have; a text may be none of the words known, so it is let out."""
    if declared.startswith("str"):
        return {'"no"'}
    return {"true"} if declared == "bool" else set()


@pytest.mark.parametrize("kind", [Layout, Column])
def test_a_setting_of_another_type_is_told_by_its_name(tmp_path: Path, kind: type[Layout | Column]) -> None:
    base = BASE.format(kind="csv", top="", bottom="")
    raw = tomllib.loads(base)
    for one in fields(kind):
        if one.name in {"name", "measure", "path", "columns", "take", "headings", "codes"} | (
            set(raw) if kind is Layout else set()
        ):
            continue
        for value in set(_OF_ANOTHER_TYPE) - _takes(str(one.type)):
            set_so = f"{one.name} = {value}\n"
            text = base.replace(
                '[columns.fee_amount]\nheadings = ["Fee"]\n', f'[columns.fee_amount]\nheadings = ["Fee"]\n{set_so}', 1
            )
            if kind is Layout:
                text = f"{set_so}{base}"
            with pytest.raises(ReferenceFault) as fault:
                layout_of(tmp_path, text)
            assert "list.toml" in str(fault.value) and one.name in str(fault.value), set_so


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("colour = 1", "colour"), ('codes = { "a" = "99" }', "codes"), ('otherwise = "1"', "otherwise"), ('pick = "first"', "pick"), ('pick = "any"', "pick"),
        ('when = { column = "nothing", in = ["a"] }', "when"), ("decimals = 9", "decimals"), ('take = { how = "count", list = "a" }', "take"), ('null_words = "x"', "null_words"),
        ('date_formats = ["yesterday"]', "date_formats"), ('headings = []', "headings"), ("part = '.*'", "part"), ("part = '('", "part"), ('codes = { "/(/" = "1" }', "codes"),
    ],
)  # fmt: skip
def test_a_fault_of_a_column_names_file_column_and_setting(tmp_path: Path, setting: str, told: str) -> None:
    text = BASE.format(kind="csv", top="", bottom="").replace(
        'headings = ["Channel"]\ncodes = { "Web" = "2" }',
        f'headings = ["Channel"]\n{setting}' if "headings" not in setting else setting,
    )
    with pytest.raises(ReferenceFault) as fault:
        layout_of(tmp_path, text)
    assert "list.toml" in str(fault.value) and "columns.channel" in str(fault.value) and told in str(fault.value)
