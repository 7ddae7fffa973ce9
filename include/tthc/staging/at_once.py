"""The work of one file on every processor: kernels of Arrow let go of the interpreter, so threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@lru_cache(maxsize=1)
def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(processors())


def at_once(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """What the function makes of every item, in their order; several are made at a time. Raises what it raises."""
    items = list(items)
    return list(map(function, items)) if len(items) < 2 else list(_threads().map(function, items))
