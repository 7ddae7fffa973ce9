"""Memory lent for one table is lent again only when nothing of that table is left, whatever of it was kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tthc.staging import lent_memory
from tthc.staging.lent_memory import Borrower, Lender


class _Pair:
    """Both sides in one process."""

    def __init__(self) -> None:
        self.theirs, self.ours = Pipe()
        self.lender, self.borrower = Lender(self.theirs), Borrower(self.ours)

    def hand_over(self, *tables: pa.Table) -> list[pa.Table]:
        self.lender.take_back(self.borrower.given_back())
        self.lender.lend("told", tables)
        told, numbers = self.ours.recv()
        assert told == "told"
        return self.borrower.tables(numbers)

    def close(self) -> None:
        self.borrower.close()
        self.theirs.close()
        self.ours.close()


@pytest.fixture
def pair() -> Iterator[_Pair]:
    made = _Pair()
    yield made
    made.close()


def _table(mark: int, rows: int) -> pa.Table:
    return pa.table({"text": [f"{mark} hồ sơ {row}" for row in range(rows)], "number": [mark] * rows})


# What may be kept of a table, each with the same taken from a table of its own.
_KEPT: dict[str, Callable[[pa.Table], object]] = {
    "nothing": lambda table: None,
    "whole": lambda table: table,
    "a slice": lambda table: table[len(table) // 2 :],
    "a column": lambda table: table["text"],
    "a chunk": lambda table: table["number"].chunk(0),
    "a view": lambda table: table["number"].chunk(0).to_numpy(zero_copy_only=True),
    "a frame": lambda table: table.to_pandas(zero_copy_only=False),
    "what was filtered": lambda table: table.filter(pa.array([row % 2 == 0 for row in range(len(table))])),
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(_KEPT)), st.integers(1, 3), st.integers(1, 40)), max_size=25), st.data()
)
def test_nothing_that_is_kept_of_a_table_ever_changes(steps: list[tuple[str, int, int]], data: st.DataObject) -> None:
    pair = _Pair()
    kept: list[tuple[object, str]] = []
    try:
        for mark, (what, parts, rows) in enumerate(steps):
            given_tables = [_table(mark * 10 + part, rows) for part in range(parts)]
            for got, own in zip(pair.hand_over(*given_tables), given_tables, strict=True):
                assert got.equals(own)
                kept.append((_KEPT[what](got), str(_KEPT[what](own))))
                del got
            if kept and data.draw(st.booleans()):
                kept.pop(data.draw(st.integers(0, len(kept) - 1)))
            assert all(str(mine) == as_it_was for mine, as_it_was in kept)
    finally:
        pair.close()


def test_memory_is_lent_again_and_no_handle_is_left_behind(pair: _Pair) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    pair.hand_over(_table(0, 10), _table(1, 10))
    before = open_files()
    for mark in range(40):
        pair.hand_over(_table(mark, 10), _table(mark, 500))
    assert open_files() == before


def test_more_tables_than_memory_is_kept_for_and_greater_ones_get_their_own(
    pair: _Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lent_memory, "_KEPT_BYTES", 1 << 16)
    great = _table(1, 20_000)
    held = [pair.hand_over(_table(mark, 5))[0] for mark in range(12)]
    assert pair.hand_over(great, _table(2, 3), great)[2].equals(great)
    assert [table.equals(_table(mark, 5)) for mark, table in enumerate(held)] == [True] * 12
    assert len(list(Path("/proc/self/fd").iterdir())) < 100


def test_tables_outlive_the_process_that_lent_them() -> None:
    pair = _Pair()
    (table,) = pair.hand_over(_table(7, 30))
    pair.close()
    del pair
    assert table.equals(_table(7, 30))


def test_an_empty_table_keeps_its_columns(pair: _Pair) -> None:
    empty = _table(1, 0)
    assert pair.hand_over(empty)[0].equals(empty)
