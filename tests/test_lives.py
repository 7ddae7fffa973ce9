"""Lives of dossiers, 600 of them, through the real path: every cell of mart.kpi and mart.form_06a is what the independent
program reads in the same files. A life that is counted wrongly is looked for by halves, trimmed, and shown as a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from compared_figures import differences
from independent import Knowledge, figures
from laid_over import DEFINED, overlay
from lives import Life, deliveries, draw, traits
from remembered import without_suites
from warehouses import KEY, Warehouse, Warehouses

SEED = 20261129
EACH = 200
ERAS = {  # nights within, at and just after the ends of periods of both calendars
    "new year": (date(2026, 1, 14), date(2026, 1, 31), date(2026, 2, 1)),
    "first quarter": (date(2026, 3, 14), date(2026, 3, 31), date(2026, 4, 1)),
    "first half": (date(2026, 2, 16), date(2026, 4, 15), date(2026, 6, 14), date(2026, 7, 1)),
}
REFUSED = {
    "first quarter": 0.08
}  # share of rows; elsewhere the expectation suites, which cost most, have nothing to say


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return overlay(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def arena(warehouses: Warehouses, reference: Path) -> Iterator[Warehouse]:
    """A warehouse that is emptied before every load of lives."""
    with warehouses.fresh(reference) as made:
        yield made


def wrong_cells(arena: Warehouse, reference: Path, nights: Sequence[date], lives: Sequence[Life]) -> list[str]:
    """The cells that differ once these lives are loaded."""
    arena.empty()
    known = Knowledge(reference, KEY)
    for night, files in deliveries(lives, nights).items():
        arena.load_only(night, files)
        for name, content in files.items():
            known.deliver(night, name, content)
    arena.publish()
    return list(differences(arena, figures(known, DEFINED)))


def smallest(lives: Sequence[Life], fails: Callable[[Sequence[Life]], object]) -> Sequence[Life]:
    """A part of lives that still fails: halved as often as a half alone fails, then each life told as rarely as possible."""
    while len(lives) > 1:
        middle = len(lives) // 2
        half = next((half for half in (lives[:middle], lives[middle:]) if fails(half)), None)
        if half is None:
            break
        lives = half
    place = 0
    while len(lives) == 1 and place < len(lives[0].told) > 1:
        told = lives[0].told
        shorter = replace(lives[0], told=told[:place] + told[place + 1 :])
        if fails([shorter]):
            lives = [shorter]
        else:
            place += 1
    return lives


@pytest.mark.parametrize("era", ERAS)
def test_every_cell_of_the_lives_is_as_read_row_by_row(arena: Warehouse, reference: Path, era: str) -> None:
    def wrong(lives: Sequence[Life]) -> list[str]:
        with nullcontext() if era in REFUSED else without_suites():
            return wrong_cells(arena, reference, ERAS[era], lives)

    lives = lives_of(era)
    if wrong(lives):
        found = smallest(lives, wrong)
        cells = wrong(found)
        pytest.fail("\n\n".join((*map(str, found[:5]), f"{len(cells)} cells differ:", "\n".join(sorted(cells)[:20]))))


def lives_of(era: str) -> list[Life]:
    """The lives that some file tells."""
    first = list(ERAS).index(era) * EACH
    drawn = (draw(number, ERAS[era], SEED, REFUSED.get(era, 0)) for number in range(first, first + EACH))
    return [life for life in drawn if life.told]


def test_enough_lives_are_told_and_everything_happens_in_several() -> None:
    lives = [life for era in ERAS for life in lives_of(era)]
    assert len(lives) >= 500
    seen = Counter(traits(lives))
    assert len(seen) > 38
    assert all(count >= 6 for count in seen.values()), seen
