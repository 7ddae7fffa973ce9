"""Readers in child processes: one that dies or hangs refuses its file, is replaced, and harms nothing else.

A table comes back through shared memory (`lent_memory`), not through the pipe.
"""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

import pyarrow as pa

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.staging.at_once import shares
from tthc.staging.confine import allow_cpu_seconds, confine
from tthc.staging.lent_memory import Borrower, Lender
from tthc.staging.reader import Reading, read

WALL_SECONDS = 90.0
RESIDENT_BYTES = 1400 * 1024**2  # a process that holds more is ended, so that none reaches 1.5 GiB
TIRED_BYTES = 700 * 1024**2  # one that keeps more after its work is replaced before the next file
# Keys and passwords of the parent are none of its business. Memory kept for a second is there for the next file.
_ENVIRONMENT = dict(MIMALLOC_PURGE_DELAY="1000")

_MEMORY = (
    "MEMORY_LIMIT",
    "đọc tệp cần quá nhiều bộ nhớ, hãy xuất thành nhiều phần / needs too much memory, export parts",
)
_DIED = (
    "READER_DIED",
    "tiến trình đọc hai lần bị dừng vì tệp này, tệp có thể hỏng / the reader process died on it twice",
)


def _serve(pipe: Connection) -> None:
    confine()
    lender = Lender(pipe)
    while True:
        try:
            path, layout, given_back = pipe.recv()
        except EOFError:
            return
        allow_cpu_seconds()
        lender.take_back(given_back)
        try:
            _answer(lender, read(path, layout))
        except FileRefused as refused:
            pipe.send((refused.reason, refused.detail, refused.header, refused.suggestions))
        except (MemoryError, pa.ArrowMemoryError):
            pipe.send(_MEMORY)
        except ConnectionError:
            return  # nobody waits for the answer any more
        except Exception as error:  # a foreign file may break a reader in any way; it must break only itself
            pipe.send(("FILE_CORRUPT", f"không đọc được tệp ({type(error).__name__}) / the reader failed"))


def _answer(lender: Lender, reading: Reading) -> None:
    """And let go of the reading, so that the next file is read into the same memory."""
    lender.lend(replace(reading, table=pa.table({})), shares(reading.table))


class _Worker:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tthc.staging.reader_process", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        theirs.close()
        self.pipe = Connection(ours.detach())
        self.borrower = Borrower(self.pipe)

    def read(self, path: Path, layout: Layout) -> Reading:
        """Raises FileRefused, TimeoutError, or EOFError and OSError when the process has died."""
        self.pipe.send((path, layout, self.borrower.given_back()))
        self._wait()
        answer = self.pipe.recv()
        if not isinstance(answer[0], Reading):
            raise FileRefused(*answer)
        reading: Reading = answer[0]
        reading.table = pa.concat_tables(self.borrower.tables(answer[1]))
        return reading

    def _wait(self) -> None:
        deadline = time.monotonic() + WALL_SECONDS
        while not self.pipe.poll(0.02):
            if self.resident_bytes() > RESIDENT_BYTES:
                self.kill()
                raise FileRefused(*_MEMORY)
            if time.monotonic() > deadline:
                raise TimeoutError

    def resident_bytes(self) -> int:
        """How much real memory the process holds; 0 when it has ended."""
        try:
            return int(Path(f"/proc/{self.process.pid}/statm").read_bytes().split()[1]) * resource.getpagesize()
        except (OSError, IndexError):
            return 0

    def kill(self) -> int:
        """End the process whatever it does; returns how it ended."""
        self.process.kill()
        self.borrower.close()
        self.pipe.close()
        return self.process.wait()

    def end(self) -> None:
        """Let the process end by itself, for it waits for nothing else."""
        self.borrower.close()
        self.pipe.close()
        try:
            self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ReaderPool:
    """Reads files in child processes, started when first needed and reused. Use as a context manager."""

    def __init__(self, size: int = 2) -> None:
        self._size = size
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        for _ in range(size):
            self._idle.put(None)

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in range(self._size):
            worker = self._idle.get()
            if worker is not None:
                worker.end()

    def read(self, path: Path, layout: Layout) -> Reading | FileRefused:
        """One file; a refusal is a value, so that the other files of a batch go on. A death may be an accident of the
        machine, so it is tried a second time, with a new process; a second death refuses the file."""
        for _ in range(2):
            if (answer := self._try(path, layout)) is not None:
                return answer
        return FileRefused(*_DIED)

    def _try(self, path: Path, layout: Layout) -> Reading | FileRefused | None:
        worker = self._idle.get()
        kept: _Worker | None = None
        try:
            worker = worker or _Worker()
            reading: Reading | FileRefused = worker.read(path, layout)
            kept = worker
        except FileRefused as refused:
            reading, kept = refused, worker
        except TimeoutError:
            return FileRefused("READER_TIMEOUT", f"đọc quá {WALL_SECONDS:.0f} giây / reading took too long")
        except (EOFError, OSError):
            if worker is not None and worker.kill() == -signal.SIGXCPU:
                return FileRefused("READER_TIMEOUT", "đọc tệp tốn quá nhiều thời gian / reading took too long")
            return None
        finally:
            if worker is not None and (kept is None or not 0 < kept.resident_bytes() < TIRED_BYTES):
                kept = None
                worker.kill()
            self._idle.put(kept)
        return reading

    def read_all(self, files: Iterable[tuple[Path, Layout]]) -> Iterator[Reading | FileRefused]:
        """Files in the given order, as many at once as there are processes."""
        with ThreadPoolExecutor(self._size) as threads:
            yield from threads.map(lambda file: self.read(*file), files)


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
