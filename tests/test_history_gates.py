"""A file beside its own past: what falls short, goes stale or has one status is held, and nothing ordinary is."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from exports import STATUS_WORDS, Row, csv_list
from test_rules import NIGHT, YESTERDAY, Desk, busy, nightly, sound, warned
from tthc import pipeline
from tthc.staging.history import History, Past, dateless
from tthc.staging.staged_file import StagedFile
from tthc.warehouse import history as manifest
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses


@pytest.fixture(scope="module")
def desk(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(warehouses.readers, tmp_path_factory.mktemp("desk"))


def past(on: date, rows: int, name: str = "0.csv", unit: str | None = "18373", status: int | None = None) -> Past:
    return Past(night=on, file_name=name, unit_code=unit, rows=rows, newest_on=None, only_status=status, released=False)


def nights(count: int, before: date = NIGHT) -> list[date]:
    return [before - timedelta(days=back) for back in range(1, count + 1)]


def mixed(count: int) -> list[Row]:
    return [sound(number, status=STATUS_WORDS[2 + 2 * (number % 2)]) for number in range(count)]


# Volume.


@pytest.mark.parametrize(("rows", "verdict"), [(40, "held"), (41, "loaded")])
def test_sixty_per_cent_less_than_the_median_is_too_little(desk: Desk, rows: int, verdict: str) -> None:
    (file,) = desk.stage(csv_list(mixed(rows)), history=History(NIGHT, [past(on, 100) for on in nights(28)]))
    assert (file.verdict, file.reason) == (verdict, "VOLUME" if verdict == "held" else None)


ORDINARY = {
    "one night too few to tell": (10, [past(on, 100) for on in nights(27)]),
    "a quiet commune": (1, [past(on, 19) for on in nights(40)]),
    "weekends with few rows": (5, [past(on, 100 if on.weekday() < 5 else 5) for on in nights(28)]),
    "a past that was never steady": (30, [past(on, (100, 300, 20)[on.day % 3]) for on in nights(40)]),
    "steady growth": (90, [past(on, 88 - place) for place, on in enumerate(nights(60))]),
    "the first file of a new commune": (3, [past(on, 100, "1.csv", "18394") for on in nights(40)]),
    "one of the files a commune sends a night": (
        30,
        [past(on, rows, name) for on in nights(40) for rows, name in ((30, f"{on.day}a.csv"), (900, f"{on.day}b.csv"))],
    ),
}


@pytest.mark.parametrize("what", ORDINARY)
def test_what_is_ordinary_is_loaded_without_a_word(desk: Desk, what: str) -> None:
    rows, history = ORDINARY[what]
    (file,) = desk.stage(csv_list(mixed(rows)), history=History(NIGHT, history))
    assert (file.verdict, warned(file)) == ("loaded", {})


def test_two_odd_nights_in_the_past_do_not_blind_the_rule(desk: Desk) -> None:
    history = [past(on, 10 if place in {3, 9} else 100) for place, on in enumerate(nights(28))]
    (file,) = desk.stage(csv_list(mixed(10)), history=History(NIGHT, history))
    assert file.reason == "VOLUME"


def test_names_that_never_repeat_are_compared_by_their_one_unit(desk: Desk) -> None:
    history = [past(on, 100, f"xuat-{number}.csv") for number, on in enumerate(nights(28))]
    (file,) = desk.stage(csv_list(mixed(10)), history=History(NIGHT, history))
    assert file.reason == "VOLUME"


def test_an_export_without_a_row_that_is_understood_falls_short_too(desk: Desk) -> None:
    """Quarantined rows count as delivered: what is wrong with them other rules say."""
    (file,) = desk.stage(
        csv_list([sound(number, status="?") for number in range(50)]),
        history=History(NIGHT, [past(on, 100) for on in nights(28)]),
    )
    assert file.reason == "QUARANTINE_SHARE"


def test_dates_in_names_do_not_count_and_codes_of_units_do() -> None:
    same = ["18373_20260410.csv", "18373_2026-04-11.csv", "18373_12-04-2026.csv", "18373_20260413_2330.csv"]
    assert {dateless(name) for name in same} == {"18373_#.csv"}
    assert dateless("18394_20260410.csv") != dateless("18373_20260410.csv")
    assert dateless("danh-sach-20261.csv") == "danh-sach-20261.csv"


def test_nights_after_tet_neither_judge_nor_are_compared_with() -> None:
    """New Year's Day is 17 February 2026; offices are closed from the 16th to the 20th."""

    def compared(night: date, count: int) -> float:
        file = StagedFile(file_name="0.csv", sha256="", feed="dossier", rows_accepted=3)
        return History(night, [past(on, 100) for on in nights(count, night)]).profile(file)["nights_before"]

    assert compared(date(2026, 2, 13), 28) == 28
    assert {on.day: compared(on, 28) for on in (date(2026, 2, day) for day in (21, 22))} == {21: 0, 22: 0}
    assert 0 < compared(date(2026, 3, 5), 20) < 20
    assert compared(date(2026, 3, 5), 60) == 28


