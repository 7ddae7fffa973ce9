"""What takes long and decides nothing is asked once: the answers of a suite to the same rows, the reading of `units.csv`.

`expectations.check` depends on nothing but the rules and the rows; most tests judge rows that another has judged. The
first answer to each is kept in a folder, where other workers and the loads of `loader.py` find it too.
`test_expectations.py` asks the library itself, and so does whatever is asked for the first time.
"""

from __future__ import annotations

import hashlib
import pickle
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from unittest import mock

import pandas as pd

from tthc.reference.files import directories
from tthc.settings import Settings
from tthc.staging import expectations
from tthc.staging.expectations import Failure

_FEW_ROWS = 2_000  # more are seldom judged twice
_UNITS = ("units.csv", "unit_successions.csv", "agencies.csv")

T = TypeVar("T")
Check = Callable[[pd.DataFrame, str], list[Failure]]


def remember_answers(folder: Path, ask: Check = expectations.check) -> None:
    """Let `expectations.check` answer from `folder` what was answered before, in this process and its children."""

    def check(frame: pd.DataFrame, name: str) -> list[Failure]:
        if len(frame) > _FEW_ROWS:
            return ask(frame, name)
        asked = (expectations.suite(name), frame.dtypes.astype(str).to_dict(), frame.to_dict("list"))
        kept = folder / hashlib.sha256(repr(asked).encode()).hexdigest()
        if kept.exists():
            said = pickle.loads(kept.read_bytes())
        else:
            said = [(answer.rows, answer.judged) for answer in ask(frame, name)]
            unfinished = kept.with_suffix(f".{uuid.uuid4()}")  # whoever writes it may be killed
            unfinished.write_bytes(pickle.dumps(said))
            unfinished.rename(kept)
        return [Failure(rule, *answer) for rule, answer in zip(expectations.suite(name), said, strict=True)]

    expectations.check = check


@contextmanager
def without_suites() -> Iterator[None]:
    """For rows that no suite refuses: the suites are not asked."""
    with mock.patch.object(expectations, "check", lambda *_: []):
        yield


def once(read: Callable[[Settings], T]) -> Callable[[Settings], T]:
    """The same reading of the units, made once for each state of the files it reads."""
    known: dict[tuple[object, ...], T] = {}

    def reading(settings: Settings) -> T:
        paths = [folder / name for folder in directories(settings) for name in _UNITS if (folder / name).exists()]
        state = (settings.province, *((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths))
        if state not in known:
            known[state] = read(settings)
        return known[state]

    return reading
