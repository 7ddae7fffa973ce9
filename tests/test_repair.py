"""What is refused can be repaired: by a corrected file, by a changed list, by time; and its history stays."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from exports import Row, csv_list, dossier
from tthc import pipeline
from tthc.cli import app
from tthc.domain.text import fold
from tthc.domain.working_days import after_working_days
from tthc.reference.lists import read_calendar_overrides
from tthc.settings import settings
from tthc.simulation.simulate import simulate
from warehouses import Warehouse, Warehouses

NIGHT, NEXT, LAST = date(2026, 3, 20), date(2026, 3, 21), date(2026, 3, 23)
A, B, C = (f"H42-260105-000{number}" for number in (1, 2, 3))
BROKEN = {"due_at": "01/01/2026"}
LIST = "mot_cua_csv/danh-sach.csv"


def received(warehouse: Warehouse) -> int:
    warehouse.publish()
    figure = warehouse.figure("received", unit="18373", period="2026-Q1", profile="TT01_06A")
    return figure[0] or 0 if figure else 0


def open_rows(warehouse: Warehouse) -> list[tuple[str, str, int]]:
    return [
        (str(row["night"]), row["file_name"], row["row_no"])
        for row in warehouse.query(
            "select night, file_name, row_no from core.quarantine join core.delivery using (delivery_id) "
            "where state = 'open' and ordinal = 1 order by 1, 2, 3"
        )
    ]


def ended(warehouse: Warehouse) -> list[tuple[int, str, str]]:
    return [
        tuple(row.values())
        for row in warehouse.query(
            "select row_no, state, (select night::text from core.delivery where delivery_id = ended_by) "
            "from core.quarantine where state <> 'open' order by quarantine_id"
        )
    ]


def replay(warehouse: Warehouse, **which: object) -> pipeline.Replayed:
    with warehouse.kept():
        return pipeline.replay(warehouse.settings, **which)  # type: ignore[arg-type]  (a source or a night)


def files_add_up(warehouse: Warehouse) -> None:
    wrong = warehouse.query(
        "select file_name from core.delivery where verdict in ('loaded', 'loaded_with_quarantine') and "
        "(rows_read <> rows_accepted + rows_quarantined + rows_dropped + rows_duplicate or rows_quarantined <> "
        "(select count(*) from core.quarantine where quarantine.delivery_id = delivery.delivery_id and ordinal = 1 "
        "and (ended_by is null or ended_by <> delivery.delivery_id)))"
    )
    assert wrong == []


@pytest.fixture
def overlaid(warehouses: Warehouses, tmp_path: Path) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse with an overlay of reference files that a test may change."""
    (tmp_path / "statuses.csv").write_text("alias,status\nĐang làm,4\n", encoding="utf-8")
    with warehouses.fresh(tmp_path) as made:
        yield made, tmp_path


@pytest.mark.parametrize("name", ["danh-sach.csv", "aa-sua.csv"])
@pytest.mark.parametrize("night", [NIGHT, NEXT])
def test_a_corrected_file_empties_the_quarantine_of_the_rows_it_repairs(
    warehouse: Warehouse, name: str, night: date
) -> None:
    warehouse.load(NIGHT, {LIST: csv_list([dossier(A), dossier(B, **BROKEN), dossier(C, **BROKEN)])})
    assert received(warehouse) == 1
    warehouse.load(night, {f"mot_cua_csv/{name}": csv_list([dossier(A), dossier(B), dossier(C, **BROKEN)])})
    assert received(warehouse) == 2
    places = [(str(night), name, 4)]
    if (night, name) != (NIGHT, "danh-sach.csv"):
        places.append((str(NIGHT), "danh-sach.csv", 4))
    assert open_rows(warehouse) == sorted(places)
    assert (3, "repaired", str(night)) in ended(warehouse)
    warehouse.load(LAST, {LIST: csv_list([dossier(C)])})
    assert (open_rows(warehouse), received(warehouse)) == ([], 3)
    files_add_up(warehouse)


