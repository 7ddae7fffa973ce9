"""A random walk of files and changes (`walk.py`): after every step a full recomputation changes nothing, the ledger tells
every change of a figure once and nothing else, and what was published before reads as it did. At its end the figures are
those of the independent program, and the same files in another order give them too.

Run as a program this file is `make walk`: longer walks, of a drawn or a given seed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compared_figures import compare, fingerprint
from independent import Knowledge, figures
from independent_rows import table
from remembered import without_suites
from tthc import pipeline
from walk import LISTED, Reference, Walk
from warehouses import KEY, Warehouse, Warehouses

KEY_OF_FIGURE = "period_calendar, period_kind, period_label, unit_code, basis, field_code, metric_id, profile"
_STORED = {"counter", "manual", "coverage"}  # with the numbers of publications, which another order does not repeat
Pair = tuple[int | None, int | None]
Figures = Mapping[tuple[str, ...], tuple[date, Pair, bool]]  # key → first day of its period, counts, stated by a unit


def read_figures(place: Warehouse, publication: int) -> tuple[Figures, int]:
    """The figures of a publication, and a number for all that its rows say."""
    rows = place.rows(
        f"select {KEY_OF_FIGURE}, period_start, numerator, denominator, 'manual_input' = any(flags), told::text "
        f"from mart.kpi_history as told where publication_id = {publication}"
    )
    found = {tuple(row[:8]): (row[8], (row[9], row[10]), row[11]) for row in rows}
    return found, hash(frozenset(row[12] for row in rows))


def changes(before: Figures, after: Figures, night_before: date) -> dict[tuple[str, ...], tuple[Pair, Pair]]:
    """What the ledger must list: figures of periods that had begun, whose counts differ. A row of dossiers that is not
    there is zero; a statement that is not there is none."""
    found = {}
    for key in before.keys() | after.keys():
        start, pair, is_stated = (after if key in after else before)[key]
        none: Pair = (None, None) if is_stated else (0, None if pair[1] is None else 0)
        pairs = tuple(side[key][1] if key in side else none for side in (before, after))
        if start <= night_before and pairs[0] != pairs[1]:
            found[key] = (pairs[0], pairs[1])
    return found


class Checked:
    """A walk whose every step is looked at."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.place, self.pick = walk, walk.warehouse, random.Random(0)
        self.figures: Figures = {}
        self.history: dict[int, int] = {}
        self.kept: dict[int, list[Any]] = {}

    def newest(self) -> tuple[int, date]:
        row = self.place.query("select publication_id, night from mart.publication where is_current")
        return (row[0]["publication_id"], row[0]["night"]) if row else (0, date.min)

    def step(self, number: int) -> None:
        publication, night = self.newest()
        what, causes = self.walk.step()
        print(f"{number:3} {what}", flush=True)
        self.place.publish()
        now, _ = self.newest()
        before = self.figures
        self.figures, self.history[now] = read_figures(self.place, now)
        ledger = self.place.rows(
            f"select {KEY_OF_FIGURE}, old_numerator, old_denominator, new_numerator, new_denominator, cause, cause_ref "
            f"from mart.restatement where publication_id > {publication}"
        )
        told = {tuple(row[:8]): ((row[8], row[9]), (row[10], row[11])) for row in ledger}
        assert len(told) == len(ledger), "a change stands twice in the ledger"
        expected = changes(before, self.figures, night) if publication else {}
        wrong = {key for key in told.keys() | expected.keys() if told.get(key) != expected.get(key)}
        assert not wrong, [(key, told.get(key), expected.get(key)) for key in sorted(wrong)[:5]]
        assert {row[12] for row in ledger} <= causes, Counter((row[12], row[13]) for row in ledger)
        unnamed = [row for row in ledger if not row[13] or row[13].startswith("delivery ")]
        assert not unnamed, f"{len(unnamed)} changes without a cause, such as {unnamed[0]}"
        self.full(now)
        self.earlier()

    def full(self, publication: int) -> None:
        seen = fingerprint(self.place)
        with self.place.kept():
            pipeline.publish(self.place.settings, full=True)
        again = fingerprint(self.place)
        assert again == seen, f"a full recomputation changed {[name for name in seen if seen[name] != again[name]]}"
        assert not self.place.value(f"select count(*) from mart.restatement where publication_id > {publication}")

    def earlier(self) -> None:
        """What was published and what was handed in reads as it did."""
        publication = self.pick.choice(list(self.history))
        assert read_figures(self.place, publication)[1] == self.history[publication], f"publication {publication}"
        for version in self.walk.handed_in:
            rows = self.place.rows(
                f"select * from mart.submitted_kpi where version = {version} order by 1, 2, 3, 4, 5, 6"
            )
            digest = sorted(map(repr, rows))
            assert self.kept.setdefault(version, digest) == digest, f"version {version} of what was handed in"

    def end(self, warehouses: Warehouses, folder: Path) -> None:
        """Everything judged by the last word of the reference files, as a reader of the files finds it in any order."""
        print(f"end {self.walk.judged_again()[0]}", flush=True)
        self.place.publish()
        expected = figures(known(self.walk, folder), self.walk.reference.definitions)
        compare(self.place, expected)
        reference = self.walk.reference
        with reference.loaded(), warehouses.fresh(reference.folder) as other:
            files = list(self.walk.delivered)
            self.pick.shuffle(files)
            for night, name, content in files:
                other.load_only(night, {name: content})
                if self.pick.random() < 0.1:
                    other.publish()
            other.publish()
            seen, again = _shown(self.place), _shown(other)
        assert again == seen, f"in another order {[name for name in seen if seen[name] != again[name]]} are different"


