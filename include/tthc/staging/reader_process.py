"""Readers in child processes: one that dies or hangs refuses its file, is replaced, and harms nothing else."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

from tthc.domain.errors import FileRefused
from tthc.reference.layouts import Layout
from tthc.staging.reader import Reading, read

MEMORY_BYTES = 3 * 1024**3  # address space, of which Arrow and the interpreter map about a third without using it
CPU_SECONDS = 120
WALL_SECONDS = 150.0


def _serve(pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            path, layout = pipe.recv()
        except EOFError:
            return
        spent = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(spent.ru_utime + spent.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        try:
            pipe.send(read(path, layout))
        except FileRefused as refused:
            pipe.send((refused.reason, refused.detail, refused.header))
        except MemoryError:
            pipe.send(("MEMORY_LIMIT", "đọc tệp cần quá nhiều bộ nhớ / reading needs too much memory"))
        except Exception as error:  # a foreign file may break a reader in any way; it must break only itself
            pipe.send(("FILE_CORRUPT", f"không đọc được tệp ({type(error).__name__}) / the reader failed"))


class _Worker:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tthc.staging.reader_process", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self.pipe = Connection(ours.detach())

    def read(self, path: Path, layout: Layout) -> Reading:
        self.pipe.send((path, layout))
        if not self.pipe.poll(WALL_SECONDS):
            raise TimeoutError
        answer = self.pipe.recv()
        if isinstance(answer, Reading):
            return answer
        raise FileRefused(*answer)

    def end(self) -> None:
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
        """One file; a refusal is a value, so that the other files of a batch go on."""
        worker = self._idle.get()
        try:
            worker = worker or _Worker()
            return worker.read(path, layout)
        except FileRefused as refused:
            return refused
        except TimeoutError:
            worker = self._replace(worker)
            return FileRefused("READER_TIMEOUT", f"đọc quá {WALL_SECONDS:.0f} giây / reading took too long")
        except (EOFError, ConnectionError, OSError):
            worker = self._replace(worker)
            return FileRefused("READER_DIED", "tiến trình đọc bị dừng vì tệp này / the reader process died on it")
        finally:
            self._idle.put(worker)

    @staticmethod
    def _replace(worker: _Worker | None) -> None:
        if worker is not None:
            worker.process.kill()
            worker.end()

    def read_all(self, files: Iterable[tuple[Path, Layout]]) -> Iterator[Reading | FileRefused]:
        """Files in the given order, as many at once as there are processes."""
        with ThreadPoolExecutor(self._size) as threads:
            yield from threads.map(lambda file: self.read(*file), files)


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