def test_a_row_without_a_code_is_followed_by_its_place(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {LIST: csv_list([dossier(A), dossier("")])})
    warehouse.load(NEXT, {"mot_cua_csv/other.csv": csv_list([dossier(A), dossier(C)])})
    assert open_rows(warehouse) == [(str(NIGHT), "danh-sach.csv", 3)]
    warehouse.load(NEXT, {LIST: csv_list([dossier(A), dossier(B)])})
    assert open_rows(warehouse) == []


def test_an_older_sound_row_or_another_source_repairs_nothing(warehouse: Warehouse) -> None:
    warehouse.load(NEXT, {LIST: csv_list([dossier(A), dossier(B, **BROKEN)])})
    warehouse.load(NIGHT, {LIST: csv_list([dossier(A), dossier(B)])})
    warehouse.load(LAST, {"mot_cua_csv/other.csv": csv_list([dossier(C)])})
    assert open_rows(warehouse) == [(str(NEXT), "danh-sach.csv", 3)]


STEPS: list[tuple[date, str, list[Row]]] = [
    (NIGHT, "a", [dossier(A), dossier(B, **BROKEN)]),
    (NEXT, "a", [dossier(A), dossier(B)]),
    (NEXT, "b", [dossier(A), dossier(C, **BROKEN)]),
    (LAST, "c", [dossier(A), dossier(B, **BROKEN), dossier(C)]),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5], ids=str)
def test_quarantine_is_the_same_in_any_order_of_nights(warehouse: Warehouse, order: tuple[int, ...]) -> None:
    for place in order:
        night, name, rows = STEPS[place]
        warehouse.load_only(night, {f"mot_cua_csv/{name}.csv": csv_list(rows)})
    assert open_rows(warehouse) == [(str(LAST), "c.csv", 3)]
    assert sorted(ended(warehouse)) == [(3, "repaired", str(NEXT)), (3, "repaired", str(LAST))]


AHEAD = csv_list([dossier(A), dossier(B, received_at="22/03/2026", due_at="30/03/2026")])


@pytest.mark.parametrize("order", list(itertools.permutations([NIGHT, NEXT, LAST, date(2026, 3, 25)]))[::3], ids=str)
def test_a_row_ahead_of_its_night_counts_from_the_night_it_is_possible(
    warehouse: Warehouse, order: tuple[date, ...]
) -> None:
    for night in order:
        warehouse.load_only(night, {LIST: AHEAD})
    assert open_rows(warehouse) == []
    first = "select min(night) from core.dossier_version where received_on = '2026-03-22'"
    assert warehouse.value(first) == LAST
    warehouse.publish()
    figure = warehouse.figure("received", unit="18373", period="2026-Q2", profile="TT01_06A")
    assert figure == (1, None)


def test_a_changed_list_lets_rows_enter_as_of_their_own_night(overlaid: tuple[Warehouse, Path]) -> None:
    warehouse, overlay = overlaid
    rows = [dossier(A), dossier(B, status="Chờ ký"), dossier(C, **BROKEN)]
    warehouse.load(NIGHT, {LIST: csv_list(rows)})
    warehouse.load(NEXT, {LIST: csv_list(rows)})  # the same bytes: already known
    (overlay / "statuses.csv").write_text("alias,status\nĐang làm,4\nChờ ký,4\n", encoding="utf-8")
    done = replay(warehouse)
    assert (done.files, done.rows_repaired, done.rows_waived) == (1, 1, 0)
    assert open_rows(warehouse) == [(str(NIGHT), "danh-sach.csv", 4)]
    assert received(warehouse) == 2
    before = warehouse.query("select * from core.quarantine order by 1"), warehouse.query("select * from core.delivery")
    versions = warehouse.value("select count(*) from core.dossier_version")
    assert replay(warehouse).rows_repaired == 0
    assert before == (
        warehouse.query("select * from core.quarantine order by 1"),
        warehouse.query("select * from core.delivery"),
    )
    assert versions == warehouse.value("select count(*) from core.dossier_version") == 2
    files_add_up(warehouse)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0)], ids=str)
