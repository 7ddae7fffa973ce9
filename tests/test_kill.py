"""A load that is killed, loses its connection or meets another load ends, when run again, where an undisturbed one ends:
the same states and figures, no delivery twice, nothing half.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from exports import counts, csv_list, csv_of, dossier, form_06a, json_list, table
from loader import PATIENCE, Command, Warm
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)
UNITS = ("xã Tiên Điền", "xã Cổ Đạm")
# One file a transaction, so that there is much to interrupt.
SOURCES = "".join(
    f'[[source]]\nid = "{name}"\ntitle = "trong kiểm thử"\nlayouts = ["{name}"]\nbatch_files = 1\n\n'
    for name in ("mot_cua_csv", "dvcqg_json", "tong_hop_06a_xlsx")
)


def _files() -> dict[str, bytes]:
    """Two lists with some rows to refuse and to warn of, one of records, one form, one broken file."""
    files = {}
    for number, unit in enumerate(UNITS):
        rows = [
            dossier(f"H42.{number}-260105-{place:03d}", unit_name=unit, due_at=f"{place % 20 + 5:02d}/03/2026")
            for place in range(25)
        ]
        rows += [
            dossier(f"H42.{number}-260105-9{place}", unit_name=unit, finished_at="09/01/2026", status="9")
            for place in range(5)
        ]
        rows += [
            dossier(f"H42.{number}-260105-8", unit_name="xã Không Có"),
            dossier(f"H42.{number}-260105-7", status="8"),
        ]
        files[f"mot_cua_csv/{number}.csv"] = csv_list(rows)
    files["dvcqg_json/a.json"] = json_list(
        [dossier(f"H42.9-260105-{place:03d}", unit_name="Sở Nội vụ") for place in range(9)]
    )
    files["tong_hop_06a_xlsx/a.xlsx"] = form_06a(
        [("Hộ tịch", counts(direct=9, early=4, in_time=5))], unit="xã Hương Khê"
    )
    files["mot_cua_csv/broken.csv"] = csv_of(table([{"dossier_code": "H42-1"}]))
    return files


FILES = _files()
KEPT = {
    "figures": "select period_calendar, period_label, unit_code, basis, field_code, metric_id, profile, numerator, "
    "denominator, units_expected, units_reported, status, flags from mart.kpi",
    "dossiers": "select to_jsonb(dossier) - 'version_id' from core.dossier",
    "versions": "select dossier_key, source_id, night, file_name, row_no, content from core.dossier_version",
    "deliveries": "select source_id, night, file_sha256, file_name, verdict, reason, rows_read, rows_accepted, "
    "rows_quarantined, rows_dropped, rows_duplicate from core.delivery",
    "units": "select file_name, unit_code, row_count from core.delivery_unit join core.delivery using (delivery_id)",
    "findings": "select file_name, rule_id, row_count from core.delivery_finding join core.delivery using (delivery_id)",
    "refusals": "select file_name, row_no, ordinal, rule_id from core.quarantine join core.delivery using (delivery_id)",
    "forms": "select row_no, unit_code, label, measure, value from core.reported",
    "flows": "select * from mart.flow_day",
    "nights": "select * from mart.dossier_status_day",
    "incidents": "select rule_id, source_id, unit_code, state, subject from alerts.incident",
    "messages": "select kind, case when kind <> 'report' then body end, sent_at is not null from alerts.outbox",
}


def picture(warehouse: Warehouse) -> dict[str, list[str]]:
    """Everything that a load leaves behind, without numbers and times that may differ."""
    return {
        name: sorted(repr(tuple(row.values())) for row in warehouse.query(statement))
        for name, statement in KEPT.items()
    }


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    (folder / "sources.toml").write_text(SOURCES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def undisturbed(warehouses: Warehouses, overlay: Path, warm: Warm) -> dict[str, list[str]]:
    with warehouses.fresh(overlay) as made:
        command = start(warm, made)
        assert command.wait() == 1, command.said()  # the broken file
        assert made.value("select count(*) from core.delivery") == len(FILES)
        return picture(made)


@pytest.fixture
def place(warehouses: Warehouses, overlay: Path) -> Iterator[Warehouse]:
    """An empty warehouse whose loads commit file by file."""
    with warehouses.fresh(overlay) as made:
        yield made


def start(warm: Warm, place: Warehouse, *, drop: Path | None = None, **environment: str) -> Command:
    folder = drop or place.drop(FILES)
    arguments = ["load", "--drop", str(folder), "--as-of", NIGHT.isoformat()]
    return warm.start(arguments, {**place.environment(), **environment}, place.settings.home)


def finish(warm: Warm, place: Warehouse) -> None:
    """Run to the end; the status is 1 for the broken file, also where a run before has told of it."""
    command = start(warm, place)
    assert command.wait() == 1, command.said()


def nothing_half(place: Warehouse) -> None:
    """Data without manifest, manifest without data, and a current state other than the versions', at any moment."""
    assert (
        place.query(
            "select file_name from core.delivery where feed = 'dossier' and verdict like 'loaded%' and rows_accepted "
            "<> (select count(*) from core.dossier_version where dossier_version.delivery_id = delivery.delivery_id)"
        )
        == []
    )
    assert place.value("select count(*) from core.dossier") == place.value(
        "select count(distinct dossier_key) from core.dossier_version"
    )
    assert place.query("select 1 from core.delivery group by source_id, night, file_sha256 having count(*) > 1") == []
    place.query("select count(*) from mart.kpi")  # readable whatever happened


