"""The work of one file on every processor: kernels of Arrow let go of the interpreter, so threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import TypeVar

import pyarrow as pa

_LONG = 20_000  # rows; fewer are done before another thread has begun
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@lru_cache(maxsize=1)
def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@lru_cache(maxsize=1)
def _others() -> ThreadPoolExecutor:
    """Threads beside the one that asks."""
    return ThreadPoolExecutor(max(processors() - 1, 1))


def at_once(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """What the function makes of every item, in their order; several are made at a time. Raises what it raises."""
    items = list(items)
    made: dict[int, _Result] = {}
    waiting = iter(enumerate(items))

    def work() -> None:
        for place, item in waiting:  # whoever is free takes the next one
            made[place] = function(item)

    helped = [_others().submit(work) for _ in range(min(processors(), len(items)) - 1)]
    try:
        work()
    finally:
        wait(helped)
    for help_ in helped:
        help_.result()
    return [made[place] for place in range(len(items))]


def shares(table: pa.Table) -> list[pa.Table]:
    """The rows of a table, one part for each processor; those of a short one, or of none, together."""
    size = -(-table.num_rows // processors()) if table.num_rows > _LONG else max(table.num_rows, 1)
    return [table[begin : begin + size] for begin in range(0, max(table.num_rows, 1), size)]
