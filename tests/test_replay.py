"""A file that was rejected or held is judged again whole: by a replay, by a person's release, and after a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from exports import csv_list, dossier
from loader import PATIENCE, Warm
from tthc import pipeline
from tthc.domain.errors import Misconfigured
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 20)
LIST = "mot_cua_csv/danh-sach.csv"
PATCH = 'extends = "mot_cua_csv"\n\n[columns.dossier_code]\nheadings = ["Mã hồ sơ", "Số phiếu lạ"]\nrequired = true\n'
STRANGE = {"dossier_code": "Số phiếu lạ"}
CORRECTION = (
    '[[correction]]\nid = "cho-ky"\nsource = "mot_cua_csv"\ncolumn = "status"\ntext = "Chờ ký"\naction = "map"\n'
    'to = "Đang xử lý"\nreason = "phần mềm ghi sai"\nowner = "Văn phòng UBND tỉnh"\n'
    "reviewed_on = 2026-03-01\nreview_by = 2026-06-30\n"
)


class Desk:
    """A warehouse whose reference files a test changes."""

    def __init__(self, warehouse: Warehouse, overlay: Path) -> None:
        self.warehouse, self.overlay = warehouse, overlay

    def knows(self, *words: str) -> None:
        lines = ["alias,status", *(f"{word},4" for word in words)]
        (self.overlay / "statuses.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def patch_layout(self) -> None:
        (self.overlay / "layouts" / "mot_cua_csv.toml").write_text(PATCH, encoding="utf-8")

    def replay(self) -> pipeline.Replayed:
        with self.warehouse.kept():
            return pipeline.replay(self.warehouse.settings)

    def decide(self, delivery_id: int, *, release: bool) -> None:
        with self.warehouse.kept():
            pipeline.init(self.warehouse.settings)
            pipeline.decide(self.warehouse.settings, delivery_id, release=release, by="trực ban", reason="đã gọi điện")

    def incidents(self) -> list[tuple[str, str]]:
        rows = self.warehouse.query("select rule_id, state from alerts.incident order by incident_id")
        return [(row["rule_id"], row["state"]) for row in rows]

    def deliveries(self) -> list[tuple[str, str | None]]:
        rows = self.warehouse.query("select verdict, reason from core.delivery order by delivery_id")
        return [(row["verdict"], row["reason"]) for row in rows]


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "layouts").mkdir()
    (tmp_path / "statuses.csv").write_text("alias,status\nĐang làm,4\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def desk(warehouses: Warehouses, overlay: Path) -> Iterator[Desk]:
    with warehouses.fresh(overlay) as warehouse:
        yield Desk(warehouse, overlay)


def many(odd: int, **cells: str) -> list[dict[str, str]]:
    return [dossier(f"H42-260105-{n:04d}", **(cells if n < odd else {})) for n in range(20)]


def test_a_rejected_file_enters_when_a_layout_knows_its_headings_and_only_then(desk: Desk) -> None:
    content = csv_list([dossier("H42-1"), dossier("H42-2")], STRANGE)
    assert desk.warehouse.load(NIGHT, {LIST: content}).files == {"rejected": 1}
    desk.knows("Khác")
    assert (desk.replay().files, len(desk.deliveries())) == (1, 1), (
        "still rejected for the same reason: not noted again"
    )
    desk.patch_layout()
    done = desk.replay()
    assert (done.files, done.files_entered) == (1, 1)
    assert desk.incidents() == [("MISSING_COLUMN", "resolved")]
    assert desk.warehouse.value("select count(*) from core.dossier") == 2
    (told,) = desk.warehouse.files().values()
    assert (told["verdict"], told["rows_accepted"]) == ("loaded", 2)
    before = desk.warehouse.query("select * from core.delivery order by 1")
    assert desk.replay().files == 0
    assert desk.warehouse.query("select * from core.delivery order by 1") == before


@pytest.mark.parametrize("release", [True, False])
def test_a_rejected_file_that_is_held_when_it_can_be_read_is_no_longer_without_its_column(
    desk: Desk, release: bool
) -> None:
    desk.warehouse.load_only(NIGHT, {LIST: csv_list(many(12, channel="Bồ câu"), STRANGE)})
    desk.patch_layout()
    assert desk.replay().files_entered == 0
    assert desk.deliveries() == [("rejected", "MISSING_COLUMN"), ("held", "QUARANTINE_SHARE")]
    assert desk.incidents()[0] == ("MISSING_COLUMN", "resolved")
    desk.decide(2, release=release)
    alive = [rule for rule, state in desk.incidents() if state != "resolved"]
    assert alive == (["UNKNOWN_CHANNEL"] if release else [])
    assert desk.replay().files == int(release), "what a person refused is over; refused rows wait"


def test_a_held_file_that_is_released_is_judged_by_what_is_in_force_then(desk: Desk) -> None:
    """Between the night and the decision the lists have learned a word, forgotten another, and gained a correction."""
    rows = many(15, status="Ký số")[:18]
    rows += [dossier("H42-260105-0098", status="Đang làm"), dossier("H42-260105-0099", status="Chờ ký")]
    assert desk.warehouse.load(NIGHT, {LIST: csv_list(rows)}).files == {"held": 1}
    desk.knows("Ký số")  # and "Đang làm" no longer
    (desk.overlay / "corrections.toml").write_text(CORRECTION, encoding="utf-8")
    judged = desk.warehouse.value("select count(*) from core.judgement")
    desk.decide(1, release=True)
    (told,) = desk.warehouse.files().values()
    assert (told["verdict"], told["rows_accepted"], told["rows_quarantined"]) == ("loaded_with_quarantine", 19, 1)
    states = desk.warehouse.query(
        "select row_no, state from core.quarantine where state = 'open' or row_no in (2, 21) order by row_no"
    )
    assert [tuple(row.values()) for row in states] == [(2, "repaired"), (20, "open"), (21, "repaired")]
    uses = desk.warehouse.query("select rule_id, severity, row_count from core.delivery_finding order by 1")
    assert [tuple(use.values()) for use in uses] == [
        ("CORRECTED:cho-ky", "warning", 1), ("UNKNOWN_STATUS", "quarantine", 1)]  # fmt: skip
    assert desk.warehouse.value("select count(*) from core.judgement") > judged
    desk.warehouse.publish()
    assert [rule for rule, state in desk.incidents() if state != "resolved"] == ["UNKNOWN_STATUS"]
    assert desk.warehouse.value("select count(*) from core.dossier") == 19


def test_a_release_by_the_rules_of_the_night_counts_no_row_twice(warehouse: Warehouse) -> None:
    warehouse.load_only(NIGHT, {LIST: csv_list(many(12, channel="Bồ câu"))})
    judged = warehouse.query("select * from mart.judgement order by suite, position")
    with warehouse.kept():
        pipeline.decide(warehouse.settings, 1, release=True, by="trực ban", reason="đã gọi điện")
    assert warehouse.query("select * from mart.judgement order by suite, position") == judged
    assert warehouse.value("select count(*) from core.quarantine where state = 'open'") == 12


def test_what_cannot_be_read_any_more_is_not_released(desk: Desk) -> None:
    desk.warehouse.load_only(NIGHT, {LIST: csv_list(many(12, channel="Bồ câu"))})
    other = PATCH.replace('"Mã hồ sơ", ', "")  # requires a heading that this file does not have
    (desk.overlay / "layouts" / "mot_cua_csv.toml").write_text(other, encoding="utf-8")
    with pytest.raises(Misconfigured, match="MISSING_COLUMN"):
        desk.decide(1, release=True)
    for path in desk.warehouse.settings.landing.glob("??/*"):
        path.unlink()
    with pytest.raises(Misconfigured, match="landing"):
        desk.decide(1, release=True)
    assert desk.deliveries() == [("held", "QUARANTINE_SHARE")]
    assert desk.warehouse.value("select count(*) from core.decision") == 0
    assert desk.warehouse.value("select count(*) from alerts.outbox where kind = 'decided'") == 0


# Killed.

KEPT = {
    "refusals": "select row_no, rule_id, state, ended_by from core.quarantine",
    "deliveries": "select delivery_id, verdict, reason, rows_accepted, rows_quarantined from core.delivery",
    "findings": "select * from core.delivery_finding",
    "versions": "select dossier_key, night, row_no, content from core.dossier_version",
    "replays": "select delivery_id, rows_entered, rows_waived from core.replay",
    "incidents": "select rule_id, source_id, state, opened_on, turn, nights from alerts.incident",
    "history": "select incident_id, what, by_whom, reason from alerts.incident_history",
    "outbox": "select incident_id, kind, turn from alerts.outbox where kind <> 'report'",
}


def picture(warehouse: Warehouse) -> dict[str, list[str]]:
    return {
        name: sorted(repr(tuple(row.values())) for row in warehouse.query(statement))
        for name, statement in KEPT.items()
    }


def until_it_waits(watch: psycopg.Connection[tuple[int]]) -> None:
    """Until somebody waits for a lock that is held here."""
    deadline = time.monotonic() + PATIENCE
    asked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while watch.execute(asked).fetchone() is None:
        assert time.monotonic() < deadline, "the replay never came to the lock"
        time.sleep(0.005)


# Where a replay is cut off: while it writes rows that were refused, a held file, a rejected one, and their incidents.
CUTS = ("core.quarantine", "core.replay", "core.delivery_unit", "alerts.incident_history", "core.delivery")


def test_a_replay_killed_between_check_and_commit_ends_as_one_that_was_left_alone(
    warehouses: Warehouses, warm: Warm, overlay: Path
) -> None:
    """A file with refused rows, a held and a rejected one, each a batch of its own; after the kills one more replay."""
    (overlay / "sources.toml").write_text('[[source]]\nid = "mot_cua_csv"\nbatch_files = 1\n', encoding="utf-8")
    files = {
        "mot_cua_csv/a.csv": csv_list([dossier("H42-1"), dossier("H42-2", status="Chờ ký"), dossier("", status="Lạ")]),
        "mot_cua_csv/b.csv": csv_list(many(15, status="Chờ ký")),
        "mot_cua_csv/c.csv": csv_list([dossier("H42-3"), dossier("H42-4", status="Lạ")], STRANGE),
    }
    ends = []
    for cuts in ((), CUTS):
        for changed in overlay.glob("layouts/*"):
            changed.unlink()
        (overlay / "statuses.csv").write_text("alias,status\nĐang làm,4\n", encoding="utf-8")
        with warehouses.fresh(overlay) as warehouse:
            desk = Desk(warehouse, overlay)
            warehouse.load_only(NIGHT, files)
            desk.knows("Chờ ký")
            desk.patch_layout()
            url = sa.make_url(warehouse.url).set(drivername="postgresql").render_as_string(hide_password=False)
            words = (["quarantine", "replay"], warehouse.environment(), warehouse.settings.home)
            for table in cuts:
                with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watch:
                    holder.execute(f"lock table {table} in share mode".encode())
                    running = warm.start(*words)
                    until_it_waits(watch)
                    running.kill()
                    holder.rollback()
            finishing = warm.start(*words)
            assert finishing.wait() == 0, finishing.said()
            ends.append(picture(warehouse))
            assert (desk.replay().files, picture(warehouse)) == (2, ends[-1]), "two rows wait; a second replay is none"
    assert ends[0] == ends[1]
    assert sum("'repaired'" in row for row in ends[0]["refusals"]) == 16
