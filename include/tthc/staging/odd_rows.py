"""Which rows of a table look odd, told of whole columns at once: a required cell is empty, the row begins like a total,
like the header or like the numbers below it, or it has too few cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tthc.domain.text import clean
from tthc.reference.layout import Layout
from tthc.staging.at_once import at_once, shares
from tthc.staging.composed import is_ascii
from tthc.staging.grid import LEAD, Grid

_AROUND = " \t\r\n\u00a0\u200b\ufeff"  # a byte-order mark stands where one file was hung behind another
_NUMBERING = r"^\(?(?:\d{1,3}|[a-z])\)?\s*(?:=.*)?$"


def odd_rows(columns: Sequence[pa.Array], grid: Grid, layout: Layout, key: Sequence[int]) -> dict[int, list[str]]:
    """Position of each odd row, in ascending order → its cells, none where all are blank. `columns` are the grid's,
    composed; `key` are the places of those every row has."""
    odd = _odd(columns, grid, layout, key)
    if not odd:
        return {}
    unread = grid.unread(odd)
    picked = [unread[at] if at in unread else _picked(cells, odd) for at, cells in enumerate(columns)]
    says = pc.invert(_blank(picked, len(odd)))  # formats below a table may reach to the end of a sheet
    rows: dict[int, list[str]] = {index: [] for index in odd}
    texts = [pa.array(odd, pa.int64()), *picked]
    for index, *cells in zip(*(column.filter(says).to_pylist() for column in texts), strict=True):
        rows[index] = [cell or "" for cell in cells]
    return rows


def _odd(columns: Sequence[pa.Array], grid: Grid, layout: Layout, key: Sequence[int]) -> list[int]:
    # A row with every required cell is a dossier, whatever it begins with; in a report it may be a total.
    leading = () if layout.feed == "dossier" else range(min(LEAD, len(columns)))
    headings = _headings(grid.header[key[0]], layout)
    total = "|".join(re.escape(word) for word in (*layout.total_words, *layout.subtotal_words))

    def looks_odd(rows: pa.Table) -> pa.ChunkedArray:
        tests = [_is_blank(rows[str(at)]) for at in key]
        tests.append(_is_one_of(rows[str(key[0])], headings))
        tests += [pc.match_substring_regex(rows[str(at)], f"^\\s*(?:{total})", ignore_case=True) for at in leading]
        return reduce(pc.or_, tests)

    found = at_once(looks_odd, shares(pa.table({str(at): columns[at] for at in {*key, *leading}})))
    odd = pa.concat_arrays([part.combine_chunks() for part in found])
    # Column numbers stand below a header, the first one or one repeated.
    below = pa.concat_arrays([pa.array([True]), odd])[: len(odd)]
    places = pc.indices_nonzero(pc.and_not(below, odd))
    first = pc.utf8_trim(_picked(columns[key[0]], places), characters=_AROUND)
    numbers = places.filter(pc.match_substring_regex(first, _NUMBERING, ignore_case=True))
    return sorted({*pc.indices_nonzero(odd).to_pylist(), *numbers.to_pylist(), *grid.padded})


def _headings(heading: str, layout: Layout) -> set[str]:
    """What the cells of a column say that repeat its heading, or any heading of a list of dossiers."""
    headings = (heading for column in layout.columns for heading in column.headings)
    names = (heading, *heading.split("|"), *(headings if layout.feed == "dossier" else ()))
    return {clean(name).lower() for name in names}


def _picked(column: pa.Array | pa.ChunkedArray, rows: list[int] | pa.Array) -> pa.Array:
    """The cells of some rows, in their order."""
    if len(rows) == 0:
        return pa.array([], pa.string())
    if isinstance(column, pa.ChunkedArray) and column.num_chunks > 1:  # taking would put all of it together first
        mask = np.zeros(len(column), bool)
        mask[rows] = True
        column, rows = column.filter(pa.array(mask)), np.searchsorted(np.flatnonzero(mask), rows)
    return column.take(pa.array(rows, pa.int64()))


def _is_blank(cells: pa.Array) -> pa.Array:
    return pc.or_(pc.equal(pc.binary_length(cells), 0), pc.utf8_is_space(cells))


def _is_one_of(cells: pa.ChunkedArray, texts: set[str]) -> pa.Array | pa.ChunkedArray:
    """Whether a cell says one of some texts, which stand in small letters."""
    if plain := is_ascii(cells):
        texts = {text for text in texts if text.isascii()}
    if not texts:
        return pa.repeat(False, len(cells))
    trimmed = pc.utf8_trim(cells, characters=_AROUND)
    small = pc.ascii_lower(trimmed) if plain else pc.utf8_lower(trimmed)
    return pc.is_in(small, value_set=pa.array(list(texts), pa.string()))


def _blank(columns: Sequence[pa.Array], count: int) -> pa.Array:
    blank = pa.repeat(True, count)
    for column in columns:
        blank = pc.and_(blank, pc.fill_null(_is_blank(column), True))
    return blank
