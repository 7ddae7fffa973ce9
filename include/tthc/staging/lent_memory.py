"""Tables handed to another process in anonymous shared memory: nothing of them goes through a pipe or to a disk.

Getting new memory of the system and giving it back takes longer than filling it. So the process that lends keeps a few
pieces, and fills one again when the process that borrowed it says that no table lies in it any more.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from multiprocessing import reduction
from multiprocessing.connection import Connection

import pyarrow as pa

from tthc.staging.at_once import at_once

_KEPT = 6  # pieces: the parts, one of each processor of two, of a file in hand, one that waits, and one being read
_KEPT_BYTES = 32 * 1024**2  # of each; what needs more gets memory of its own, which ends with its table
_LENT_ONCE = -1


class Lender:
    """The side that has the tables."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._kept: list[mmap.mmap] = []
        self._at_home: set[int] = set()

    def take_back(self, numbers: Iterable[int]) -> None:
        """Pieces in which no table lies any more."""
        self._at_home |= set(numbers)

    def lend(self, reading: object, tables: Sequence[pa.Table]) -> None:
        """Send something, and the tables that belong to it."""
        handles: list[int] = []
        try:
            places = [self._place(table, handles) for table in tables]
            at_once(lambda each: _write(*each), zip((place for _, place in places), tables, strict=True))
            self._pipe.send((reading, [number for number, _ in places]))
            for handle in handles:
                reduction.send_handle(self._pipe, handle, None)
        finally:
            for handle in handles:
                os.close(handle)

    def _place(self, table: pa.Table, handles: list[int]) -> tuple[int, mmap.mmap | int]:
        """A number and memory for one table; handles of new memory are added to a list."""
        small = _bytes_of(table) <= _KEPT_BYTES
        if small and self._at_home:
            number = self._at_home.pop()
            return number, self._kept[number]
        handles.append(handle := os.memfd_create("table", os.MFD_CLOEXEC))
        if not small or len(self._kept) == _KEPT:
            return _LENT_ONCE, handle
        os.ftruncate(handle, _KEPT_BYTES)  # takes no memory until it is written to
        self._kept.append(mmap.mmap(handle, _KEPT_BYTES))
        return len(self._kept) - 1, self._kept[-1]


class Borrower:
    """The side that gets the tables. They are as immutable as any table of Arrow: the memory of one is given back when
    the last column, slice or view of it is gone."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._handles: dict[int, int] = {}
        self._left: deque[int] = deque()

    def given_back(self) -> list[int]:
        """Pieces in which no table lies any more, each told once."""
        return [self._left.popleft() for _ in range(len(self._left))]

    def tables(self, numbers: Iterable[int]) -> list[pa.Table]:
        """The tables of an answer. Raises EOFError or OSError when the other side has died."""
        return [self._table(number) for number in numbers]

    def _table(self, number: int) -> pa.Table:
        if number not in self._handles:
            self._handles[number] = reduction.recv_handle(self._pipe)
        memory = mmap.mmap(self._handles[number], 0, prot=mmap.PROT_READ)
        if number == _LENT_ONCE:
            os.close(self._handles.pop(number))
        else:
            weakref.finalize(memory, self._left.append, number)
        return pa.ipc.open_stream(pa.py_buffer(memory)).read_all()

    def close(self) -> None:
        """Tables stay what they are; nothing more is borrowed."""
        while self._handles:
            os.close(self._handles.popitem()[1])


def _bytes_of(table: pa.Table) -> int:
    counted = pa.MockOutputStream()
    _into(counted, table)
    return int(counted.size())


def _write(place: mmap.mmap | int, table: pa.Table) -> None:
    if isinstance(place, int):
        with open(place, "wb", closefd=False) as file:
            _into(file, table)
    else:
        _into(pa.FixedSizeBufferWriter(pa.py_buffer(place)), table)


def _into(sink: object, table: pa.Table) -> None:
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