def test_a_row_that_enters_late_stands_again_where_the_same_bytes_came_again(
    overlaid: tuple[Warehouse, Path], order: tuple[int, ...]
) -> None:
    """Night 1 says X in a word not known yet, night 2 says Y, night 3 brings the bytes of night 1 again: X it is."""
    warehouse, overlay = overlaid
    said = csv_list([dossier(A), dossier(B, status="Chờ ký", due_at="20/01/2026")])
    other = {"mot_cua_csv/b.csv": csv_list([dossier(B, due_at="15/01/2026")])}
    nights = [(NIGHT, {LIST: said}), (NEXT, other), (LAST, {LIST: said})]
    for place in order:
        warehouse.load_only(*nights[place])
    assert (str(LAST) in {night for night, _, _ in open_rows(warehouse)}) or order == (0, 2, 1)
    (overlay / "statuses.csv").write_text("alias,status\nChờ ký,4\n", encoding="utf-8")
    replay(warehouse)
    due = "select due_on from core.dossier where due_on <> '2026-01-12'"
    assert warehouse.value(due) == date(2026, 1, 20)
    assert open_rows(warehouse) == []


def test_a_held_and_a_rejected_file_enter_when_the_lists_know_their_words(overlaid: tuple[Warehouse, Path]) -> None:
    warehouse, overlay = overlaid
    rows = [dossier(f"H42-260105-{number:04d}", status="Chờ ký") for number in range(20)]
    outcome = warehouse.load(NIGHT, {LIST: csv_list(rows)})
    assert outcome.files == {"held": 1}
    (overlay / "statuses.csv").write_text("alias,status\nChờ ký,4\n", encoding="utf-8")
    assert replay(warehouse).files_entered == 1
    assert (open_rows(warehouse), received(warehouse)) == ([], 20)
    assert replay(warehouse).files == 0


@pytest.mark.parametrize(
    ("rows", "broken", "limit", "verdict"),
    [
        (20, 10, 0.5, "loaded_with_quarantine"),
        (20, 11, 0.5, "held"),
        (20, 1, 0.0, "held"),
        (20, 20, 1.0, "loaded_with_quarantine"),
        (19, 19, 0.5, "loaded_with_quarantine"),  # too few rows to tell a wrong file from wrong rows
        (1, 1, 0.0, "loaded_with_quarantine"),
    ],
)
def test_a_file_is_held_above_the_threshold_of_its_source(
    warehouses: Warehouses, tmp_path: Path, rows: int, broken: int, limit: float, verdict: str
) -> None:
    (tmp_path / "sources.toml").write_text(f'[[source]]\nid = "mot_cua_csv"\nhold_above = {limit}\n', encoding="utf-8")
    said = [dossier(f"H42-{n}", **({"channel": "Bồ câu"} if n < broken else {})) for n in range(rows)]
    with warehouses.fresh(tmp_path) as warehouse:
        assert warehouse.load(NIGHT, {LIST: csv_list(said)}).files == {verdict: 1}
        (told,) = warehouse.files().values()
        assert (told["rows_read"], told["rows_quarantined"]) == (rows, broken)
        assert received(warehouse) == (0 if verdict == "held" else rows - broken)
        if verdict == "held":
            with warehouse.kept():
                pipeline.decide(warehouse.settings, 1, release=True, by="trực ban", reason="đã gọi điện")
            assert received(warehouse) == rows - broken
            assert len(open_rows(warehouse)) == broken
        files_add_up(warehouse)


