"""Reviewed corrections mend, drop and waive what they name and nothing else, and fail when their time has passed."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exports import csv_list, dossier, json_list, workbook
from exports import table as cells_of
from tthc import pipeline
from tthc.domain.errors import ReferenceFault
from tthc.domain.text import may_tell_of_a_person
from tthc.reference.corrections import Correction
from tthc.settings import settings
from warehouses import Warehouse, Warehouses

NIGHT, NEXT, LAST = date(2026, 3, 20), date(2026, 3, 21), date(2026, 3, 23)
A, B, C, D = (f"H42-260105-000{number}" for number in (1, 2, 3, 4))
LIST = "mot_cua_csv/danh-sach.csv"
ODD = {"status": "Đang làm dở"}
LATE = {"due_at": "01/01/2026"}
REVIEWED = {
    "source": "mot_cua_csv",
    "reason": "phần mềm ghi sai",
    "owner": "Văn phòng UBND tỉnh",
    "reviewed_on": date(2026, 3, 1),
    "review_by": date(2026, 6, 30),
}
MAP = {"id": "dang-lam", "column": "status", "text": "Đang làm dở", "action": "map", "to": "Đang xử lý"}
WAIVE = {"id": "hen-truoc", "column": "unit_name", "text": "UBND xã Tiên Điền", "action": "waive",
         "rule": "DUE_BEFORE_RECEIVED"}  # fmt: skip
DROP = {"id": "ban-thu", "column": "field_name", "text": "Bản ghi thử", "action": "drop"}


def entry(correction: dict[str, Any]) -> str:
    def word(value: object) -> str:
        return value.isoformat() if isinstance(value, date) else repr(value) if isinstance(value, int) else f'"{value}"'

    lines = [f"{name} = {word(value)}" for name, value in (REVIEWED | correction).items() if value is not None]
    return "\n".join(["[[correction]]", *lines, ""])


@dataclass
class Desk:
    """A warehouse whose corrections a test writes."""

    warehouse: Warehouse
    overlay: Path

    def correct(self, *corrections: dict[str, Any]) -> None:
        self.overlay.joinpath("corrections.toml").write_text("\n".join(map(entry, corrections)), encoding="utf-8")
        pipeline.init(self.warehouse.settings)

    def replay(self) -> tuple[int, int]:
        with self.warehouse.kept():
            done = pipeline.replay(self.warehouse.settings)
        return done.rows_repaired, done.rows_waived

    def counts(self, name: str = "danh-sach.csv") -> tuple[int, ...]:
        told = self.warehouse.files()[name]
        names = ("rows_read", "rows_accepted", "rows_quarantined", "rows_dropped")
        return tuple(told[one] for one in names)

    def uses(self) -> list[tuple[str, str, int, int]]:
        rows = self.warehouse.query(
            "select file_name, rule_id, rows_accepted, rows_dropped from mart.data_quality "
            "where rule_id like 'CORRECTED%' order by night, file_name, rule_id"
        )
        return [tuple(row.values()) for row in rows]

    def incidents(self) -> list[tuple[str, str, str]]:
        rows = self.warehouse.query("select rule_id, source_id, state from alerts.incident order by incident_id")
        return [tuple(row.values()) for row in rows]

    def states(self) -> list[tuple[int, str]]:
        rows = self.warehouse.query("select row_no, state from core.quarantine order by quarantine_id")
        return [tuple(row.values()) for row in rows]

    def add_up(self) -> None:
        wrong = self.warehouse.query(
            "select file_name from core.delivery where verdict in ('loaded', 'loaded_with_quarantine') and "
            "(rows_read <> rows_accepted + rows_quarantined + rows_dropped + rows_duplicate or rows_quarantined <> "
            "(select count(*) from core.quarantine where quarantine.delivery_id = delivery.delivery_id "
            "and ordinal = 1 and state = 'open'))"
        )
        assert wrong == []


@pytest.fixture
def desk(warehouses: Warehouses, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "corrections.toml").touch()
    with warehouses.fresh(tmp_path) as made:
        yield Desk(made, tmp_path)


# What each action does.


def test_map_mends_the_cells_that_say_exactly_this_text(desk: Desk) -> None:
    desk.correct(MAP, DROP | {"source": "mot_cua_xlsx"})
    rows = [dossier(A), dossier(B, status="  Đang làm  dở "), dossier(C, status="đang làm dở"), dossier(D, **ODD)]
    desk.warehouse.load(NIGHT, {LIST: csv_list(rows)})
    assert desk.warehouse.quarantine() == {("danh-sach.csv", 4, "UNKNOWN_STATUS")}
    assert desk.warehouse.value("select count(*) from core.dossier where status = 4") == 3
    assert desk.uses() == [("danh-sach.csv", "CORRECTED:dang-lam", 2, 0)]
    assert desk.incidents() == [("UNKNOWN_STATUS", "mot_cua_csv", "open")]
    desk.add_up()


def test_two_corrections_do_not_feed_each_other(desk: Desk) -> None:
    names = {"column": "field_name", "action": "map"}
    desk.correct({"id": "a", "text": "Đất", "to": "Nhà", **names}, {"id": "b", "text": "Nhà", "to": "Đất", **names})
    rows = [dossier(A, field_name="Đất"), dossier(B, field_name="Nhà"), dossier(C, field_name="Nhà")]
    desk.warehouse.load(NIGHT, {LIST: csv_list(rows)})
    told = desk.warehouse.query("select field_name, count(*) as n from core.dossier group by 1 order by 1")
    assert [tuple(row.values()) for row in told] == [("Nhà", 1), ("Đất", 2)]


def test_drop_leaves_rows_out_and_counts_them(desk: Desk) -> None:
    desk.correct(DROP)
    rows = [dossier(A), dossier(B, field_name="Bản ghi thử"), dossier(C, field_name="Bản ghi thử", **ODD)]
    desk.warehouse.load(NIGHT, {LIST: csv_list(rows)})
    assert desk.counts() == (3, 1, 0, 2)
    assert desk.uses() == [("danh-sach.csv", "CORRECTED:ban-thu", 0, 2)]
    assert desk.incidents() == []
    desk.add_up()


def test_waive_lets_a_row_break_one_rule_and_no_other(desk: Desk) -> None:
    desk.correct(WAIVE)
    rows = [
        dossier(A),
        dossier(B, **LATE),
        dossier(C, **LATE, finished_at="02/01/2026", status="Đã xử lý xong"),
        dossier(D, **LATE, unit_name="UBND xã Nghi Xuân"),
    ]
    desk.warehouse.load(NIGHT, {LIST: csv_list(rows)})
    assert desk.warehouse.quarantine() == {
        ("danh-sach.csv", 4, "DATE_ORDER"), ("danh-sach.csv", 5, "DUE_BEFORE_RECEIVED")}  # fmt: skip
    assert desk.counts() == (4, 2, 2, 0)
    assert desk.uses() == [("danh-sach.csv", "CORRECTED:hen-truoc", 2, 0)]
    desk.add_up()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_a_row_is_named_by_the_bytes_of_its_file_its_sheet_and_its_number(desk: Desk, kind: str) -> None:
    rows = [dossier(A), dossier(B, **ODD), dossier(C, **LATE), dossier(D, **ODD)]
    source, content, sheet = {
        "csv": ("mot_cua_csv", csv_list(rows), ""),
        "xlsx": ("mot_cua_xlsx", workbook(cells_of(rows)), "DanhSach"),
        "json": ("dvcqg_json", json_list(rows), ""),
    }[kind]
    first = 0 if kind == "json" else 1  # records are counted from 1, a sheet has its header above
    name = f"{source}/a.{kind}"
    place = {"source": source, "file": hashlib.sha256(content).hexdigest(), "sheet": sheet}
    good = "4" if kind == "json" else "Đang xử lý"
    desk.correct(
        {"id": "m", **place, "row": 2 + first, "column": "status", "action": "map", "to": good},
        {"id": "w", **place, "row": 3 + first, "action": "waive", "rule": "DUE_BEFORE_RECEIVED"},
        {"id": "d", **place, "row": 4 + first, "action": "drop"},
        {"id": "other", **place, "file": "0" * 64, "row": 1 + first, "action": "drop"},
    )
    desk.warehouse.load(NIGHT, {name: content})
    assert desk.counts(f"a.{kind}") == (4, 3, 0, 1)
    assert [use[1:] for use in desk.uses()] == [("CORRECTED:d", 0, 1), ("CORRECTED:m", 1, 0), ("CORRECTED:w", 1, 0)]
    assert desk.incidents() == []  # and the one that names other bytes is no failure
    desk.add_up()


def test_a_ragged_row_can_be_dropped_by_its_place(desk: Desk) -> None:
    content = csv_list([dossier(A)]) + b"x,y,z\r\n"
    place = {"file": hashlib.sha256(content).hexdigest(), "sheet": "", "row": 3}
    desk.warehouse.load(NIGHT, {LIST: content})
    assert desk.warehouse.quarantine() == {("danh-sach.csv", 3, "RAGGED")}
    desk.correct({"id": "d", **place, "action": "drop"})
    assert desk.replay() == (0, 1)
    assert (desk.counts(), desk.states()) == ((2, 1, 0, 1), [(3, "waived")])
    desk.add_up()


# Replay.


def test_replay_applies_corrections_to_what_waits_in_quarantine(desk: Desk) -> None:
    rows = [dossier(A), dossier(B, **ODD), dossier(C, **LATE), dossier(D, field_name="Bản ghi thử", **ODD)]
    desk.warehouse.load(NIGHT, {LIST: csv_list(rows)})
    assert desk.counts() == (4, 1, 3, 0)
    desk.correct(MAP, WAIVE, DROP)
    assert desk.replay() == (1, 2)
    desk.warehouse.publish()
    assert desk.counts() == (4, 3, 0, 1)
    assert sorted(desk.states()) == [(3, "repaired"), (4, "waived"), (5, "waived")]
    assert {use[1] for use in desk.uses()} == {"CORRECTED:dang-lam", "CORRECTED:hen-truoc", "CORRECTED:ban-thu"}
    assert {state for _, _, state in desk.incidents()} == {"resolved"}
    before = desk.warehouse.query("select * from core.quarantine order by 1")
    assert desk.replay() == (0, 0)
    assert before == desk.warehouse.query("select * from core.quarantine order by 1")
    desk.add_up()


# The guard.


def test_a_correction_whose_source_was_fixed_fails_once_and_ends_when_it_is_taken_out(desk: Desk) -> None:
    desk.correct(MAP)
    desk.warehouse.load(NIGHT, {LIST: csv_list([dossier(A), dossier(B, **ODD)])})
    assert desk.incidents() == []
    fixed = csv_list([dossier(A), dossier(B), dossier(C)])
    other = csv_list([dossier(D)])
    desk.warehouse.load(NEXT, {LIST: fixed, "mot_cua_csv/b.csv": other})
    desk.warehouse.load(LAST, {LIST: csv_list([dossier(A), dossier(B), dossier(C), dossier(D)])})
    assert desk.incidents() == [("CORRECTION_UNUSED", "mot_cua_csv", "open")]
    (incident,) = desk.warehouse.query("select nights, severity, detail from alerts.incident")
    assert (incident["nights"], incident["severity"]) == (2, "warning")
    assert "«dang-lam» (Văn phòng UBND tỉnh, 30/06/2026): phần mềm ghi sai" in incident["detail"]
    assert desk.warehouse.value("select count(*) from alerts.outbox where kind = 'opened'") == 1
    desk.correct()
    desk.warehouse.publish()
    assert desk.incidents() == [("CORRECTION_UNUSED", "mot_cua_csv", "resolved")]


def test_one_file_of_a_night_that_needs_the_correction_is_enough(desk: Desk) -> None:
    """In whichever batch, in a repeated file too; the others of the source need not hold the text."""
    desk.correct(MAP)
    odd = csv_list([dossier(A, **ODD)])
    for name, content in (("a", csv_list([dossier(B)])), ("b", odd), ("c", csv_list([dossier(C)]))):
        desk.warehouse.load_only(NIGHT, {f"mot_cua_csv/{name}.csv": content})
    desk.warehouse.publish()
    desk.warehouse.load(NEXT, {"mot_cua_csv/b.csv": odd, "mot_cua_csv/d.csv": csv_list([dossier(D)])})
    assert desk.incidents() == []


def test_nothing_is_judged_where_nothing_was_parsed_by_it(desk: Desk) -> None:
    sound = csv_list([dossier(A)])
    desk.warehouse.load(NIGHT, {LIST: sound})
    desk.correct(MAP)
    desk.warehouse.publish()  # parsed before the correction was there
    desk.warehouse.load(NEXT, {LIST: sound})  # the same bytes
    desk.warehouse.load(LAST, {"mot_cua_xlsx/a.xlsx": workbook(cells_of([dossier(B)])), LIST: b"\x00broken"})
    assert not [one for one in desk.incidents() if one[0].startswith("CORRECTION")]


def test_what_still_waits_in_a_repeated_file_may_need_the_correction(desk: Desk) -> None:
    odd = csv_list([dossier(A, **ODD), dossier(B)])
    desk.warehouse.load(NIGHT, {LIST: odd})
    desk.correct(MAP)
    desk.warehouse.load(NEXT, {LIST: odd, "mot_cua_csv/b.csv": csv_list([dossier(C)])})
    assert not [one for one in desk.incidents() if one[0] == "CORRECTION_UNUSED"]


def test_a_repeated_file_that_was_accepted_before_the_correction_may_need_it(desk: Desk) -> None:
    """What it mends was no reason to refuse a row: nothing of the file waits, and its bytes are not parsed again."""
    named = csv_list([dossier(A, field_name="Đất")])
    desk.warehouse.load_only(NIGHT, {LIST: named})
    desk.correct({"id": "ten", "column": "field_name", "text": "Đất", "action": "map", "to": "Đất đai"})
    desk.warehouse.load(NEXT, {LIST: named, "mot_cua_csv/b.csv": csv_list([dossier(C)])})
    assert [one for one in desk.incidents() if one[0] == "CORRECTION_UNUSED"] == []
    fixed = csv_list([dossier(A, field_name="Đất đai")])
    desk.warehouse.load(LAST, {LIST: fixed, "mot_cua_csv/b.csv": csv_list([dossier(C)])})
    assert desk.incidents() == [("CORRECTION_UNUSED", "mot_cua_csv", "open")]


def test_an_overdue_correction_is_no_longer_applied_and_says_so(desk: Desk) -> None:
    desk.correct(MAP | {"review_by": NIGHT}, WAIVE | {"review_by": NIGHT})
    rows = [dossier(A), dossier(B, **ODD), dossier(C, **LATE)]
    desk.warehouse.load(NIGHT, {LIST: csv_list(rows)})
    assert desk.warehouse.quarantine() == set()
    desk.warehouse.load(NEXT, {LIST: csv_list([*rows, dossier(D)])})
    assert {(row, rule) for _, row, rule in desk.warehouse.quarantine()} == {
        (3, "UNKNOWN_STATUS"), (4, "DUE_BEFORE_RECEIVED")}  # fmt: skip
    assert ("CORRECTION_OVERDUE", "mot_cua_csv", "open") in desk.incidents()
    assert "CORRECTION_UNUSED" not in {one[0] for one in desk.incidents()}
    desk.correct(MAP, WAIVE)  # reviewed again
    assert desk.replay() == (1, 1)
    desk.warehouse.publish()
    assert {state for _, _, state in desk.incidents()} == {"resolved"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))), ids=str)
def test_two_nights_give_the_same_in_any_order(desk: Desk, order: tuple[int, ...]) -> None:
    desk.correct(MAP | {"review_by": NIGHT}, WAIVE, DROP)
    nights = [
        (NIGHT, [dossier(A, **ODD), dossier(B, **LATE), dossier(C, field_name="Bản ghi thử")]),
        (NEXT, [dossier(A, **ODD), dossier(B, **LATE, channel="Trực tuyến"), dossier(D)]),
    ]
    for place in order:
        night, rows = nights[place]
        desk.warehouse.load(night, {LIST: csv_list(rows)})
    assert {(row, rule) for _, row, rule in desk.warehouse.quarantine()} == {(2, "UNKNOWN_STATUS")}
    assert desk.warehouse.value("select channel from core.dossier where due_on = '2026-01-01'") == 2
    assert desk.warehouse.value("select count(*) from core.dossier") == 3
    assert [one[0] for one in desk.incidents() if one[2] == "open" and one[0].startswith("CORR")] == [
        "CORRECTION_OVERDUE", "CORRECTION_UNUSED"]  # fmt: skip
    desk.add_up()


# Faults of the file.


def read(overlay: Path, text: str) -> tuple[Correction, ...]:
    overlay.joinpath("corrections.toml").write_text(text, encoding="utf-8")
    return pipeline.corrections_of(replace(settings(), reference_overlay=overlay))


ROW = {"file": "a" * 64, "sheet": "", "row": 3, "column": None, "text": None}


@pytest.mark.parametrize(
    "correction",
    [
        MAP | {"column": "dossier_code", "text": "abc", "to": "abd"},
        MAP | {"column": "Chủ hồ sơ", "text": "abc", "to": "abd"},
        MAP | {"column": "Số CCCD", "text": "abc", "to": "abd"},
        MAP | {"column": "no_such_column"},
        MAP | {"text": "099999999999"},
        MAP | {"to": "Đang xử lý, 0999 999 999"},
        MAP | {"text": "+84.99.999.9999"},
        MAP | {"reason": "hồ sơ H42-260105-0001 ghi sai"},
        MAP | {"owner": "số 0999-999-999"},
        MAP | {"source": "no_such_source"},
        MAP | {"action": "delete"},
        MAP | {"to": None},
        MAP | {"to": "Đang làm dở"},
        MAP | {"column": None},
        MAP | {"text": None},
        MAP | {"row": 3},
        MAP | {"reason": None},
        MAP | {"reason": " "},
        MAP | {"owner": None},
        MAP | {"reviewed_on": None},
        MAP | {"review_by": None},
        MAP | {"review_by": "2026-06-30"},
        MAP | {"review_by": date(2026, 2, 1)},
        MAP | {"until": "x"},
        MAP | {"rule": "DUE_BEFORE_RECEIVED"},
        MAP | {"id": "Hai từ"},
        MAP | ROW,
        DROP | ROW | {"row": 0},
        DROP | ROW | {"row": "3"},
        DROP | ROW | {"file": "danh-sach.csv"},
        DROP | ROW | {"text": "x"},
        DROP | {"to": "x"},
        WAIVE | {"rule": None},
        WAIVE | {"rule": "UNKNOWN_STATUS"},
        WAIVE | {"rule": "DUPLICATE_IN_FILE"},
        WAIVE | {"rule": "DATE_FUTURE"},
        WAIVE | {"rule": "CODE_FORM"},
    ],
    ids=lambda one: " ".join(f"{k}={v}" for k, v in one.items() if (MAP | WAIVE | DROP).get(k) != v)[:50],
)
def test_a_fault_names_the_file_and_the_entry_and_no_text(tmp_path: Path, correction: dict[str, Any]) -> None:
    with pytest.raises(ReferenceFault, match=r"corrections\.toml, correction ('[^']+'|\d+)[:,]") as fault:
        read(tmp_path, entry(correction))
    for word in ("0999", "99999999", "260105"):
        assert word not in str(fault.value)


@pytest.mark.parametrize(
    "text", ["x = 1\n", "[correction]\nid = 'a'\n", "[[corrections]]\nid = 'a'\n", "correction = [1]\n"]
)
def test_the_file_holds_corrections_and_nothing_else(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReferenceFault, match=r"corrections\.toml"):
        read(tmp_path, text)


@pytest.mark.parametrize("second", [MAP, MAP | {"id": "b"}, MAP | {"id": "b", "action": "drop", "to": None}])
def test_no_two_corrections_of_one_place_or_id(tmp_path: Path, second: dict[str, Any]) -> None:
    with pytest.raises(ReferenceFault, match=r"occurs twice|same place"):
        read(tmp_path, entry(MAP) + entry(second))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("31/02/2026", False), ("2026-02-31 08:00", False), ("20260231080000", False), ("31-02-2026 08:00:00", False),
        ("1.000656", False), ("Hộ tịch", False), ("12.500.000", False), ("", False),
        ("099999999999", True), ("0999 999 999", True), ("+84999999999", True), ("sđt 0999.999.999", True),
        ("H42.14-260105-0001", True), ("31/02/2026, 0999999999", True), ("20260231 0999999999", True),
    ],
)  # fmt: skip
def test_what_looks_like_a_person_is_known_from_dates(text: str, told: bool) -> None:
    assert may_tell_of_a_person(text) is told


def test_the_entries_these_faults_start_from_are_sound(tmp_path: Path) -> None:
    found = read(tmp_path, "\n".join(map(entry, (MAP, WAIVE, DROP, DROP | ROW | {"id": "row"}))))
    assert [one.id for one in found] == ["dang-lam", "hen-truoc", "ban-thu", "row"]