def one_sentence(command: Command) -> str:
    """The last line of the words, which must be ours and no traceback."""
    said = command.said()
    assert "Traceback" not in said, said
    (told,) = [line for line in said.splitlines() if line.startswith("tthc: ")]
    return told


@contextmanager
def session(place: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    url = sa.make_url(place.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, application_name="the test") as connection:
        yield connection


def until_it_waits(place: Warehouse, command: Command) -> int:
    """Backend of a load that waits for a lock of ours."""
    deadline = time.monotonic() + PATIENCE
    with session(place) as look:
        look.autocommit = True
        while time.monotonic() < deadline:
            found = look.execute(
                "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' "
                "and application_name <> 'the test'"
            ).fetchone()
            if found:
                return int(found[0])
            with suppress(ProcessLookupError):
                time.sleep(0.005)
    raise AssertionError(f"the load never came to the lock: {command.said()}")


@contextmanager
def locked(place: Warehouse, name: str) -> Iterator[None]:
    """Nobody may write a table, everybody may read it."""
    with session(place) as holder:
        holder.execute(f"lock table {name} in share mode".encode())
        yield
        holder.rollback()


STATEMENTS = [
    "core.delivery", "core.delivery_finding", "core.delivery_unit", "core.quarantine", "core.dossier_version",
    "core.dossier", "alerts.incident", "alerts.outbox", "core.reported", "rollup.publication", "rollup.counter",
    "rollup.coverage", "rollup.flow_day", "rollup.status_day", "rollup.current_publication",
]  # fmt: skip


def test_killed_while_it_writes_each_table_in_turn(
    place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]
) -> None:
    folder = place.drop(FILES)
    for name in STATEMENTS:
        with locked(place, name):
            command = start(warm, place, drop=folder)
            until_it_waits(place, command)
            command.kill()
            nothing_half(place)
    finish(warm, place)
    nothing_half(place)
    assert picture(place) == undisturbed


def test_killed_again_and_again_at_any_moment(place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]) -> None:
    chance = random.Random(7)
    folder = place.drop(FILES)
    for _ in range(8):
        command = start(warm, place, drop=folder)
        time.sleep(chance.uniform(0.0, 1.2))
        with suppress(ProcessLookupError):
            command.kill()
        nothing_half(place)
    finish(warm, place)
    assert picture(place) == undisturbed


def test_killed_after_each_line_of_progress(place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]) -> None:
    folder = place.drop(FILES)
    for line in range(1, len(FILES) + 1):
        command = start(warm, place, drop=folder)
        command.until_it_says(" files, ", times=line)
        command.kill()
        nothing_half(place)
        assert place.value("select count(*) from core.delivery") >= line
    finish(warm, place)
    assert picture(place) == undisturbed


def test_the_command_itself_killed_and_run_again(
    place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]
) -> None:
    program = Path(sys.executable).with_name("tthc")
    arguments = [program, "load", "--drop", place.drop(FILES), "--as-of", NIGHT.isoformat()]
    with subprocess.Popen(
        arguments,
        stderr=subprocess.PIPE,
        text=True,
        env={**_clean_environment(), **place.environment()},
    ) as process:
        assert process.stderr
        assert " files, " in process.stderr.readline()
        process.send_signal(signal.SIGKILL)
    nothing_half(place)
    finish(warm, place)
    assert picture(place) == undisturbed


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TTHC_")}