def test_a_file_that_a_person_refused_is_left_alone(overlaid: tuple[Warehouse, Path]) -> None:
    warehouse, overlay = overlaid
    warehouse.load(NIGHT, {LIST: csv_list([dossier(f"H42-{n}", status="Chờ ký") for n in range(20)])})
    with warehouse.kept():
        pipeline.decide(warehouse.settings, 1, release=False, by="trực ban", reason="gửi nhầm")
    (overlay / "statuses.csv").write_text("alias,status\nChờ ký,4\n", encoding="utf-8")
    assert (replay(warehouse).files, received(warehouse)) == (0, 0)


def test_bytes_that_landing_no_longer_holds_are_named_and_left(
    overlaid: tuple[Warehouse, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, _ = overlaid
    warehouse.load(NIGHT, {LIST: csv_list([dossier(A), dossier(B, **BROKEN)])})
    for path in warehouse.settings.landing.glob("??/*"):
        path.unlink()
    done = replay(warehouse)
    assert (done.files, done.files_gone) == (0, [f"mot_cua_csv {NIGHT} danh-sach.csv"])
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(app, ["quarantine", "replay"])
    assert told.exit_code == 1 and "0 files" in told.output and "1 files_gone" in told.output
    assert f"mot_cua_csv {NIGHT} danh-sach.csv: the landing store has lost or changed this file" in told.output
    assert len(open_rows(warehouse)) == 1


# A commune officer who has the file and the workbook, and nothing else.


def workbook_lines(path: Path) -> list[dict[str, str]]:
    sheet = openpyxl.load_workbook(path)["Dòng cần sửa"]
    head, *lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert all(row[5].fill.fgColor.rgb == "FFFFF200" for row in sheet.iter_rows(min_row=2) if row[5].value)
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_an_officer_with_only_the_workbook_repairs_a_seeded_file(warehouse: Warehouse, tmp_path: Path) -> None:
    (night,) = simulate(province="42", dossiers=900, seed=11, start=LAST, nights=1, out=tmp_path / "s", progress=str)
    truth = json.loads((night / "truth.json").read_text(encoding="utf-8"))
    dirty = {f"{mention['source_id']}/{mention['file']}" for mention in truth["dirt"]}
    files = {str(path.relative_to(night)): path.read_bytes() for path in sorted(night.glob("*/*"))}
    faults = {"Ngày tiếp nhận": "31/02/2026", "Trạng thái": "Đang làm dở", "Mã TTHC": "1.00", "Hình thức nộp": "=1+1",
              "Đơn vị tiếp nhận": "UBND xã Không Có Thật"}  # fmt: skip
    clean = [name for name in files if name.startswith("mot_cua_csv/") and name not in dirty]
    words = {name: list(csv.reader(io.StringIO(files[name].decode("utf-8-sig")))) for name in clean}
    plain = [name for name, rows in words.items() if {*map(fold, faults), "mã hồ sơ"} <= set(map(fold, rows[0]))]
    name = max(plain, key=lambda name: len(words[name]))
    sound, head = words[name], 0
    place = {fold(heading): number for number, heading in enumerate(sound[head])}
    spoilt = [list(row) for row in sound]
    for row, (heading, word) in zip(spoilt[head + 1 :], faults.items(), strict=False):
        row[place[fold(heading)]] = word

    def text(rows: list[list[str]]) -> bytes:
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        return out.getvalue().encode()

    warehouse.load(LAST, files | {name: text(spoilt)})
    refused = [row for row in open_rows(warehouse) if f"mot_cua_csv/{row[1]}" == name]
    assert len(refused) == len(faults)
    with warehouse.kept():
        books = pipeline.write_quarantine(warehouse.settings, tmp_path / "out")
    lines = [line for book in books for line in workbook_lines(book) if line["Tệp"] == name.partition("/")[2]]
    mended = [list(row) for row in spoilt]
    for line in lines:
        letters, number = re.findall(r"[A-Z]+|\d+", line["Ô cần sửa"])
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        assert fold(spoilt[head][column - 1]) == fold(line["Cột"])
        assert line["Cần ghi"]
        mended[int(number) - 1][column - 1] = sound[int(number) - 1][column - 1]  # from the paper dossier
    assert mended == sound
    warehouse.load(LAST, {name: text(mended)})
    assert replay(warehouse).rows_repaired == 0
    assert [row for row in open_rows(warehouse) if f"mot_cua_csv/{row[1]}" == name] == []
    keys = ("period_calendar", "period_kind", "period_label", "unit_code", "field_code", "metric_id", "profile")
    wanted = {
        (*(f[key] for key in keys), f["numerator"], f["denominator"]) for f in (*truth["figures"], *truth["stated"])
    }
    seen = warehouse.query(
        f"select {', '.join(keys)}, numerator, denominator from mart.kpi where basis = 'as_reported'"
    )
    assert {tuple(row.values()) for row in seen} == wanted


HOSTILE = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "\t=1", "＝1", "http://x.invalid/"]


def test_no_name_of_a_file_runs_in_a_workbook_and_nothing_of_a_person_is_in_it(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    person = {"Chủ hồ sơ": "NGƯỜI GIẢ BÍ MẬT", "Số CCCD": "099999999999", "Số điện thoại": "0999999999"}
    names = [re.sub(r"[/\t]", "_", word) for word in HOSTILE]
    for number, name in enumerate(names):
        row = dossier(f"H42-26010{number}-7777", **BROKEN, **person)
        heading = {"due_at": "Ngày hẹn trả"}
        warehouse.load_only(NIGHT, {f"mot_cua_csv/{name}.csv": csv_list([dossier(A), row], heading)})
    with warehouse.kept():
        (book,) = pipeline.write_quarantine(warehouse.settings, tmp_path)
    cells = [cell for sheet in openpyxl.load_workbook(book) for row in sheet.iter_rows() for cell in row if cell.value]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    told = " ".join(str(cell.value) for cell in cells)
    assert all(f"{name}.csv" in told for name in names)
    assert not [word for word in (*person.values(), "7777", A) if word in told]


@pytest.mark.parametrize(
    ("day", "days", "due"),
    [
        ("2026-02-13", 1, "2026-02-23"),  # Friday before Tết Bính Ngọ: offices open again on Monday the 23rd
        ("2026-01-01", 1, "2026-01-05"),  # 2 January is free, worked on Saturday the 10th instead
        ("2026-01-09", 1, "2026-01-10"),
        ("2026-08-21", 1, "2026-08-22"),  # a Saturday worked for Monday 31 August
        ("2026-08-28", 3, "2026-09-07"),
        ("2026-01-10", 0, "2026-01-10"),  # a Saturday that is worked
        ("2026-01-02", 0, "2026-01-05"),  # the Friday it is worked for
        ("2026-02-14", 0, "2026-02-23"),  # within Tết
    ],
)
def test_a_deadline_counts_working_days(day: str, days: int, due: str) -> None:
    overrides = read_calendar_overrides(settings())
    assert after_working_days(date.fromisoformat(day), days, overrides) == date.fromisoformat(due)


def test_every_night_still_in_quarantine_is_told_once(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list([dossier(A, **BROKEN), dossier(B), dossier("")])})
    warehouse.load_only(NEXT, {"mot_cua_csv/b.csv": csv_list([dossier(A, **BROKEN), dossier(C)])})
    with warehouse.kept():
        (book,) = pipeline.write_quarantine(warehouse.settings, tmp_path)
    told = [(line["Tệp"], line["Ô cần sửa"], line["Đêm dữ liệu"]) for line in workbook_lines(book)]
    assert told == [("a.csv", "A4", "20/3/2026"), ("b.csv", "F2", "21/3/2026")]
    assert "Đề nghị sửa và gửi lại trước hết ngày" in str(
        [cell.value for row in openpyxl.load_workbook(book)["Tóm tắt"].iter_rows() for cell in row]
    )
