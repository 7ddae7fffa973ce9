"""What is refused can be repaired: by a corrected file, by a changed list, by time; and its history stays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from exports import Row, csv_list, dossier
from tthc import pipeline
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


def test_bytes_that_landing_no_longer_holds_are_counted_and_left(overlaid: tuple[Warehouse, Path]) -> None:
    warehouse, _ = overlaid
    warehouse.load(NIGHT, {LIST: csv_list([dossier(A), dossier(B, **BROKEN)])})
    for path in warehouse.settings.landing.glob("??/*"):
        path.unlink()
    done = replay(warehouse)
    assert (done.files, done.files_gone) == (0, 1)
    assert len(open_rows(warehouse)) == 1
