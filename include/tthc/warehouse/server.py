"""How the embedded PostgreSQL lives: created, started, found running, stopped.

Everything lies under `home/postgres`: the data directory, a generated password, the port and the log. The server
listens on 127.0.0.1 only, has no Unix socket, asks for a SCRAM password, and outlives the command that started it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.warehouse.server_account import Account, CommandFailed, account_for, failure
from tthc.warehouse.server_binaries import installation_for
from tthc.warehouse.server_state import NAME, State, alone, is_alive, plain_words, read, write

HOST = "127.0.0.1"
PATIENCE_SECONDS = 120
LOG_BYTES_KEPT = 10_000_000
SETTINGS = Path(__file__).with_name("embedded.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is known of an embedded server without touching it; `url` is None until it was first started."""

    running: bool
    pid: int | None
    url: str | None
    version: str | None
    log: Path


def start(home: Path) -> str:
    """Start the embedded server of `home`, or find it running, and return its SQLAlchemy URL.

    Safe to call from several processes at once. Raises Misconfigured (no permission, no binaries, root refused)
    and OutsideSystemFailed (disk full, no free port, the server's own last words).
    """
    state = State.of(home)
    with plain_words(state):
        # Root's server runs under another account, which must be able to pass through.
        state.root.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        with alone(state):
            if not state.settled():
                if state.major is None:
                    _create(state)
                _launch(state)
            _await_ready(state)
            return _url(state)


def stop(home: Path) -> bool:
    """Stop the embedded server of `home`; True when one was running. Open transactions are rolled back."""
    state = State.of(home)
    with plain_words(state):
        if not state.data.exists():
            return False
        with alone(state):
            if state.postmaster() is None:
                return False
            _account(state).run(
                *(_program(state, "pg_ctl"), "stop", "-D", state.data, "-m", "fast"),
                *("-w", "-t", PATIENCE_SECONDS),
            )
            return True


def status(home: Path) -> Status:
    """Tell whether the embedded server of `home` runs, without starting or waiting for anything."""
    state = State.of(home)
    with plain_words(state):
        found, major = state.postmaster(), state.major
        return Status(
            running=found is not None,
            pid=found[0] if found else None,
            url=_url(state) if major is not None and state.port.exists() else None,
            version=None if major is None else str(major),
            log=state.log,
        )


def url(home: Path) -> str:
    """Return the SQLAlchemy URL of the server of `home`, running or not; Misconfigured if it was never started."""
    known = status(home).url
    if known is None:
        raise Misconfigured(f"no embedded server was ever started in {home}; run `tthc db start`")
    return known


def binary(name: str, home: Path | None = None) -> Path:
    """Find a PostgreSQL program such as `psql`; with `home`, of the version that wrote its data."""
    return installation_for(State.of(home).major if home else None, program=name).path(name)


def _program(state: State, name: str) -> Path:
    return installation_for(state.major).path(name)


def _account(state: State) -> Account:
    return account_for(state.root, state.data, _program(state, "postgres"))


def _create(state: State) -> None:
    """Create the cluster beside its place and move it there whole: a killed start leaves nothing half made."""
    account = _account(state)
    if not read(state.password):
        write(state.password, secrets.token_urlsafe(32))
    account.give(state.password)
    fresh = Path(tempfile.mkdtemp(prefix="data.", dir=state.root))
    account.give(fresh)
    command = (
        *(_program(state, "initdb"), "-D", fresh, "-U", NAME, f"--pwfile={state.password}"),
        *("--auth=scram-sha-256", "--encoding=UTF8"),
    )
    try:
        account.run(*command, "--locale=C.UTF-8")
    except CommandFailed as refusal:
        if "invalid locale" not in str(refusal):
            raise
        account.run(*command, "--locale=C")  # names sort by a computed key anyway
    account.run(*(_program(state, "postgres"), "--single", "-D", fresh, "postgres"), stdin=f"create database {NAME};\n")
    fresh.rename(state.data)


def _launch(state: State) -> None:
    account = _account(state)
    for abandoned in state.root.glob("data.*"):  # by a start that was killed
        shutil.rmtree(abandoned, ignore_errors=True)
    _drop_misleading_pid_file(state)
    write(state.data / "postgresql.conf", _settings())
    if state.log.exists() and state.log.stat().st_size > LOG_BYTES_KEPT:
        state.log.replace(state.log.with_suffix(".log.1"))
    state.log.touch(mode=0o600)
    account.give(state.log)
    for tries_left in (2, 1, 0):
        port = _choose_port(state)
        options = f"-p {port} -c cluster_name={state.cluster_name}"
        already_said = state.log.stat().st_size
        try:
            account.run(
                *(_program(state, "pg_ctl"), "start", "-D", state.data, "-l", state.log, "-o", options),
                *("-w", "-t", PATIENCE_SECONDS),
            )
            return
        except CommandFailed as refusal:
            if state.postmaster():  # it lives and is still replaying its log
                return
            words = state.log.read_bytes()[already_said:].decode(errors="replace")
            if "could not bind" in words and tries_left:  # somebody took the port between our look and the start
                state.port.unlink()
                continue
            raise failure("the embedded server did not start", words or str(refusal)) from None


def _drop_misleading_pid_file(state: State) -> None:
    """Remove the pid file of a crashed server whose number some other program has now; PostgreSQL sees to the rest."""
    first_line = read(state.pid_file).partition("\n")[0]
    if first_line.isdigit() and is_alive(int(first_line)):
        state.pid_file.unlink()


def _settings() -> str:
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    shared_memory = Path("/dev/shm")
    shared_mb = shutil.disk_usage(shared_memory).free // 2**20 if shared_memory.exists() else 0
    return SETTINGS.read_text(encoding="utf-8").format(
        shared_buffers_mb=max(64, min(512, memory_mb // 8)),
        # Containers often have 64 MB of shared memory, which one parallel hash join fills.
        dynamic_memory="posix" if shared_mb >= 1024 else "mmap",
    )


def _choose_port(state: State) -> int:
    known = read(state.port)
    if known.isdigit() and _is_free(int(known)):
        return int(known)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    write(state.port, str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        return True


def _await_ready(state: State) -> None:
    """Return when the server answers to our password; after a crash it may be replaying its log for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = state.postmaster()
        if found is None:
            raise OutsideSystemFailed(f"the embedded server ended while starting; see {state.log}")
        port = found[1]
        if read(state.port) != str(port):
            write(state.port, str(port))
        try:
            _knock(port, read(state.password))
            return
        except psycopg.OperationalError as refusal:
            if "password" in str(refusal):
                raise Misconfigured(
                    f"{state.password} does not hold the password of the server in {state.data}; put the right one "
                    "back, or stop the server and remove both to begin with an empty warehouse"
                ) from None
            if time.monotonic() > deadline:
                raise OutsideSystemFailed(
                    f"the embedded server does not answer on port {port}: {refusal}; see {state.log}"
                ) from None
        time.sleep(0.1)


def _knock(port: int, password: str) -> None:
    psycopg.connect(
        host=HOST, port=port, user=NAME, dbname=NAME, password=password, sslmode="disable", connect_timeout=5
    ).close()


def _url(state: State) -> str:
    return f"postgresql+psycopg://{NAME}:{read(state.password)}@{HOST}:{read(state.port)}/{NAME}"
