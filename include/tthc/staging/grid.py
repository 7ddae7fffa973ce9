"""A sheet or CSV file as text before anything is known of its meaning, and how headings find their columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pyarrow as pa

from tthc.domain.errors import FileRefused
from tthc.domain.text import fold
from tthc.reference.layout import Layout
from tthc.reference.layout_faults import is_pattern

# How readers of workbooks write a real date cell; parsing knows this form beside those of the layout.
REAL_DATE = "%Y-%m-%dT%H:%M:%S"
# A heading begins with a letter and hardly has numbers.
_WORDS = re.compile(r"[:@]*[^\W\d](?:[^\d\n]|\d(?!\d\d)){0,119}")
LEAD = 3  # a label stands in one of the first cells of a row


@dataclass(slots=True)
class Grid:
    """`columns` are string arrays of one length; `first_row` is the file's number of their first element.

    A column nothing is kept of may hold nulls; `unread` gives the cells that some rows have in such columns.

    `ragged` holds (sheet, row number, reason) of rows whose cells do not line up with the header. `padded`: positions
    of rows with too few cells, filled up with empty ones: a total or a signature may be as short, data may not.
    `epoch_1904`: the workbook counts its days from 1904. `composed`: the text of the columns is in NFC already.
    """

    sheet: str
    first_row: int
    columns: list[pa.Array]
    titles: list[list[str]]
    header: list[str]
    header_row: int
    row_numbers: pa.Array | None = None
    ragged: list[tuple[str, int, str]] = field(default_factory=list)
    padded: frozenset[int] = frozenset()
    epoch_1904: bool = False
    composed: bool = False
    unread: Callable[[Sequence[int]], dict[int, pa.Array]] = field(default=lambda rows: {})


def letters(position: int) -> str:
    """The name of a column: 0 is A, 25 is Z, 26 is AA."""
    text, position = "", position + 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(65 + rest) + text
    return text


def heading_key(text: str) -> str:
    """Under this key a heading of a file and a heading of a layout are compared; "A | Z" keeps first and last."""
    parts = [folded for part in text.split("|") if (folded := fold(part))]
    return " | ".join(parts if len(parts) < 2 else [parts[0], parts[-1]])


@lru_cache(maxsize=1024)
def keys_of(headings: tuple[str, ...]) -> frozenset[str]:
    """The keys of a layout's headings, made once: each of the first rows of each file is compared with all of them."""
    return frozenset(map(heading_key, headings))


class Listed:
    """Whether a heading, or the name of a sheet, is among listed texts; a text between slashes is a pattern."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self._keys = {heading_key(text) for text in texts if not is_pattern(text)}
        self._patterns = [re.compile(text[1:-1], re.IGNORECASE) for text in texts if is_pattern(text)]

    def __contains__(self, text: object) -> bool:
        key = heading_key(str(text))
        return key in self._keys or any(pattern.fullmatch(key) for pattern in self._patterns)


def match_header(header: Sequence[str], layout: Layout) -> dict[str, int]:
    """Canonical column → position of the first heading that means it."""
    places: dict[str, int] = {}
    for position, text in enumerate(header):
        places.setdefault(heading_key(text), position)
    found = {column.name: keys_of(column.headings) & places.keys() for column in layout.columns}
    return {name: min(places[key] for key in keys) for name, keys in found.items() if keys}


def left_behind(header: Sequence[str], layout: Layout) -> set[int]:
    """Positions of a dossier list's columns of which nothing is kept, but for the first ones, where labels stand."""
    if layout.feed != "dossier":
        return set()
    listed, mapped = Listed((*layout.ignored, *layout.personal)), set(match_header(header, layout).values())
    return {at for at, text in enumerate(header) if at > LEAD and at not in mapped and text in listed}


FoundHeader = tuple[int, int, list[str]]


def find_header(rows: Sequence[Sequence[str]], layout: Layout) -> FoundHeader | None:
    """(index of the first header row, its depth, joined headings) of the best match among the first rows.

    A header of several rows is joined downwards with " | "; an empty cell beside a filled one above belongs to it.
    The best match names most columns, and most listed headings below them, with the fewest rows; None when no row
    names any column. A layout without columns is that of a file nobody knows yet: the row that looks most like a header
    counts.
    """
    listed = Listed((*layout.ignored, *layout.personal) if layout.header_depth > 1 else ())
    best: tuple[tuple[int, int], int, int, list[str]] | None = None
    for index in range(min(len(rows), layout.header_within)):
        for depth in range(1, layout.header_depth + 1):
            header = joined(rows[index : index + depth])
            hits = known_headings(header, layout)
            # A title above a header makes no heading more.
            rank = (hits, sum(text in listed for text in header) if layout.columns else -depth)
            if hits and (best is None or rank > best[0]):
                best = (rank, index, depth, header)
    return None if best is None else best[1:]


def known_headings(header: Sequence[str], layout: Layout) -> int:
    """How many columns of the layout a row names; for a layout without columns, how many different headings it may
    hold."""
    if layout.columns:
        return len(match_header(header, layout))
    words = {heading_key(text) for text in header if _WORDS.fullmatch(text.strip())}
    return len(words) if len(words) > 1 else 0


def refuse_table_above(rows: Sequence[Sequence[str]], index: int, layout: Layout, lines_before: int = 0) -> None:
    """Refuse rows that stand between an earlier header, as whole as the layout asks, and the best one: they would be
    taken for titles, and lost. Raises FileRefused SEVERAL_TABLES."""
    wanted = {column.name for column in layout.columns if column.required}
    for above, row in enumerate(rows[: max(index - 1, 0)]):
        if wanted and wanted <= match_header(row, layout).keys():
            first, second = above + 1 + lines_before, index + 1 + lines_before
            detail = f"dòng {first} và dòng {second} đều là tiêu đề, các cột khác nhau; tách mỗi bảng một tệp"
            raise FileRefused("SEVERAL_TABLES", f"{detail} / two tables with other columns, one below the other")


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Headings of a header of several rows."""
    if len(rows) == 1:
        return list(rows[0])
    width = max((len(row) for row in rows), default=0)
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    for row in padded[:-1]:
        for position in range(1, width):
            # A cell merged to the right is empty in its later columns; below it stands the next level.
            if not row[position].strip() and any(lower[position].strip() for lower in padded[1:]):
                row[position] = row[position - 1]
    return [
        " | ".join(dict.fromkeys(part.strip() for part in parts if part.strip())) for parts in zip(*padded, strict=True)
    ]
