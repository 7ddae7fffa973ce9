"""Where the embedded server keeps its state, who may change it, and whether a server is at work on it."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tthc.domain.errors import Misconfigured, OutsideSystemFailed

NAME = "tthc"  # of the superuser, the database and the processes
PROC = Path("/proc")
LOCK_SECONDS = 120
ORPHAN_SECONDS = 15


@dataclass(frozen=True, slots=True)
class State:
    """The files of one embedded server, all below `root`."""

    root: Path

    @classmethod
    def of(cls, home: Path) -> State:
        return cls(home.absolute() / "postgres")

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def password(self) -> Path:
        return self.root / "password"

    @property
    def port(self) -> Path:
        return self.root / "port"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def major(self) -> int | None:
        """The PostgreSQL version that wrote the data, None while there are none."""
        marker = self.data / "PG_VERSION"
        return int(marker.read_text()) if marker.exists() else None

    def postmaster(self) -> tuple[int, int] | None:
        """Process id and port of the server that runs on these data, whatever a left-over pid file says."""
        try:
            lines = self.pid_file.read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return (pid, port) if pid in self._processes(pid) else None

    def settled(self) -> bool:
        """Whether a server runs, once the orphans of a crashed one have ended; OutsideSystemFailed if they do not."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        while self.postmaster() is None:
            if not self._processes():
                return False
            if time.monotonic() > deadline:
                raise OutsideSystemFailed(
                    f"processes of a crashed server still hold {self.data}; end them and call again"
                )
            time.sleep(0.1)
        return True

    @property
    def cluster_name(self) -> str:
        """What the server's processes carry in their titles, so that they are known again; the data must exist."""
        place = self.data.stat()
        return f"{NAME}-{place.st_dev:x}-{place.st_ino:x}"

    def _processes(self, known: int | None = None) -> set[int]:
        """Every server process on these data: a postmaster, its children, and what a killed one left behind."""
        if not self.data.exists():
            return set()
        if not PROC.exists():
            return {known} if known is not None and is_alive(known) else set()
        mark, found = self.cluster_name.encode(), set()
        for process in PROC.glob("[0-9]*"):
            try:  # the title may be read by everybody; the working directory not even by root in a container
                if (process / "comm").read_text().startswith("postgres") and mark in (process / "cmdline").read_bytes():
                    found.add(int(process.name))
            except OSError:  # gone meanwhile
                continue
        return found


@contextmanager
def alone(state: State) -> Iterator[None]:
    """Hold the state against every other process; OutsideSystemFailed when another holds it for too long."""
    deadline = time.monotonic() + LOCK_SECONDS
    with (state.root / "lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise OutsideSystemFailed(
                        f"another command has been starting or stopping {state.root} for {LOCK_SECONDS} s; "
                        "end it and call again"
                    ) from None
                time.sleep(0.05)
        yield


@contextmanager
def plain_words(state: State) -> Iterator[None]:
    """Say what a refusing file system means for whoever called."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutsideSystemFailed(
                f"the disk that holds {state.root} is full; free space, or set TTHC_HOME to another disk"
            ) from refusal
        raise Misconfigured(
            f"the embedded server cannot work in {state.root} ({refusal.strerror}: {refusal.filename}); "
            "work as its owner, or set TTHC_HOME to a directory you may write to"
        ) from refusal


def is_alive(pid: int) -> bool:
    """Whether any process has this number, ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read(path: Path) -> str:
    """Return the text of a small file, "" when there is none."""
    return path.read_text().strip() if path.exists() else ""


def write(path: Path, text: str) -> None:
    """Write a small private file whole or not at all; it belongs to the owner of its directory."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        if os.geteuid() == 0:  # root may be helping out in somebody's checkout
            os.fchown(file.fileno(), path.parent.stat().st_uid, path.parent.stat().st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
