"""What a person decides about a file, or a replay repairs, ends the incident in the same transaction."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from exports import csv_list, dossier
from tthc import pipeline
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 20)
HEADER_ONLY = csv_list([dossier("H42-260105-0001")]).splitlines(keepends=True)[0]
CODE = "H42-260105-0009"  # a dossier code in the name of a file
ODD = {"field_name": "Bản ghi thử"}
LIST = "mot_cua_csv/danh-sach.csv"
DROPPED = """
[[correction]]
id = "ban-thu"
source = "mot_cua_csv"
column = "field_name"
text = "Bản ghi thử"
action = "drop"
reason = "phần mềm ghi sai"
owner = "Văn phòng UBND tỉnh"
reviewed_on = 2026-03-01
review_by = 2026-06-30
"""


def alive(warehouse: Warehouse) -> list[str]:
    rows = warehouse.query("select rule_id from alerts.incident where state <> 'resolved' order by rule_id")
    return [row["rule_id"] for row in rows]


def all_clears(warehouse: Warehouse) -> int:
    return int(warehouse.value("select count(*) from alerts.outbox where kind = 'resolved'"))


def decide(warehouse: Warehouse, delivery_id: int, *, release: bool) -> None:
    with warehouse.kept():
        pipeline.decide(warehouse.settings, delivery_id, release=release, by="trực ban", reason="đã gọi điện")


def test_the_incident_of_held_files_ends_with_the_last_decision(warehouse: Warehouse) -> None:
    files = {f"mot_cua_csv/{name}.csv": HEADER_ONLY + b"\n" * number for number, name in enumerate("ab")}
    warehouse.load_only(NIGHT, files)
    assert alive(warehouse) == ["ZERO_ROWS"]
    decide(warehouse, 1, release=True)
    assert alive(warehouse) == ["ZERO_ROWS"], "another file still waits"
    decide(warehouse, 2, release=False)
    assert alive(warehouse) == []
    assert all_clears(warehouse) == 1
    warehouse.publish()
    assert all_clears(warehouse) == 1


def test_whoever_heard_of_a_held_file_hears_what_was_decided_by_whom_and_why(warehouse: Warehouse) -> None:
    files = {f"mot_cua_csv/{name}.csv": HEADER_ONLY + b"\n" * number for number, name in enumerate(["a", CODE])}
    warehouse.load_only(NIGHT, files)
    pipeline.notify(warehouse.settings)
    first = warehouse.value("select delivery_id from core.delivery where file_name = 'a.csv'")
    second = warehouse.value("select delivery_id from core.delivery where file_name <> 'a.csv'")  # known by a mark
    decide(warehouse, first, release=True)
    decide(warehouse, second, release=False)
    waiting = warehouse.query("select kind from alerts.outbox where composed_at is null order by event_id")
    assert [row["kind"] for row in waiting] == ["decided", "decided", "resolved"]
    assert pipeline.notify(warehouse.settings).sent == 1
    told = warehouse.query("select subject, body from alerts.message where kind = 'digest' order by message_id")[-1]
    assert told["subject"].endswith("0 sự cố mới, 1 đã hết / 0 new, 1 over, 2 tệp đã quyết định / 2 decided")
    assert "a.csv, đêm 20/03/2026: đã cho nạp / released, trực ban: đã gọi điện" in told["body"]
    assert ".csv, đêm 20/03/2026: không cho nạp / refused, trực ban: đã gọi điện" in told["body"]
    assert CODE not in told["body"]
    history = warehouse.query("select what, by_whom from alerts.incident_history order by entry_id")
    assert [tuple(row.values()) for row in history] == [
        ("opened", "tthc"), ("decided", "trực ban"), ("decided", "trực ban"), ("resolved", "tthc")]  # fmt: skip


def test_rows_refused_in_a_released_file_are_an_incident_of_their_own(warehouse: Warehouse) -> None:
    rows = [dossier(f"H42-260105-{n:04d}", channel="Bồ câu" if n < 15 else "Trực tiếp") for n in range(20)]
    warehouse.load_only(NIGHT, {LIST: csv_list(rows)})
    assert "QUARANTINE_SHARE" in alive(warehouse)
    decide(warehouse, 1, release=True)
    assert alive(warehouse) == ["UNKNOWN_CHANNEL"]


def test_a_replay_that_repairs_rows_ends_their_incident(warehouses: Warehouses, tmp_path: Path) -> None:
    (tmp_path / "statuses.csv").write_text("alias,status\n", encoding="utf-8")
    with warehouses.fresh(tmp_path) as warehouse:
        rows = [dossier("H42-260105-0001"), dossier("H42-260105-0002", status="Chờ ký")]
        warehouse.load_only(NIGHT, {LIST: csv_list(rows)})
        assert alive(warehouse) == ["UNKNOWN_STATUS"]
        (tmp_path / "statuses.csv").write_text("alias,status\nChờ ký,4\n", encoding="utf-8")
        with warehouse.kept():
            assert pipeline.replay(warehouse.settings).rows_repaired == 1
        assert alive(warehouse) == []
        assert all_clears(warehouse) == 1


def test_another_file_of_that_name_for_the_same_night_ends_the_incident(warehouse: Warehouse) -> None:
    warehouse.load_only(NIGHT, {LIST: b"khong,co\n1,2\n"})
    assert alive(warehouse) == ["HEADER"]
    warehouse.load_only(NIGHT, {"mot_cua_csv/khac.csv": csv_list([dossier("H42-260105-0001")])})
    warehouse.publish()
    assert alive(warehouse) == ["HEADER"], "another file says nothing about this one"
    warehouse.load_only(NIGHT, {LIST: csv_list([dossier("H42-260105-0002")])})
    warehouse.publish()
    assert alive(warehouse) == []


def test_a_warning_ends_the_night_its_file_comes_again_without_it(warehouse: Warehouse) -> None:
    """Every file that bears it must have come again; another file says nothing about it."""
    doubtful = {f"mot_cua_csv/{name}.csv": csv_list([dossier(f"H42-260107-000{n}")]) for n, name in enumerate("ab")}
    sound = {f"mot_cua_csv/{name}.csv": csv_list([dossier(f"H42-260105-000{n}")]) for n, name in enumerate("abc")}
    first, second, other = sound
    warehouse.load_only(NIGHT, doubtful)
    warehouse.load_only(NIGHT, {first: sound[first]})
    warehouse.load_only(NIGHT, {other: sound[other]})
    warehouse.publish()
    assert alive(warehouse) == ["CODE_DATE"], "the second file still bears it"
    warehouse.load_only(NIGHT, {second: sound[second]})
    warehouse.publish()
    assert alive(warehouse) == []
    assert all_clears(warehouse) == 1
    warehouse.load_only(NIGHT, {first: doubtful[first] + b"\n"})
    warehouse.publish()
    assert alive(warehouse) == ["CODE_DATE"], "it came back with the newest file of its name"


def test_a_warning_about_repeated_bytes_ends_when_a_better_file_follows_the_same_night(warehouse: Warehouse) -> None:
    doubtful = csv_list([dossier("H42-260107-0001")])
    warehouse.load_only(NIGHT, {LIST: doubtful})
    warehouse.load_only(NIGHT + timedelta(1), {LIST: doubtful})
    warehouse.publish()
    assert alive(warehouse) == ["CODE_DATE"]
    warehouse.load_only(NIGHT + timedelta(1), {LIST: csv_list([dossier("H42-260105-0001")])})
    warehouse.publish()
    assert alive(warehouse) == []


def test_a_warning_that_a_replay_does_not_repeat_is_over(warehouses: Warehouses, tmp_path: Path) -> None:
    """Corrections take out a refused row, and one that was let in with a warning."""
    with warehouses.fresh(tmp_path) as warehouse:
        rows = [dossier("H42-260105-0001", status="Chờ đó", **ODD), dossier("H42-260107-0002", **ODD)]
        warehouse.load_only(NIGHT, {LIST: csv_list([*rows, dossier("H42-260105-0003"), dossier("H42-260105-0004")])})
        assert alive(warehouse) == ["CODE_DATE", "UNKNOWN_STATUS"]
        (tmp_path / "corrections.toml").write_text(DROPPED, encoding="utf-8")
        with warehouse.kept():
            assert pipeline.replay(warehouse.settings).rows_waived == 1
        assert alive(warehouse) == []
        assert all_clears(warehouse) == 2
