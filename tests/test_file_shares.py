"""What a list is made of beside the nights before: a portal that tells otherwise is told, ordinary nights are not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from exports import STATUS_WORDS, Row, csv_list
from test_rules import NIGHT, Desk, finished, made_of, sound, warned
from tthc.reference.sources import read_sources
from tthc.settings import settings as read_settings
from tthc.staging import expectations
from tthc.staging.history import History, Past, note_content
from tthc.staging.judge import profile
from tthc.staging.shares import RULE_OF, shift
from tthc.staging.staged_file import StagedFile
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

SOURCE = read_sources(read_settings())["mot_cua_csv"]
OPEN_OR_DONE = {"4": 50, "9": 30, "10": 40}  # rows of each status on an ordinary night


@pytest.fixture(scope="module")
def desk(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(warehouses.readers, tmp_path_factory.mktemp("desk"))


def told(file: StagedFile) -> set[str]:
    return set(warned(file)) & set(RULE_OF.values())


# Faults of portals.


def settled_only(count: int) -> list[Row]:
    return finished(count)[1:]


@pytest.mark.parametrize(("before", "found"), [(OPEN_OR_DONE, {"STATUS_SHARES"}), ({"9": 60, "10": 60}, set())])
def test_a_portal_that_begins_to_export_only_what_is_settled_is_told(
    desk: Desk, before: dict[str, int], found: set[str]
) -> None:
    (file,) = desk.stage(csv_list(settled_only(120)), history=made_of(120, status=before))
    assert (file.verdict, told(file)) == ("loaded", found)
    if found:
        (words,) = [detail for rule, _, _, detail in file.findings if rule == "STATUS_SHARES"]
        assert words is not None
        assert words.startswith("0.csv: «Đang xử lý» 42 % → 0 %; cơ cấu trạng thái khác")


@pytest.mark.parametrize("channel", ["Trực tiếp", ""])
def test_channels_that_become_one_or_none_are_told(desk: Desk, channel: str) -> None:
    rows = [sound(number, channel=channel, status=STATUS_WORDS[2 + 2 * (number % 2)]) for number in range(120)]
    before = {"1": 50, "2": 70} if channel else {"1": 120}
    (file,) = desk.stage(csv_list(rows), history=made_of(120, channel=before))
    assert told(file) == {"CHANNEL_SHARES"}


def test_a_lost_column_is_drift_and_no_change_of_shares(desk: Desk) -> None:
    """A file without the column tells nothing of it: SCHEMA_DRIFT or MISSING_COLUMN speak of headings."""
    without = [
        {name: cell for name, cell in row.items() if name not in {"due_at", "field_name"}} for row in settled_only(250)
    ]
    history = made_of(250, timely={"1": 200, "0": 50}, field={"a field": 250})
    (file,) = desk.stage(csv_list(without), history=history)
    assert (told(file), set(file.shares)) == (set(), {"status", "channel"})


def test_a_small_commune_is_never_judged_by_its_shares(desk: Desk) -> None:
    for count, found in ((99, set()), (100, {"STATUS_SHARES"})):
        (file,) = desk.stage(csv_list(settled_only(count)), history=made_of(count, status=OPEN_OR_DONE))
        assert told(file) == found


def test_soon_after_tet_only_a_change_of_half_the_rows_is_told(desk: Desk) -> None:
    closed = {NIGHT - timedelta(days=back): False for back in range(1, 12)}
    for before, found in ((OPEN_OR_DONE, set()), ({"4": 90, "9": 30}, {"STATUS_SHARES"})):
        past = [one for one in made_of(120, 60, status=before).past if one.night < NIGHT - timedelta(days=20)]
        (file,) = desk.stage(csv_list(settled_only(120)), history=History(NIGHT, past, closed))
        assert (told(file), len(past)) == (found, 40)


def test_a_lasting_change_stays_told_for_fourteen_nights_and_is_usual_then() -> None:
    def distance(shifted_nights: int) -> float:
        past = [
            Past(
                night=NIGHT - timedelta(days=back),
                file_name="0.csv",
                unit_code="18373",
                rows=120,
                newest_on=None,
                only_status=None,
                released=False,
                shares={"status": {"9": 120} if back <= shifted_nights else OPEN_OR_DONE},
                shifted=["STATUS_SHARES"] if back <= shifted_nights else [],
            )
            for back in range(1, 60)
        ]
        file = StagedFile(file_name="0.csv", sha256="", feed="dossier", shares={"status": {"9": 120}})
        return History(NIGHT, past).shifts(file)["status"].distance

    assert [round(distance(nights), 2) for nights in (0, 3, 13)] == [0.75, 0.75, 0.75]
    assert distance(14) == 0


def test_the_distance_is_the_part_of_the_rows_that_would_have_to_change() -> None:
    """Against the third nearest night; both lists may be of any size."""
    nights = [{"1": 100}, {"1": 10}, {"1": 3, "2": 1}, {"2": 7}]
    assert shift("channel", {"1": 5}, nights, odd_nights=2).distance == 0.25
    assert shift("channel", {"2": 5}, nights, odd_nights=2).distance == 1
    assert shift("channel", {}, nights, odd_nights=2).distance == 0
    assert shift("channel", {"3": 5}, [], odd_nights=2).distance == 0


def test_no_text_of_a_file_is_kept_of_its_fields(desk: Desk) -> None:
    rows = [sound(number, field_name=f"NGƯỜI GIẢ {number}") for number in range(300)]
    (file,) = desk.stage(csv_list(rows), history=made_of(300, field={"a field": 300}))
    assert told(file) == {"FIELD_SHARES"}
    assert set(file.shares["field"]) <= {str(drawer) for drawer in range(64)}
    assert "NGƯỜI" not in repr(file.findings) + repr(file.shares)


# Ordinary nights.

COMMUNES, FIRST_JUDGED, LAST = 24, 60, 81
KINDS = {"status": 8, "channel": 3, "timely": 3, "field": 30}


def ordinary_nights(seed: int) -> list[list[dict[str, dict[str, int]]]]:
    """Night → commune → counts: of 30 to 600 rows, a fifth of them at weekends, drifting slowly, and with a week in
    which eight rows of a hundred are settled that would else be open."""
    chance = np.random.default_rng(seed)
    sizes = chance.integers(30, 600, COMMUNES)
    start = {what: chance.dirichlet(np.full(kinds, 0.6), COMMUNES) for what, kinds in KINDS.items()}
    aim = {what: chance.dirichlet(np.full(kinds, 0.6), COMMUNES) for what, kinds in KINDS.items()}
    nights = []
    for night in range(LAST + 1):
        weekend, drift = night % 7 in {5, 6}, 0.15 * night / LAST
        files = []
        for commune in range(COMMUNES):
            rows = max(1, int(sizes[commune] * chance.uniform(0.85, 1.15) * (0.2 if weekend else 1)))
            told = {}
            for what in KINDS:
                usual = (1 - drift) * start[what][commune] + drift * aim[what][commune]
                if what == "status" and 63 <= night < 70:
                    usual = 0.92 * usual + 0.08 * np.eye(len(usual))[0]
                counts = chance.multinomial(rows, usual)
                told[what] = {str(place): int(count) for place, count in enumerate(counts) if count}
            files.append(told)
        nights.append(files)
    return nights


def profiles(nights: list[list[dict[str, dict[str, int]]]], judged: range) -> pd.DataFrame:
    """What the suite is asked about on each of these nights, one row a file, numbered through."""
    first = date(2026, 3, 2)  # a Monday; no holiday of many days follows
    past = [
        Past(
            night=first + timedelta(days=night),
            file_name=f"{commune}.csv",
            unit_code=f"{commune}",
            rows=sum(counts["status"].values()),
            newest_on=None,
            only_status=None,
            released=False,
            shares=counts,
        )
        for night, files in enumerate(nights)
        for commune, counts in enumerate(files)
    ]
    frames = []
    for night in judged:
        on = first + timedelta(days=night)
        history = History(on, [one for one in past if one.night < on])
        files = [
            StagedFile(
                file_name=one.file_name,
                sha256="",
                feed="dossier",
                shares={what: dict(counts) for what, counts in one.shares.items()},
                rows_read=one.rows,
                rows_accepted=one.rows,
            )
            for one in past
            if one.night == on
        ]
        frames.append(profile(files, SOURCE, history, [history.shifts(file) for file in files]))
    whole = pd.concat(frames, ignore_index=True)
    return whole.assign(row_id=range(len(whole)))


def found(frame: pd.DataFrame) -> dict[str, set[int]]:
    said = expectations.check(frame, "dossier_file")
    return {failure.rule.rule_id: set(failure.rows) for failure in said if failure.rows}


def test_ordinary_variation_over_many_nights_is_silent_and_a_fault_in_it_is_not() -> None:
    nights = ordinary_nights(20261124)
    ordinary = profiles(nights, range(FIRST_JUDGED, LAST + 1, 2))
    assert (ordinary["status_nights"] >= 28).mean() > 0.8
    assert (ordinary["status_rows"] >= 100).mean() > 0.5
    assert found(ordinary) == {}
    usual = [counts["channel"].get("0", 0) / sum(counts["channel"].values()) for counts in nights[LAST]]
    for counts in nights[LAST]:
        counts["channel"] = {"0": sum(counts["channel"].values())}
    large = {commune for commune, counts in enumerate(nights[LAST]) if counts["channel"]["0"] >= 100}
    told = found(profiles(nights, range(LAST, LAST + 1)))
    assert set(told) == {"CHANNEL_SHARES"}
    assert {commune for commune in large if usual[commune] < 0.5} <= told["CHANNEL_SHARES"] <= large


# The manifest.


def test_a_portal_that_goes_on_telling_otherwise_is_one_incident(warehouse: Warehouse) -> None:
    """Four nights: the third and fourth would find two and three nights of their own kind, which do not count."""
    for back in range(1, 29):
        with transaction(warehouse.settings) as connection:
            connection.execute(
                sa.text(
                    "insert into core.delivery (source_id, night, file_sha256, file_name, feed, verdict, rows_read, "
                    "rows_accepted, shares) values ('mot_cua_csv', :night, :sha, 'a.csv', 'dossier', 'loaded', 120, "
                    '120, \'{"status": {"4": 50, "9": 30, "10": 40}}\')'
                ),
                {"night": NIGHT - timedelta(days=back), "sha": f"{back}"},
            )
    for ahead in range(4):
        warehouse.load_only(
            NIGHT + timedelta(days=ahead), {"mot_cua_csv/a.csv": csv_list(settled_only(120 + 2 * ahead))}
        )
    found = warehouse.query(
        "select night, delivery.verdict from core.delivery_finding join core.delivery using (delivery_id) "
        "where rule_id = 'STATUS_SHARES' order by night"
    )
    assert [(row["night"] - NIGHT).days for row in found] == [0, 1, 2, 3]
    kept = warehouse.value("select shares -> 'status' from core.delivery where night = :night", night=NIGHT)
    assert kept == {"9": 60, "10": 60}
    (incident,) = warehouse.query(
        "select severity, nights, detail from alerts.incident where rule_id = 'STATUS_SHARES'"
    )
    assert (incident["severity"], incident["nights"]) == ("warning", 4)
    assert incident["detail"].startswith("a.csv: «Đang xử lý» 42 % → 0 %")


def test_a_list_without_rows_has_no_shares() -> None:
    file = StagedFile(file_name="0.csv", sha256="", feed="dossier")
    note_content(file, NIGHT)
    assert file.shares == {}
