"""The command `tthc` in a process that may be killed: a warm parent, which has imported everything, forks one child a
command, so that a hundred loads can be killed without a hundred imports.

Run as a program this file is that parent: it reads one JSON object a line and answers with one.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from remembered import remember_answers
from tthc.domain.errors import FileRefused
from tthc.settings import settings as read_settings

PATIENCE = 90.0


@dataclass(slots=True)
class Command:
    """One running `tthc`; its words are in two files."""

    pid: int
    out: Path
    err: Path
    parent: Warm

    def said(self) -> str:
        return self.err.read_text(encoding="utf-8")

    def kill(self) -> None:
        """SIGKILL; nothing of it is left when this returns."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Exit status, negative for a signal."""
        status = self.parent.ask({"wait": self.pid})["status"]
        assert status is not None, f"still running after {PATIENCE:.0f} s: {self.said()}"
        return int(status)

    def until_it_says(self, word: str, times: int = 1) -> None:
        """Wait for a word of its progress."""
        deadline = time.monotonic() + PATIENCE
        while self.said().count(word) < times:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.002)


class Warm:
    """The warm parent; `start` forks a command."""

    def __init__(self, answers: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, answers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], words: Path) -> Command:
        """Run `tthc <arguments>`; `words` is a directory for what it prints."""
        place = words / f"said-{time.monotonic_ns()}"
        out, err = place.with_suffix(".out"), place.with_suffix(".err")
        err.touch()
        question = {"run": list(arguments), "environment": dict(environment), "out": str(out), "err": str(err)}
        return Command(self.ask(question)["pid"], out, err, self)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def _serve() -> None:
    from tthc import cli, pipeline  # noqa: F401  (imported to be warm)
    from tthc.reference import units
    from tthc.staging import expectations, reader

    class ReadersHere:
        """Reads in this very process: starting reader processes takes longer than all the rest of a small load."""

        def __enter__(self) -> ReadersHere:
            return self

        def __exit__(self, *_: object) -> None: ...

        def read_all(self, files: Iterable[tuple[Path, Any]]) -> Iterator[Any]:
            return (self.read(*file) for file in files)

        def read(self, path: Path, layout: Any) -> Any:
            try:
                return reader.read(path, layout)
            except FileRefused as refused:
                return refused

    pipeline.ReaderPool = ReadersHere  # type: ignore[assignment,misc]  # the same two methods
    units.read_units = partial(lambda known, _: known, units.read_units(read_settings()))
    expectations._library()
    remember_answers(Path(sys.argv[1]))
    gc.freeze()
    for line in sys.stdin:
        question = json.loads(line)
        answer = {"status": _wait(question["wait"])} if "wait" in question else {"pid": _fork(question)}
        print(json.dumps(answer), flush=True)


def _fork(question: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    from tthc import cli

    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, path in ((1, question["out"]), (2, question["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.dup2(nothing, 0)
    for name in [name for name in os.environ if name.startswith("TTHC_")]:
        del os.environ[name]
    os.environ.update(question["environment"])
    sys.argv = ["tthc", *question["run"]]
    status = 70
    try:
        cli.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(pid: int) -> int | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return None


if __name__ == "__main__":
    _serve()