# Staleness.


def test_one_day_without_events_is_stale_where_there_were_always_some(desk: Desk) -> None:
    fresh, stale, quiet = (
        csv_list(busy(last, a_day))
        for last, a_day in ((YESTERDAY, 10), (YESTERDAY - timedelta(days=1), 10), (YESTERDAY - timedelta(days=4), 2))
    )
    found = [desk.stage(each, history=nightly(rows=290 if each != quiet else 50))[0].reason for each in (fresh, stale)]
    assert found == [None, "STALE_EXPORT"]
    assert desk.stage(stale, history=nightly(rows=290, nights=27))[0].verdict == "loaded"
    assert desk.stage(quiet, history=nightly(rows=50))[0].verdict == "loaded"


def test_a_source_that_always_comes_late_is_not_stale(desk: Desk) -> None:
    usual = [
        Past(
            night=on,
            file_name="0.csv",
            unit_code="18373",
            rows=290,
            newest_on=on - timedelta(days=9),
            only_status=None,
            released=False,
        )
        for on in nights(28)
    ]
    content = csv_list(busy(NIGHT - timedelta(days=7), 10))
    assert desk.stage(content, history=History(NIGHT, usual))[0].verdict == "loaded"
    assert desk.stage(content, history=nightly(rows=290))[0].reason == "STALE_EXPORT"


def test_an_export_months_old_is_stale(desk: Desk) -> None:
    content = csv_list(busy(date(2025, 12, 10), 10))
    assert desk.stage(content, history=nightly(rows=290))[0].reason == "STALE_EXPORT"


# One status.


def test_a_file_that_always_has_one_status_is_not_held_for_it(desk: Desk) -> None:
    content = csv_list([sound(number) for number in range(100)])  # status 4

    def reason(history: list[Past]) -> str | None:
        return desk.stage(content, history=History(NIGHT, history))[0].reason

    assert reason([past(on, 100, status=4) for on in nights(28)]) is None
    assert reason([past(on, 100, status=9) for on in nights(28)]) == "DISTRIBUTION"
    assert reason([past(on, 100) for on in nights(28)]) == "DISTRIBUTION"
    odd = [[past(on, 100, status=4 if at < count else None) for at, on in enumerate(nights(28))] for count in (2, 3)]
    assert [reason(history) for history in odd] == ["DISTRIBUTION", None]


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ([], {"ONE_STATUS"}),
        ([past(on, 100) for on in nights(27)], {"ONE_STATUS"}),
        ([past(on, 100, status=4) for on in nights(3)], set()),
    ],
)
def test_without_a_past_one_status_is_told_and_holds_nothing(desk: Desk, history: list[Past], told: set[str]) -> None:
    (file,) = desk.stage(csv_list([sound(n) for n in range(100)]), history=History(NIGHT, history))
    assert (file.verdict, set(warned(file))) == ("loaded", told)
    (small,) = desk.stage(csv_list([sound(n) for n in range(99)]), history=History(NIGHT, history))
    assert warned(small) == {}


def test_after_tet_one_status_is_not_asked(desk: Desk) -> None:
    closed = {NIGHT - timedelta(days=back): False for back in range(1, 12)}
    for history in ([], [past(on, 100) for on in nights(60)]):
        (file,) = desk.stage(csv_list([sound(n) for n in range(100)]), history=History(NIGHT, history, closed))
        assert (file.verdict, warned(file)) == ("loaded", {})


