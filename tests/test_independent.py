"""Every cell of mart.kpi, mart.form_06a and mart.index_766 equals what an independent row-by-row program computes from the same files,
after every night, in any order of arrival; a full recomputation after any night changes nothing.

Run as a program this file is the long comparison of `make check-figures`: ten nights of 1,000 dossiers, then permutations.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from compared_figures import NOT_COMPARED, VIEWS, compare, count_of_cells, fingerprint
from independent import Knowledge, figures
from independent_index import Rows
from laid_over import DEFINED
from laid_over import overlay as lay_over
from ten_nights import NIGHTS, Province
from tthc import handing_in, pipeline
from warehouses import KEY, Warehouse, Warehouses

Nights = Mapping[date, Mapping[str, bytes]]
HANDED_IN = ("VPCP_15_14", "2026-Q1", date(2026, 3, 14))


def check(warehouse: Warehouse, overlay: Path, nights: Nights, every_night: bool) -> dict[str, Rows]:
    """Load the nights in their order, comparing after each (or after the last only); the final figures expected.

    What is handed in when its quarter is over, and again on the last night, stays as it was then."""
    known, kept = Knowledge(overlay, KEY), dict[int, Mapping[str, Rows]]()
    for number, (night, files) in enumerate(nights.items(), 1):
        warehouse.load(night, files)
        for name, content in files.items():
            known.deliver(night, name, content)
        if every_night or number == len(nights):
            expected = figures(known, DEFINED)
            compare(warehouse, expected)
            print(f"{night}: {count_of_cells(expected)} cells are equal", flush=True)
        before = fingerprint(warehouse)
        assert pipeline.publish(warehouse.settings, full=True) is not None
        assert fingerprint(warehouse) == before, f"a full recomputation after {night} changed something"
        if HANDED_IN[2] <= night and (not kept or number == len(nights)):
            kept[hand_in(warehouse)] = of_the_period(figures(known, DEFINED))
    for version, submitted in kept.items():
        compare(warehouse, submitted, version)
    return expected


def hand_in(warehouse: Warehouse) -> int:
    """The province hands the quarter in, as soon as it is over and once more on the last night; the version."""
    calendar, label, _ = HANDED_IN
    units_missing = warehouse.value(
        "select bool_or(units_reported < units_expected) from mart.kpi where unit_code = '42' "
        "and (period_calendar, period_label) = (:calendar, :label) and 'manual_input' <> all(flags)",
        calendar=calendar, label=label,
    )  # fmt: skip
    with warehouse.kept():
        return handing_in.submit(
            warehouse.settings, unit="42", calendar=calendar, label=label, by="NGƯỜI GIẢ", reason="báo cáo quý",
            waiver="thử" if units_missing else None,
        )[0]  # fmt: skip


def of_the_period(expected: Mapping[str, Rows]) -> Mapping[str, Rows]:
    """The rows that are kept of what is handed in."""
    calendar, label, _ = HANDED_IN
    views = ("kpi", "form_06a")
    return {v: {key: row for key, row in expected[v].items() if (key[0], key[2]) == (calendar, label)} for v in views}


def check_permuted(warehouse: Warehouse, nights: Nights, expected: Mapping[str, Rows], seed: int) -> None:
    """The same files in another order of nights, and each night cut into loads of its own: the same final figures."""
    pick = random.Random(seed)
    loads = [(night, name) for night, files in nights.items() for name in files]
    pieces: dict[tuple[date, int], dict[str, bytes]] = {}
    for night, name in loads:
        pieces.setdefault((night, pick.randrange(2)), {})[name] = nights[night][name]
    order = list(pieces)
    pick.shuffle(order)
    for night, part in order:
        warehouse.load_only(night, dict(pick.sample(list(pieces[night, part].items()), len(pieces[night, part]))))
        if pick.random() < 0.3:
            warehouse.publish()
    warehouse.publish()
    compare(warehouse, expected)


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_over(tmp_path_factory.mktemp("overlay"))


def test_every_cell_equals_the_independent_program_in_any_order(warehouses: Warehouses, overlay: Path) -> None:
    """The short selection; `make check-figures` compares ten nights of 1,000 dossiers."""
    nights = Province(seed=7, dossiers=40).nights(NIGHTS[1:6:2])
    with warehouses.fresh(overlay) as warehouse:
        expected = check(warehouse, overlay, nights, every_night=False)
    with warehouses.fresh(overlay) as warehouse:
        check_permuted(warehouse, nights, expected, seed=1)


def test_every_column_of_the_compared_views_is_compared(warehouse: Warehouse) -> None:
    columns = "select column_name from information_schema.columns where table_schema = 'mart' and table_name = '{}'"
    for view, (key, cells) in VIEWS.items():
        assert {row["column_name"] for row in warehouse.query(columns.format(view))} == {*key, *cells, *NOT_COMPARED}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare ten nights of figures with the independent program.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dossiers", type=int, default=1000)
    parser.add_argument("--permutations", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        overlay, answers = Path(folder) / "overlay", Path(folder) / "answers"
        overlay.mkdir()
        answers.mkdir()
        lay_over(overlay)
        nights = Province(given.seed, given.dossiers).nights()
        warehouses = Warehouses(answers)
        try:
            with warehouses.fresh(overlay) as warehouse:
                expected = check(warehouse, overlay, nights, every_night=True)
            rows = ", ".join(f"{view} {len(rows)}" for view, rows in expected.items())
            print(f"{len(nights)} nights: {count_of_cells(expected)} cells are equal (rows: {rows})", flush=True)
            for seed in range(given.permutations):
                with warehouses.fresh(overlay) as warehouse:
                    check_permuted(warehouse, nights, expected, seed)
                print(f"permutation {seed}: the same final figures", flush=True)
        finally:
            warehouses.close()


if __name__ == "__main__":
    main()