@contextmanager
def slow_commit(place: Warehouse, table: str) -> Iterator[psycopg.Connection[Any]]:
    """COMMIT of whoever writes the table waits for the session yielded here to let go."""
    with session(place) as holder:
        holder.autocommit = True
        holder.execute(
            "create function core.wait() returns trigger language plpgsql as "
            "$$ begin perform pg_advisory_xact_lock(99); return null; end $$"
        )
        holder.execute(
            f"create constraint trigger wait after insert or update on {table} "
            "deferrable initially deferred for each row execute function core.wait()".encode()
        )
        holder.execute("select pg_advisory_lock(99)")
        yield holder
        holder.execute("select pg_advisory_unlock_all()")
        deadline = time.monotonic() + PATIENCE
        while holder.execute(
            "select 1 from pg_stat_activity where datname = current_database() and state <> 'idle' "
            "and application_name <> 'the test'"
        ).fetchone():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        holder.execute("drop function core.wait cascade")


def test_killed_between_commit_and_its_reply(place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]) -> None:
    for written in ("core.delivery", "rollup.current_publication"):
        with slow_commit(place, written):
            command = start(warm, place)
            until_it_waits(place, command)
            command.kill()
            before = place.value(f"select count(*) from {written}")
        assert place.value(f"select count(*) from {written}") == before + 1  # the server finished what it was told
        nothing_half(place)
    finish(warm, place)
    assert picture(place) == undisturbed


def test_a_lost_connection_is_exit_3_and_one_sentence(
    place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]
) -> None:
    for name in ("core.dossier_version", "core.quarantine", "rollup.counter", "alerts.outbox"):
        with locked(place, name):
            command = start(warm, place)
            backend = until_it_waits(place, command)
            place.query("select pg_terminate_backend(:pid)", pid=backend)
            assert command.wait() == 3, command.said()
            assert "warehouse" in one_sentence(command)
        nothing_half(place)
    with slow_commit(place, "core.delivery"):
        command = start(warm, place, drop=place.drop({"mot_cua_csv/late.csv": csv_list([dossier("H42.70-260105-1")])}))
        place.query("select pg_terminate_backend(:pid)", pid=until_it_waits(place, command))
        assert command.wait() == 3, command.said()
        one_sentence(command)
    assert place.query("select 1 from core.delivery where file_name = 'late.csv'") == []
    finish(warm, place)
    assert picture(place) == undisturbed


class CuttingProxy:
    """Stands between a load and the server; the reply to one COMMIT is lost, and the link with it."""

    def __init__(self, url: str, commits: int) -> None:
        self.target = (sa.make_url(url).host, sa.make_url(url).port)
        self.commits_left = commits
        self.cut = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = sa.make_url(url).set(port=self.listener.getsockname()[1]).render_as_string(hide_password=False)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target)
                doomed = threading.Event()
                threading.Thread(target=self._up, args=(near, far, doomed), daemon=True).start()
                threading.Thread(target=self._down, args=(near, far, doomed), daemon=True).start()

    def _up(self, near: socket.socket, far: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while data := near.recv(65_536):
                if b"COMMIT" in data and not self.cut.is_set():
                    self.commits_left -= 1
                    if self.commits_left == 0:
                        self.cut.set()
                        doomed.set()
                far.sendall(data)

    def _down(self, near: socket.socket, far: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while data := far.recv(65_536):
                if doomed.is_set():  # the server has answered: it is committed, and nobody will hear of it
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(data)

    def close(self) -> None:
        self.listener.close()


def test_the_reply_to_each_commit_lost_in_turn(place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]) -> None:
    folder = place.drop(FILES)
    for commits in range(1, 40):
        proxy = CuttingProxy(place.url, commits)
        command = start(warm, place, drop=folder, TTHC_WAREHOUSE_URL=proxy.url)
        status = command.wait()
        proxy.close()
        nothing_half(place)
        if not proxy.cut.is_set():
            break
        assert status == 3, command.said()
        one_sentence(command)
    assert commits > len(FILES)
    assert picture(place) == undisturbed


def test_two_loads_of_one_folder_at_once(place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]) -> None:
    folder = place.drop(FILES)
    commands = [start(warm, place, drop=folder) for _ in range(2)]
    assert {command.wait() for command in commands} <= {0, 1}, [command.said() for command in commands]
    nothing_half(place)
    assert picture(place) == undisturbed