def test_what_a_person_released_is_not_asked_again_for_28_nights(warehouse: Warehouse) -> None:
    def verdict(night: date, count: int) -> str:
        warehouse.load_only(night, {"mot_cua_csv/a.csv": csv_list([sound(number) for number in range(count)])})
        return str(warehouse.value("select verdict from core.delivery where night = :night", night=night))

    seed(warehouse, *((on, 100) for on in nights(28)), name="a")
    assert verdict(NIGHT, 100) == "held"
    assert verdict(NIGHT + timedelta(days=1), 101) == "held"
    first = int(warehouse.value("select delivery_id from core.delivery where night = :night", night=NIGHT))
    with warehouse.kept():
        pipeline.decide(warehouse.settings, first, release=True, by="NGƯỜI GIẢ", reason="chỉ một trạng thái")
    assert verdict(NIGHT + timedelta(days=28), 102) == "loaded"
    assert verdict(NIGHT + timedelta(days=29), 103) == "held"


# The manifest.


def seed(warehouse: Warehouse, *deliveries: tuple[date, int], name: str = "18373_{:%Y%m%d}") -> None:
    """Deliveries of 18373_<date>.csv with these rows of several statuses, as the manifest keeps them."""
    with transaction(warehouse.settings) as connection:
        for on, rows in deliveries:
            connection.execute(
                sa.text(
                    "with delivery as (insert into core.delivery (source_id, night, file_sha256, file_name, feed, "
                    "verdict, rows_read, rows_accepted) values ('mot_cua_csv', :night, :sha, :name, 'dossier', "
                    "'loaded', :rows, :rows) returning delivery_id) insert into core.delivery_unit "
                    "select delivery_id, '18373', :rows from delivery"
                ),
                {"night": on, "sha": f"{on}", "name": f"{name.format(on)}.csv", "rows": rows},
            )


@pytest.mark.parametrize("order", range(2))
def test_a_night_is_judged_by_the_nights_before_it_in_whatever_order_they_came(
    warehouse: Warehouse, order: int
) -> None:
    after = [(NIGHT + timedelta(days=ahead), 10) for ahead in range(1, 40)]
    deliveries = [*((on, 100) for on in nights(28)), *after]
    random.Random(order).shuffle(deliveries)
    seed(warehouse, *deliveries)
    warehouse.load_only(NIGHT, {"mot_cua_csv/18373_20260410.csv": csv_list(mixed(40))})
    (told,) = warehouse.query("select verdict, reason, detail from core.delivery where night = :night", night=NIGHT)
    assert (told["verdict"], told["reason"]) == ("held", "VOLUME")
    assert told["detail"].startswith("số dòng thấp hơn ít nhất 60 %")
    with warehouse.kept():
        assert pipeline.replay(warehouse.settings).files_entered == 0
        pipeline.decide(warehouse.settings, 68, release=True, by="NGƯỜI GIẢ", reason="nghỉ lễ của xã")
    assert warehouse.value("select rows_accepted from core.delivery where night = :n and verdict = 'loaded'", n=NIGHT)


def test_the_manifest_keeps_the_newest_event_and_the_same_bytes_keep_theirs(warehouse: Warehouse) -> None:
    content = {"mot_cua_csv/a.csv": csv_list(busy(YESTERDAY, 1))}
    warehouse.load_only(NIGHT, content)
    warehouse.load_only(NIGHT + timedelta(days=1), content)
    warehouse.load_only(NIGHT + timedelta(days=2), {"mot_cua_csv/b.csv": b"not a list"})
    with transaction(warehouse.settings) as connection:
        told = manifest.read(connection, "mot_cua_csv", NIGHT + timedelta(days=3), {}).past
        assert [manifest.read(connection, "dvcqg_json", NIGHT + timedelta(days=3), {}).past] == [[]]
    assert sorted((one.night, one.rows, one.newest_on, one.unit_code) for one in told) == [
        (NIGHT, 29, YESTERDAY, "18373"),
        (NIGHT + timedelta(days=1), 29, YESTERDAY, "18373"),
    ]


def test_a_night_too_far_back_is_no_past(warehouse: Warehouse) -> None:
    seed(warehouse, *((on, 100) for on in nights(28, NIGHT - timedelta(days=73))))
    warehouse.load_only(NIGHT, {"mot_cua_csv/18373_20260410.csv": csv_list(mixed(40))})
    assert warehouse.value("select verdict from core.delivery where night = :night", night=NIGHT) == "loaded"
