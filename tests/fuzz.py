"""Mutants through the real readers and staging, without a database: only the listed verdicts may come out, no row may be
lost, and where a change has a known effect the rows must be exactly those.

    make fuzz                                    200,000 mutants of a random seed, at most an hour
    make fuzz SEED=7 FIRST=4211 MUTANTS=1        one of them again
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path

import pandas as pd

from mutants import Mutant, base_rows, mutant, written
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_status_words
from tthc.reference.procedures import read_procedures
from tthc.reference.sources import read_sources
from tthc.reference.units import read_places
from tthc.settings import settings
from tthc.staging.parse import Meanings
from tthc.staging.reader_process import ReaderPool
from tthc.staging.stage import stage
from tthc.staging.staged_file import StagedFile

BATCH = 2500  # an expectation suite costs the same for few rows as for many
SLOWEST_SECONDS = 60
VERDICTS = {"loaded", "loaded_with_quarantine", "held", "rejected"}
_PLACE = ["sheet", "row_no"]


@dataclass
class Ran:
    """How many mutants ended how, and what is wrong with some, as sentences that name them."""

    seed: int
    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.verdicts.values())


def run(
    seed: int, count: int, *, first: int = 0, seconds: float = float("inf"), tell: Callable[[Ran], None] | None = None
) -> Ran:
    """Try mutants `first`, `first` + 1, … until there were `count` of them or time is up; `tell` hears of
    every batch."""
    ran, end = Ran(seed), time.monotonic() + seconds
    with ReaderPool(2) as readers, tempfile.TemporaryDirectory() as folder:
        house = _House(readers, Path(folder))
        for start in range(first, first + count, BATCH):
            if time.monotonic() > end:
                break
            made = [mutant(seed, number) for number in range(start, min(start + BATCH, first + count))]
            for source, batch in groupby(sorted(made, key=lambda one: one.source), key=lambda one: one.source):
                house.try_all(ran, source, list(batch))
            if tell:
                tell(ran)
    return ran


class _House:
    """What staging needs, read once, and the rows all mutants are made of, typed."""

    def __init__(self, readers: ReaderPool, folder: Path) -> None:
        told = settings()
        self.readers, self.folder = readers, folder
        self.sources, self.layouts = read_sources(told), read_layouts(told)
        self.known = frozenset(read_procedures(told))
        self.meanings = Meanings(
            places=read_places(told),
            status_words=read_status_words(told),
            hmac_key=b"k" * 32,
            province="42",
            night=date(2026, 4, 10),
        )
        self.sound: dict[str, set[tuple[object, ...]]] = {}

    def try_all(self, ran: Ran, source: str, batch: list[Mutant]) -> None:
        files = []
        for one in batch:
            path = self.folder / str(one.number)
            path.write_bytes(one.content)
            files.append((f"{one.number}.x", f"{one.number:064d}", path))
        begun = time.monotonic()
        try:
            staged = stage(files, self.sources[source], self.layouts, self.meanings, self.known, self.readers)
        except Exception as error:
            if len(batch) > 1:  # which of them was it?
                self.try_all(ran, source, batch[: len(batch) // 2])
                self.try_all(ran, source, batch[len(batch) // 2 :])
            else:
                ran.wrong.append(f"mutant {batch[0].number} ({batch[0].change}, {source}): {error!r}")
            return
        if time.monotonic() - begun > SLOWEST_SECONDS * len(batch):
            ran.wrong.append(f"mutants from {batch[0].number} of {source} were too slow")
        for one, file in zip(batch, staged, strict=True):
            ran.verdicts[file.verdict] += 1
            ran.wrong += [f"mutant {one.number} ({one.change}, {source}): {what}" for what in self._faults(one, file)]

    def _faults(self, one: Mutant, file: StagedFile) -> Iterator[str]:
        counts = (file.rows_accepted, file.rows_quarantined, file.rows_dropped, file.rows_duplicate)
        if file.verdict not in VERDICTS:
            yield f"verdict {file.verdict}"
        if file.verdict in {"held", "rejected"} and not (file.reason and " / " in (file.detail or "")):
            yield f"{file.verdict} without a reason: {file.reason} {file.detail}"
        if file.reason in {"READER_DIED", "READER_TIMEOUT", "MEMORY_LIMIT"}:
            yield file.reason
        if sum(counts) != file.rows_read:
            yield f"{file.rows_read} rows read, {counts}"
        if one.expected is not None:
            if (file.rows_read, *counts) != one.expected:
                yield f"{file.verdict} {file.reason}, rows {(file.rows_read, *counts)}, expected {one.expected}"
            elif not _states(file.rows) <= self._sound(one.source):
                yield "an accepted row is none of those written"

    def _sound(self, source: str) -> set[tuple[object, ...]]:
        """The states of all rows, as an unchanged file gives them."""
        if source not in self.sound:
            path = self.folder / f"sound-{source}"
            path.write_bytes(written(base_rows(), source))
            (file,) = stage(
                [("a", "a", path)], self.sources[source], self.layouts, self.meanings, self.known, self.readers
            )
            assert file.verdict == "loaded" and len(file.rows) == len(base_rows()), (file.reason, file.detail)
            self.sound[source] = _states(file.rows)
        return self.sound[source]


def _states(rows: pd.DataFrame) -> set[tuple[object, ...]]:
    """What rows say, wherever they stand."""
    said = rows.drop(columns=[name for name in _PLACE if name in rows]).astype(object)
    return set(said.where(said.notna(), None).itertuples(index=False, name=None))


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    words.add_argument("--mutants", type=int, default=200_000)
    words.add_argument("--first", type=int, default=0)
    words.add_argument("--minutes", type=float, default=60)
    asked = words.parse_args()
    begun, told = time.monotonic(), 0
    print(f"seed {asked.seed}", flush=True)

    def tell(ran: Ran) -> None:
        nonlocal told
        speed = ran.count / (time.monotonic() - begun)
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(ran.verdicts.items()))
        print(f"{ran.count} of {asked.mutants} mutants, {speed:.0f} a second: {verdicts}", flush=True)
        for sentence in ran.wrong[told:]:
            print(f"seed {ran.seed}, {sentence}", flush=True)
        told = len(ran.wrong)

    try:
        ran = run(asked.seed, asked.mutants, first=asked.first, seconds=asked.minutes * 60, tell=tell)
    except KeyboardInterrupt:
        print("interrupted; what was found stands above")
        return 130
    print(f"{ran.count} mutants, {len(ran.wrong)} wrong, {time.monotonic() - begun:.0f} s")
    return 1 if ran.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