def _shown(place: Warehouse) -> dict[str, str]:
    return {name: number for name, number in fingerprint(place).items() if name not in _STORED}


def known(walk: Walk, folder: Path) -> Knowledge:
    """What the independent reader makes of everything delivered; a list of procedures is a longer registry to it."""
    shutil.copytree(walk.reference.folder, folder)
    registry = {row["procedure_code"] for row in table("procedures.csv", folder)}
    with (folder / "procedures.csv").open("a", encoding="utf-8") as longer:
        for code, name in listed(walk).items():
            if code not in registry:
                longer.write(f"{code},Thủ tục thử,,{name},,,,,made up\n")
    reader = Knowledge(folder, KEY, walk.reference.sources)
    for night, name, content in walk.delivered:
        if not name.startswith(LISTED):
            reader.deliver(night, name, content)
    return reader


def listed(walk: Walk) -> dict[str, str]:
    """Procedure → field, as the newest list that names it says."""
    told: dict[str, str] = {}
    for _, name, content in sorted(walk.delivered):
        if name.startswith(LISTED):
            told |= walk.lists[content]
    return told


def walked(warehouses: Warehouses, folder: Path, seed: int, steps: int, lives: int) -> None:
    """Walk, and end, telling each step; a fault names seed and step, so that the walk can be repeated."""
    reference, other = Reference(folder / "reference"), folder / "other"
    reference.write()
    with without_suites(), warehouses.fresh(reference.folder) as place:
        checked = Checked(Walk(place, reference, seed, lives))
        number = 0
        try:
            for number in range(1, steps + 1):
                checked.step(number)
            checked.end(warehouses, other)
        except Exception as fault:
            fault.add_note(f"at or after step {number} of: make walk SEED={seed} STEPS={steps} LIVES={lives}")
            raise


@pytest.mark.parametrize("seed", [41])
def test_after_every_step_of_a_walk_the_figures_and_the_ledger_agree(
    warehouses: Warehouses, tmp_path: Path, seed: int
) -> None:
    walked(warehouses, tmp_path, seed, steps=6, lives=16)


def main() -> None:
    parser = argparse.ArgumentParser(description="Walk through files and changes, looking at every step.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--lives", type=int, default=60)
    given = parser.parse_args()
    print(f"make walk SEED={given.seed} STEPS={given.steps} LIVES={given.lives}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers"
        answers.mkdir()
        warehouses = Warehouses(answers)
        try:
            walked(warehouses, Path(folder), given.seed, given.steps, given.lives)
        finally:
            warehouses.close()


if __name__ == "__main__":
    main()
