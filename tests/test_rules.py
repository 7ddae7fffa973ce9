"""For each rule a seeded error, and exactly the rules that must find it: no rule without a case, none found by silence.

Rows and files go through real staging; figures are real counters of a loaded night, one of which is then spoiled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from exports import STATUS_WORDS, Row, csv_list, dossier, record
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_status_words
from tthc.reference.sources import read_sources
from tthc.reference.units import read_places
from tthc.rollups import build, check
from tthc.settings import EXPECTATIONS
from tthc.settings import settings as read_settings
from tthc.staging import expectations
from tthc.staging.history import History, Past
from tthc.staging.parse import RULES, Meanings
from tthc.staging.reader_process import ReaderPool
from tthc.staging.stage import stage
from tthc.staging.staged_file import StagedFile
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)
DONE, BACK = STATUS_WORDS[9], STATUS_WORDS[10]
TIMES = {"received_at": "05/01/2026 08:00", "due_at": "12/01/2026 17:00", "finished_at": "09/01/2026 10:30"}


@dataclass(frozen=True, slots=True)
class Seeded:
    """A row that differs from a sound one in these cells. `found`: the rules that must speak of it, of these `columns`
    where several expectations share the rule. `raw`: what to put into the text of the file instead."""

    found: set[str]
    cells: dict[str, str] = field(default_factory=dict)
    column: str = ""
    code: str = ""


def s(rule: str, *also: str, column: str = "", code: str = "", **cells: str) -> Seeded:
    return Seeded({rule, *also}, cells, column, code)


PARSED = {
    "CONTROL_CHAR": s("CONTROL_CHAR", field_name="Hộ\x01tịch"),
    "REPLACEMENT_CHAR": s("REPLACEMENT_CHAR", field_name="Hộ t\ufffdch"),
    "DOSSIER_CODE_MISSING": s("DOSSIER_CODE_MISSING", dossier_code=""),
    "DOSSIER_CODE_ROUNDED": s("DOSSIER_CODE_ROUNDED", code="4,22601E+16"),
    "DOSSIER_CODE_LETTERS": s("DOSSIER_CODE_LETTERS", code="\u041d42.3-260105-9001"),
    "CELL_SHAPE": s("CELL_SHAPE", field_name="{}"),
    "NUL_BYTE": s("NUL_BYTE", field_name="Hộ\x00tịch"),
    "CELL_ERROR": s("CELL_ERROR", field_name="#N/A"),
    "CODE": s("CODE", procedure_code="2.00A15"),
    "DATE_INVALID": s("DATE_INVALID", due_at="31/02/2026"),
    "NUMBER_FORMAT": s("NUMBER_FORMAT", fee_amount="năm nghìn"),
    "RANGE": s("RANGE", fee_amount="-5"),
    "UNKNOWN_STATUS": s("UNKNOWN_STATUS", status="Đang chờ ý kiến giả định"),
    "UNKNOWN_CHANNEL": s("UNKNOWN_CHANNEL", channel="Bồ câu"),
    "UNKNOWN_SERVICE_LEVEL": s("UNKNOWN_SERVICE_LEVEL", service_level="Mức độ 9"),
    "UNKNOWN_PAYMENT_METHOD": s("UNKNOWN_PAYMENT_METHOD", payment_method="Vàng", fee_amount="8.000"),
    "UNKNOWN_FLAG": s("UNKNOWN_FLAG", data_reused="có lẽ"),
    "RECEIVED_MISSING": s("RECEIVED_MISSING", received_at=""),
    "SCOPE": s("SCOPE", unit_name="xã Tân Minh"),
    "UNKNOWN_UNIT": s("UNKNOWN_UNIT", unit_name="UBND xã Không Có Thật"),
}
LOW, HIGH, SENT = "01/02/2009", "01/02/2036", "05/01/2026"
ROWS = [
    s("DUE_BEFORE_RECEIVED", due_at="04/01/2026"),
    s("DATE_ORDER", finished_at="04/01/2026", status=DONE),
    s("DATE_FUTURE", column="received_at", received_at="11/04/2026", submitted_at=SENT, due_at="20/04/2026"),
    s("DATE_FUTURE", column="finished_at", finished_at="11/04/2026", status=DONE),
    s("DATE_RANGE", column="received_at", received_at=LOW, submitted_at=SENT, unit_name="Sở Nội vụ"),
    s("DATE_RANGE", "DATE_FUTURE", column="received_at", received_at=HIGH, submitted_at=SENT, due_at=""),
    s("DATE_RANGE", "DUE_BEFORE_RECEIVED", column="due_at", due_at=LOW),
    s("DATE_RANGE", column="due_at", due_at=HIGH),
    s("DATE_RANGE", "DATE_ORDER", column="finished_at", finished_at=LOW, status=DONE),
    s("DATE_RANGE", "DATE_FUTURE", column="finished_at", finished_at=HIGH, status=DONE),
    s("DATE_RANGE", column="submitted_at", submitted_at=LOW),
    s("DATE_RANGE", column="submitted_at", submitted_at=HIGH),
    s("DATE_RANGE", "RETURNED_BEFORE_FINISHED", column="returned_at", returned_at=LOW, finished_at=SENT, status=BACK),
    s("DATE_RANGE", column="returned_at", returned_at=HIGH, finished_at=SENT, status=BACK),
    s("DATE_RANGE", column="supplement_requested_at", supplement_requested_at=LOW),
    s("DATE_RANGE", column="supplement_requested_at", supplement_requested_at=HIGH),
    s("DATE_RANGE", column="paid_at", paid_at=LOW),
    s("DATE_RANGE", column="paid_at", paid_at=HIGH),
    s("FINISH_MISSING", status=DONE),
    s("FINISH_MISSING", status=BACK),
    s("FINISH_UNEXPECTED", finished_at="09/01/2026"),
    s("FINISH_UNEXPECTED", finished_at="09/01/2026", status=STATUS_WORDS[2]),
    s("PAYMENT_WITHOUT_FEE", payment_method="Trực tuyến", fee_amount="0"),
    s("RETURNED_BEFORE_FINISHED", finished_at="09/01/2026", returned_at="08/01/2026", status=BACK),
    s("CODE_DATE", code="H42.1-260107-{number}"),
    s("END_DATE_MISSING", status=STATUS_WORDS[7]),
    s("END_DATE_MISSING", status=STATUS_WORDS[8]),
    s("PAUSE_DATE_MISSING", status=STATUS_WORDS[5]),
    s("CLOSED_AT_RECEIPT", **{**TIMES, "due_at": "", "finished_at": "05/01/2026 08:00"}, status=DONE),
    s("CODE_FORM", code="HS2026/{number}"),
    s("CODE_PREFIX", code="H77.1-260105-{number}"),
]
# What a rule needs a whole file of its own for, with a test below (of manual input: in test_manual_input) that says so.
ELSEWHERE = {
    "INDICATOR_UNKNOWN",
    "PERCENT_TYPED",
    "DUPLICATE_IN_FILE",
    "DUPLICATE_ACROSS_FILES",
    "RAGGED",
    "JSON_SHAPE",
}
CASES = [*PARSED.values(), *ROWS]


def sound(number: int, code: str = "", **cells: str) -> Row:
    return dossier((code or "H42.1-260105-{number}").format(number=f"{number:04d}"), **cells)


class Desk:
    """Stages files of one source and night as the pipeline does, without a warehouse."""

    def __init__(self, readers: ReaderPool, folder: Path) -> None:
        self._settings, self._readers, self._folder = read_settings(), readers, folder
        self._meanings = Meanings(
            places=read_places(self._settings),
            status_words=read_status_words(self._settings),
            hmac_key=b"synthetic",
            province="42",
            night=NIGHT,
        )

    def stage(self, *contents: bytes, source: str = "mot_cua_csv", history: History | None = None) -> list[StagedFile]:
        files = []
        for place, content in enumerate(contents):
            path = self._folder / f"{place}.{source.rpartition('_')[2]}"
            path.write_bytes(content)
            files.append((path.name, "", path))
        sources, layouts = read_sources(self._settings), read_layouts(self._settings)
        known = frozenset({"1.000656", "1.000894"})
        return stage(files, sources[source], layouts, self._meanings, known, self._readers, history=history)


@pytest.fixture(scope="module")
def desk(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(warehouses.readers, tmp_path_factory.mktemp("desk"))


def told(file: StagedFile) -> dict[int, set[tuple[str, str]]]:
    """Row of the file → (rule, heading) of its refusals."""
    found: dict[int, set[tuple[str, str]]] = {}
    for row, rule, heading in zip(
        *(file.quarantined[name] for name in ("row_no", "rule_id", "column_name")), strict=True
    ):
        found.setdefault(int(row), set()).add((str(rule), str(heading)))
    return found


def warned(file: StagedFile) -> dict[str, int]:
    return {rule: rows for rule, severity, rows, _ in file.findings if severity == expectations.WARNING}


# No rule without a case.


def test_every_rule_has_a_seeded_error() -> None:
    assert set(PARSED) | ELSEWHERE >= set(RULES)
    assert all(rule in seeded.found for rule, seeded in PARSED.items())
    wanted = {(rule.rule_id, rule.column) for rule in expectations.suite("dossier_row")}
    shown = {(rule, seeded.column) for seeded in ROWS for rule in seeded.found if seeded.column}
    alone = {rule for seeded in ROWS for rule in seeded.found if not seeded.column}
    assert {(rule, column) for rule, column in wanted if (rule, column) not in shown} <= {
        (rule, column) for rule, column in wanted if rule in alone | ELSEWHERE
    }
    suites = {path.stem for path in EXPECTATIONS.glob("*.json")}
    assert suites == {
        *("dossier_row", "dossier_sender", "dossier_source", "manual_row", "dossier_file", "figure"),
        "report",  # seeded in test_report_agreement
    }
    assert {rule.rule_id for rule in expectations.suite("dossier_source")} == {"DUPLICATE_ACROSS_SOURCES"}
    for name, cases in (("dossier_sender", SENDERS), ("dossier_file", {**FILES, **WITHOUT_A_PAST, **BESIDE_THE_PAST})):
        assert {rule.rule_id for rule in expectations.suite(name)} == set(cases)
    figures = expectations.suite("figure")
    assert [place for place, _, _ in FIGURES] == list(range(len(figures)))


def test_no_rule_lives_both_in_parsing_and_in_a_suite() -> None:
    for path in EXPECTATIONS.glob("*.json"):
        assert not set(RULES) & {rule.rule_id for rule in expectations.suite(path.stem)}


# Letters that Vietnamese has and other languages of Latin letters hardly do; composed, as every text of ours.
_VIETNAMESE_LETTER = "[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]"


@pytest.mark.parametrize("name", [path.stem for path in sorted(EXPECTATIONS.glob("*.json"))])
def test_each_rule_says_who_why_and_what_in_two_languages(name: str) -> None:
    for rule in expectations.suite(name):
        for words in (rule.vi, rule.en, rule.expected_vi, rule.why_vi, rule.why, rule.source):
            assert len(words) > 8, rule.rule_id
        assert rule.vi != rule.en
        assert re.search(_VIETNAMESE_LETTER, rule.vi)
        assert re.search(_VIETNAMESE_LETTER, rule.why_vi), rule.rule_id
        assert not re.search(_VIETNAMESE_LETTER, rule.why.replace("Tết", "")), rule.rule_id
        assert rule.owner in {"source", "engineer"}
        allowed = {
            "dossier_row": {"quarantine", "warning"},
            "dossier_sender": {"warning"},
            "dossier_source": {"warning"},
            "manual_row": {"quarantine", "warning"},
            "dossier_file": {"hold", "reject", "warning"},
            "figure": {"withhold", "warning"},
            "report": {"warning"},
        }
        assert rule.severity in allowed[name], rule.rule_id


# Rows.


def test_fifty_seeded_errors_are_each_found_by_the_rules_that_name_them(desk: Desk) -> None:
    """All in one file, among sound rows: each is found by its rules and by no other, and no sound row is spoken of."""
    seeded = CASES + [case for case in CASES if "dossier_code" not in case.cells][: max(0, 50 - len(CASES))]
    rows = [sound(number) for number in range(2 * len(seeded))]
    place_of = {}
    for number, case in enumerate(seeded):
        place_of[2 + len(rows)] = case
        rows.append({**sound(1000 + number, case.code), **case.cells})
    assert len(seeded) >= 50
    (file,) = desk.stage(csv_list(rows))
    refused = told(file)
    quarantines = {rule.rule_id for rule in expectations.suite("dossier_row") if rule.severity == "quarantine"} | set(
        RULES
    )
    for row, case in place_of.items():
        assert {rule for rule, _ in refused.get(row, set())} == case.found & quarantines, (row, case)
        if case.column:
            assert file.headings[case.column] in {heading for _, heading in refused[row]}, case
    assert set(refused) <= set(place_of)
    expected: dict[str, int] = {}
    for case in seeded:
        for rule in case.found - quarantines:
            expected[rule] = expected.get(rule, 0) + 1
    assert warned(file) == expected


def test_a_seeded_error_is_found_by_its_rules_alone(desk: Desk) -> None:
    """Each in a file of its own, among sound rows."""
    contents = []
    for place, case in enumerate(ROWS):
        seeded = {**sound(100 * place + 99, case.code), **case.cells}
        contents.append(csv_list([*(sound(100 * place + number) for number in range(20)), seeded]))
    found = [
        ({rule for rule, _ in told(file).get(22, set())} | set(warned(file)), set(told(file)) <= {22})
        for file in desk.stage(*contents)
    ]
    assert found == [(case.found, True) for case in ROWS]


def test_a_sound_file_is_spoken_of_by_no_rule(desk: Desk) -> None:
    (file,) = desk.stage(csv_list([sound(number) for number in range(30)]))
    assert (file.verdict, file.findings, len(file.quarantined)) == ("loaded", [], 0)


def test_two_rows_of_one_dossier_that_differ_are_both_refused(desk: Desk) -> None:
    rows = [*(sound(number) for number in range(10)), sound(3, due_at="13/01/2026")]
    (file,) = desk.stage(csv_list(rows))
    assert {row: {rule for rule, _ in found} for row, found in told(file).items()} == {
        5: {"DUPLICATE_IN_FILE"},
        12: {"DUPLICATE_IN_FILE"},
    }


def test_a_dossier_told_otherwise_by_another_file_is_a_warning_in_both(desk: Desk) -> None:
    first = csv_list([sound(number) for number in range(10)])
    second = csv_list([sound(3, unit_name="UBND xã Cổ Đạm"), sound(4, due_at="13/01/2026"), sound(11)])
    files = desk.stage(first, second)
    assert [warned(file) for file in files] == [{"DUPLICATE_ACROSS_FILES": 1}, {"DUPLICATE_ACROSS_FILES": 1}]
    assert [file.verdict for file in files] == ["loaded", "loaded"]


def test_a_row_with_a_cell_too_many_is_ragged_and_an_element_that_is_none_has_no_shape(desk: Desk) -> None:
    lines = csv_list([sound(number) for number in range(10)]).splitlines()
    (file,) = desk.stage(b"\r\n".join([*lines, lines[-1].replace(b"0009", b"0010") + b",x"]) + b"\r\n")
    assert {row: {rule for rule, _ in found} for row, found in told(file).items()} == {12: {"RAGGED"}}
    records = [*(record(sound(number)) for number in range(10)), 5]
    (file,) = desk.stage(json.dumps(records).encode(), source="dvcqg_json")
    assert {row: {rule for rule, _ in found} for row, found in told(file).items()} == {11: {"JSON_SHAPE"}}


# Senders.


def finished(count: int, **cells: str) -> list[Row]:
    """Sound dossiers brought to the desk and finished or given back, with times; the first waits for a supplement."""
    waiting = sound(9999, status=STATUS_WORDS[5], supplement_requested_at="08/01/2026")
    usual = {**TIMES, **cells}
    return [waiting, *(sound(number, status=(DONE, BACK)[number % 2], **usual) for number in range(count))]


SENDERS: dict[str, list[Row]] = {
    "FINISHED_AT_DUE": [
        *finished(50),
        *(sound(5000 + n, **{**TIMES, "finished_at": TIMES["due_at"]}, status=DONE) for n in range(6)),
    ],
    "SUBMITTED_COPIED": finished(50, channel="Trực tuyến", submitted_at=TIMES["received_at"]),
    "STATUS_COLLAPSED": finished(1000)[1:],
    "CLOSED_AT_RECEIPT_SHARE": finished(30, due_at="", finished_at="05/01/2026", received_at="05/01/2026"),
    "PAID_ONLINE_ALWAYS": finished(300, fee_amount="8.000", payment_method="Trực tuyến"),
    "RESULT_ALWAYS_ELECTRONIC": finished(300, result_electronic="Có"),
}
INNOCENT: dict[str, list[Row]] = {
    "FINISHED_AT_DUE": [
        *finished(60),
        *(sound(5000 + n, **{**TIMES, "finished_at": TIMES["due_at"]}, status=DONE) for n in range(6)),
    ],
    "SUBMITTED_COPIED": finished(60, submitted_at=TIMES["received_at"]),
    "STATUS_COLLAPSED": finished(1000),
    "CLOSED_AT_RECEIPT_SHARE": finished(30, finished_at="05/01/2026", received_at="05/01/2026"),
    "PAID_ONLINE_ALWAYS": [
        *finished(300, fee_amount="8.000", payment_method="Trực tuyến"),
        sound(8000, fee_amount="8.000", payment_method="Tiền mặt", **TIMES, status=DONE),
    ],
    "RESULT_ALWAYS_ELECTRONIC": [
        *finished(300, result_electronic="Có"),
        *(sound(8000 + n, result_electronic="Không", **TIMES, status=DONE) for n in range(2)),
    ],
}


def test_what_a_sender_does_to_all_is_told_and_blocks_nothing(desk: Desk) -> None:
    files = desk.stage(*(csv_list(rows) for rows in SENDERS.values()))
    assert [set(warned(file)) for file in files] == [{rule} for rule in SENDERS]
    assert {file.verdict for file in files} == {"loaded"}
    assert [file.rows_accepted for file in files] == [len(rows) for rows in SENDERS.values()]


def test_what_only_resembles_it_is_not_told(desk: Desk) -> None:
    files = desk.stage(*(csv_list(rows) for rows in INNOCENT.values()))
    assert [warned(file) for file in files] == [{}] * len(INNOCENT)


def test_what_only_all_files_together_show_is_told_of_the_largest(desk: Desk) -> None:
    rows = finished(1000)[1:]
    files = desk.stage(csv_list(rows[:300]), csv_list(rows[300:]))
    assert [set(warned(file)) for file in files] == [set(), {"STATUS_COLLAPSED"}]


# Files.


def _swapped(count: int) -> list[Row]:
    return [sound(number, **({"due_at": "01/01/2026"} if number % 4 == 0 else {})) for number in range(count)]


FILES: dict[str, tuple[list[Row], str]] = {
    "ZERO_ROWS": ([], "held"),
    "COLUMN_SWAP": (_swapped(40), "rejected"),
    "TOTAL_MISMATCH": ([*(sound(n) for n in range(10)), {"dossier_code": "Tổng cộng: 11 hồ sơ"}], "held"),
    "QUARANTINE_SHARE": ([sound(n, **({"status": "?"} if n % 3 else {})) for n in range(30)], "held"),
}


@pytest.mark.parametrize("rule", FILES)
def test_a_file_that_cannot_be_trusted_is_held_or_rejected_by_its_rule(desk: Desk, rule: str) -> None:
    rows, verdict = FILES[rule]
    content = csv_list(rows) if rows else csv_list([sound(1)]).splitlines()[0] + b"\r\n"
    (file,) = desk.stage(content)
    assert (file.verdict, file.reason) == (verdict, rule)


def busy(last: date, a_day: int, days: int = 40) -> list[Row]:
    """So many dossiers received on each working day up to one, of two statuses."""
    received = [last - timedelta(days=back) for back in range(days)]
    return [
        sound(
            number,
            f"H42.1-{on:%y%m%d}-{{number}}",
            received_at=f"{on:%d/%m/%Y}",
            due_at="",
            status=STATUS_WORDS[2 + 2 * (number % 2)],
        )
        for on in received
        if on.weekday() < 5
        for number in range(a_day)
    ]


def nightly(rows: int, nights: int = 28) -> History:
    """So many nights up to this one on which the file had these rows and events until the day before."""
    days = [NIGHT - timedelta(days=back) for back in range(1, nights + 1)]
    return History(
        NIGHT,
        [
            Past(
                night=on,
                file_name="0.csv",
                unit_code="18373",
                rows=rows,
                newest_on=on - timedelta(days=1),
                only_status=None,
                released=False,
            )
            for on in days
        ],
    )


def made_of(rows: int, nights: int = 28, **shares: dict[str, int]) -> History:
    """So many nights up to this one on which the file was made of these."""
    days = [NIGHT - timedelta(days=back) for back in range(1, nights + 1)]
    past = [
        Past(
            night=on,
            file_name="0.csv",
            unit_code="18373",
            rows=rows,
            newest_on=None,
            only_status=None,
            released=False,
            shares=shares,
        )
        for on in days
    ]
    return History(NIGHT, past)


YESTERDAY = NIGHT - timedelta(days=1)
BESIDE_THE_PAST: dict[str, tuple[list[Row], History, str]] = {
    "VOLUME": (busy(YESTERDAY, 2), nightly(rows=145), "held"),
    "VOLUME_RISE": (busy(YESTERDAY, 3), nightly(rows=21), "loaded"),
    "STALE_EXPORT": (busy(YESTERDAY - timedelta(days=1), 10), nightly(rows=290), "held"),
    "DISTRIBUTION": ([row | {"status": STATUS_WORDS[4]} for row in busy(YESTERDAY, 4)], nightly(rows=110), "held"),
    "STATUS_SHARES": (busy(YESTERDAY, 4), made_of(110, status={"2": 40, "4": 40, "9": 80}), "loaded"),
    "CHANNEL_SHARES": (busy(YESTERDAY, 4), made_of(110, channel={"1": 40, "2": 60}), "loaded"),
    "ON_TIME_SHARE": (finished(120), made_of(120, timely={"1": 70, "0": 30}), "loaded"),
    "FIELD_SHARES": (busy(YESTERDAY, 8), made_of(220, field={"a field": 100}), "loaded"),
}
WITHOUT_A_PAST = {"ONE_STATUS": ([sound(n) for n in range(100)], "loaded")}


@pytest.mark.parametrize("rule", BESIDE_THE_PAST)
def test_a_file_unlike_its_own_past_is_found_by_its_rule_alone(desk: Desk, rule: str) -> None:
    rows, history, verdict = BESIDE_THE_PAST[rule]
    (file,) = desk.stage(csv_list(rows), history=history)
    assert (file.verdict, file.reason) == (verdict, rule if verdict == "held" else None)
    assert set(warned(file)) == ({rule} if verdict == "loaded" else set())
    (innocent,) = desk.stage(csv_list(rows), history=nightly(rows=len(rows), nights=27))
    assert innocent.verdict == "loaded"
    assert set(warned(innocent)) == ({"ONE_STATUS"} if rule == "DISTRIBUTION" else set())


def test_a_first_file_of_one_status_is_told_and_loaded(desk: Desk) -> None:
    for rule, (rows, verdict) in WITHOUT_A_PAST.items():
        (file,) = desk.stage(csv_list(rows))
        assert (file.verdict, set(warned(file))) == (verdict, {rule})


# Figures.


FIGURES: list[tuple[int, str, dict[str, Any]]] = []  # place of the expectation, the column spoiled, how


def _figure_cases() -> Iterator[tuple[int, str, dict[str, Any]]]:
    for place, rule in enumerate(expectations.suite("figure")):
        kwargs = rule.expectation["kwargs"]
        if "column_B" in kwargs:
            yield place, rule.rule_id, {kwargs["column_B"]: 1_000_000, "field_code": "x"}
        elif rule.rule_id == "ALL_ON_TIME":
            yield place, rule.rule_id, {"resolved": 1001, "resolved_late": 0, "field_code": "*"}
        elif rule.rule_id == "PERIOD_CHANGE":
            tet = kwargs["max_value"] == 3
            yield place, rule.rule_id, {"change": 3.1 if tet else 1.6, "nights": 28, "short_month": int(tet)}
        else:
            yield place, rule.rule_id, {kwargs["column"]: -1 if kwargs.get("min_value") == 0 else 1}


FIGURES += _figure_cases()


@pytest.fixture(scope="module")
def figures(warehouses: Warehouses) -> Iterator[Warehouse]:
    """Two periods of two units and two fields, so that every relation between figures has something to say."""
    rows = [
        sound(1, **TIMES, status=DONE),
        sound(2, status=STATUS_WORDS[4]),
        sound(3, unit_name="UBND xã Cổ Đạm", received_at="02/03/2026", due_at="09/03/2026", field_name="Chứng thực"),
    ]
    with warehouses.fresh() as made:
        made.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows)})
        yield made


def asked(warehouse: Warehouse, *spoil: str) -> pd.DataFrame:
    """What the figure rules are asked about on this night, after counters were spoiled."""
    with transaction(warehouse.settings) as connection:
        build.compute(connection, night=NIGHT, province="42")
        for change in spoil:
            connection.execute(sa.text(change))
        frame = check.asked(connection)
        connection.rollback()
    return frame


def broken(frame: pd.DataFrame) -> dict[str, int]:
    found: dict[str, int] = {}
    for failure in expectations.check(frame, "figure"):
        if failure.rows:
            found[failure.rule.rule_id] = found.get(failure.rule.rule_id, 0) + len(failure.rows)
    return found


@pytest.fixture(scope="module")
def sound_figures(figures: Warehouse) -> pd.DataFrame:
    return asked(figures)


def test_sound_figures_break_no_rule_and_every_identity_was_asked(sound_figures: pd.DataFrame) -> None:
    assert broken(sound_figures) == {}
    judged = {failure.rule.rule_id for failure in expectations.check(sound_figures, "figure") if failure.applicable}
    assert judged >= {
        "PARTS",
        "CARRIED_OVER",
        "CARRIED_OVER_CHAIN",
        "SUM_OF_UNITS",
        "SUM_OF_FIELDS",
        "SUM_OF_PARTS",
        "BASES_DIFFER",
    }


def test_each_spoiled_figure_is_found_by_its_expectation_alone(sound_figures: pd.DataFrame) -> None:
    """One row a case, each with one counter that contradicts another."""
    frame = sound_figures.iloc[[0] * len(FIGURES)].assign(row_id=range(len(FIGURES)))
    frame = frame.astype(dict.fromkeys((column for _, _, cells in FIGURES for column in cells), object))
    for row, (_, _, cells) in enumerate(FIGURES):
        for column, value in cells.items():
            frame.iloc[row, frame.columns.get_loc(column)] = value
    answers = expectations.check(frame.infer_objects(), "figure")
    assert [answer.rows for answer in answers] == [[row] for row in range(len(FIGURES))]


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("SUM_OF_UNITS", "update fresh set resolved_late = resolved_late + 1, resolved_early = resolved_early - 1 "
         "where unit_code = '42' and field_code = '*' and label = '2026-01'"),
        ("CARRIED_OVER_CHAIN", "update fresh set received = received - 1, dossiers_received = 9 where label = '2026-04' "
         "and calendar = 'VPCP_15_14'"),
        ("SUM_OF_FIELDS", "update fresh set in_progress = in_progress + 1 where field_code <> '*' and label = '2026-04'"),
        ("SUM_OF_PARTS", "update fresh set resolved_late = resolved_late + 1, in_progress = in_progress - 1 "
         "where label = '2026-Q2' and calendar = 'VPCP_15_14'"),
        ("CARRIED_OVER", "update fresh set received = received + 50, dossiers_received = 99 where label = '2026-Q1'"),
    ],
)  # fmt: skip
def test_relations_between_figures_are_asked_of_the_counters_themselves(
    figures: Warehouse, rule: str, spoil: str
) -> None:
    assert rule in broken(asked(figures, spoil))


def test_a_warning_about_figures_withholds_nothing(warehouse: Warehouse) -> None:
    rows = finished(1001)[1:]
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows)})
    (incident,) = warehouse.query("select rule_id, severity, detail from alerts.incident where source_id = 'figures'")
    assert (incident["rule_id"], incident["severity"]) == ("ALL_ON_TIME", "warning")
    assert "18373" in incident["detail"]
    assert warehouse.value("select count(*) from mart.kpi where 'withheld' = any(flags)") == 0
    assert warehouse.figure("on_time", unit="18373", period="2026-01", profile="TT01_06A") == (1001, 1001)


def test_no_result_of_a_seeded_night_holds_a_dossier_code(desk: Desk) -> None:
    rows = [{**sound(1000 + number, case.code), **case.cells} for number, case in enumerate(CASES)]
    (file,) = desk.stage(csv_list([*(sound(number) for number in range(60)), *rows]))
    said = (
        file.quarantined.drop(columns="dossier_key", errors="ignore").to_csv() + repr(file.findings) + str(file.detail)
    )
    assert "H42" not in said
    assert "HS2026" not in said