def test_two_nights_at_once_end_as_one_after_the_other(
    warehouses: Warehouses, overlay: Path, warm: Warm, place: Warehouse
) -> None:
    """The later night moves some dossiers on, repeats some, and leaves some out."""
    moved = [
        dossier(f"H42.0-260105-{number:03d}", due_at="20/03/2026", finished_at="10/03/2026", status="9")
        for number in range(12)
    ]
    later = {"mot_cua_csv/0.csv": csv_list(moved), "mot_cua_csv/1.csv": FILES["mot_cua_csv/1.csv"]}
    nights = [(NIGHT.isoformat(), FILES), ("2026-04-11", later)]
    pictures = []
    with warehouses.fresh(overlay) as other:
        for where in (place, other):
            commands = []
            for night, files in reversed(nights) if where is place else nights:
                arguments = ["load", "--drop", str(where.drop(files)), "--as-of", night]
                commands.append(warm.start(arguments, where.environment(), where.settings.home))
                if where is other:
                    commands[-1].wait()
            if where is place:
                assert {command.wait() for command in commands} <= {0, 1}, [command.said() for command in commands]
            start(warm, where, drop=where.drop({})).wait()  # whatever either of them could not publish yet
            what_is_current_is_what_the_versions_rebuild(where)
            seen = picture(where)
            pictures.append({name: seen[name] for name in ("figures", "dossiers", "forms", "flows")})
    assert pictures[0] == pictures[1]


def what_is_current_is_what_the_versions_rebuild(place: Warehouse) -> None:
    assert place.query("select 1 from core.delivery group by source_id, night, file_sha256 having count(*) > 1") == []
    assert (
        place.query(
            "select 1 from (select dossier.dossier_key, content from core.dossier "
            "join core.dossier_version using (version_id)) as current full join (select distinct on (dossier_key) "
            "dossier_key, content from core.dossier_version join ref.source using (source_id) order by dossier_key, "
            "priority, night desc, file_name desc, delivery_id desc, row_no desc) as rebuilt "
            "using (dossier_key, content) where current.dossier_key is null or rebuilt.dossier_key is null"
        )
        == []
    )


def test_two_loads_on_a_warehouse_that_is_not_yet_there(
    warehouses: Warehouses, overlay: Path, warm: Warm, undisturbed: dict[str, list[str]]
) -> None:
    with warehouses.bare(overlay) as place:
        folder = place.drop(FILES)
        commands = [start(warm, place, drop=folder) for _ in range(2)]
        assert {command.wait() for command in commands} <= {0, 1}, [command.said() for command in commands]
        assert picture(place) == undisturbed


def test_killed_while_it_migrates(
    warehouses: Warehouses, overlay: Path, warm: Warm, undisturbed: dict[str, list[str]]
) -> None:
    with warehouses.bare(overlay) as place:
        for moment in (0.05, 0.15, 0.3, 0.5):
            command = start(warm, place)
            time.sleep(moment)
            with suppress(ProcessLookupError):
                command.kill()
        finish(warm, place)
        assert picture(place) == undisturbed


def test_the_same_folder_again_changes_nothing(place: Warehouse, warm: Warm, undisturbed: dict[str, list[str]]) -> None:
    finish(warm, place)
    before = place.value("select max(publication_id) from mart.publication")
    finish(warm, place)
    assert picture(place) == undisturbed
    assert place.value("select max(publication_id) from mart.publication") == before


def test_another_key_is_refused_before_anything_is_written(place: Warehouse, warm: Warm) -> None:
    finish(warm, place)
    before = picture(place)
    other = place.drop({"mot_cua_csv/new.csv": csv_list([dossier("H42.77-260105-1")])})
    command = start(warm, place, drop=other, TTHC_HMAC_KEY="another key")
    assert command.wait() == 2
    assert "TTHC_HMAC_KEY" in one_sentence(command)
    assert picture(place) == before


@pytest.mark.parametrize(
    ("environment", "status", "word"),
    [
        ({"TTHC_HMAC_KEY": ""}, 2, "TTHC_HMAC_KEY"),
        ({"TTHC_PROVINCE": "00"}, 2, "TTHC_PROVINCE"),
        ({"TTHC_REFERENCE": "nowhere"}, 2, "TTHC_REFERENCE"),
        ({"TTHC_WAREHOUSE_URL": "postgresql+psycopg://x:y@127.0.0.1:1/z"}, 3, "warehouse"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    place: Warehouse, warm: Warm, environment: dict[str, str], status: int, word: str
) -> None:
    command = start(warm, place, **environment)
    assert command.wait() == status, command.said()
    assert word in one_sentence(command)


@pytest.mark.parametrize("files", [{"khong_co/a.csv": b"x"}, None])
def test_a_wrong_folder_is_exit_2_and_one_sentence(
    place: Warehouse, warm: Warm, files: dict[str, bytes] | None
) -> None:
    folder = place.drop(files) if files else Path("no such folder")
    command = start(warm, place, drop=folder)
    assert command.wait() == 2, command.said()
    one_sentence(command)
