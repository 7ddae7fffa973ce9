"""Which rows of a table are no data: blank, column numbers, a repeated header, totals, sections, the signature block.

Only odd rows are looked at one by one (`odd_rows`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from tthc.domain.errors import FileRefused
from tthc.domain.text import clean, fold
from tthc.reference.layout import SUMMARIES, Layout
from tthc.staging.grid import LEAD, Grid, match_header
from tthc.staging.odd_rows import odd_rows

_NUMBERING = re.compile(r"\(?(?:(\d{1,3})|[a-z])\)?(?:\s*=.*)?")
_AMOUNT = re.compile(r"[\d.,\s]+")
_COUNT = re.compile(r"\s*[:(]?\s*(?:là|có|gồm)?\s*(\d{1,3}(?:[.,]\d{3})+|\d{1,7})\s*(?:hồ sơ|hs|dòng)?\s*\)?\.?")
_NUMBER_AND_NAME = 2  # cells of a section's row
# Columns every dossier fills with a text or a day: a number below them counts rows.
_COUNTED = ("dossier_code", "procedure_code", "procedure_name", "unit_name", "received_at")


@dataclass(slots=True)
class RowKinds:
    """`kinds`: position of a row that is no data → why. `sections`: column → text said of each row by the section row
    above it. `totals`: the cells of each total row by canonical column, and under "" what it counts, if it says so."""

    kinds: dict[int, str] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)
    totals: list[dict[str, str]] = field(default_factory=list)


def kinds_of(columns: list[pa.Array], grid: Grid, layout: Layout, positions: dict[str, int]) -> RowKinds:
    """Look at the odd rows of a grid; `columns` are its NFC columns, `positions` where canonical columns stand."""
    look = _Look(columns, grid, layout, positions)
    said = []
    if layout.feed not in SUMMARIES:  # reports sort their rows by what they count (`report_rows`)
        said = list(look.sections())
        look.footer()
        look.subtotals()
    found = RowKinds(kinds=look.kinds, totals=look.told_totals())
    for name in dict.fromkeys(name for _, name, _ in said):
        starts = [(index, text) for index, of, text in said if of == name]
        texts = [""] * starts[0][0]
        for (index, text), (end, _) in zip(starts, [*starts[1:], (look.count, "")], strict=True):
            texts += [text] * (end - index)
        found.sections[name] = texts
    return found


class _Look:
    def __init__(self, columns: list[pa.Array], grid: Grid, layout: Layout, positions: dict[str, int]) -> None:
        self.columns, self.layout, self.positions = columns, layout, positions
        self.count = len(columns[0])
        self.key = [positions[c.name] for c in layout.columns if c.required and c.name in positions]
        self.key = self.key or [next(iter(positions.values()))]
        self.header = [{fold(part) for part in (text, *text.split("|"))} for text in grid.header]
        self.total_words = {fold(word) for word in layout.total_words}
        self.subtotal_words = tuple(fold(word) + " " for word in layout.subtotal_words)
        self.ends = [re.compile(text, re.IGNORECASE) for text in layout.table_ends]
        self.padded = grid.padded
        self.kinds: dict[int, str] = {}
        self.weak: dict[int, list[str]] = {}
        odd = odd_rows(columns, grid, layout, self.key)
        self.odd_count, self.last_even = len(odd), self._last_even(list(odd))
        for index, cells in odd.items():
            if self.ends and cells and self._ends(cells):
                self._end(index)
                break
            if cells:
                self._judge(index, cells, grid)
            else:
                self.kinds[index] = "BLANK"

    def _ends(self, cells: list[str]) -> bool:
        line = fold(" ".join(cell for cell in cells if cell.strip()))
        data = self.layout.feed == "dossier" and self._data_like(cells)
        return not data and any(pattern.fullmatch(line) for pattern in self.ends)

    def _end(self, index: int) -> None:
        """From here on the sheet holds something else."""
        self.kinds |= dict.fromkeys(range(index, self.count), "AFTER_TABLE")
        self.last_even = min(self.last_even, index - 1)
        while self.last_even in self.weak or self.last_even in self.kinds:
            self.last_even -= 1

    def _last_even(self, odd: list[int]) -> int:
        last = self.count - 1
        for index in reversed(odd):
            if index != last:
                break
            last -= 1
        return last

    def _data_like(self, cells: list[str]) -> bool:
        return all(cells[position].strip() for position in self.key)

    def _says_little(self, cells: list[str]) -> bool:
        """A row that names a group, or signs, has few texts, and no dossier."""
        return len({cell.strip() for cell in cells} - {""}) <= LEAD and not self._data_like(cells)

    def _judge(self, index: int, cells: list[str], grid: Grid) -> None:
        filled = [cell.strip() for cell in cells if cell.strip()]
        keys = [fold(cell) for cell in cells]
        if self._is_numbering(index, filled):
            self.kinds[index] = "COLUMN_NUMBERS"
        elif self._is_header(keys):
            self.kinds[index] = "REPEATED_HEADER"
        elif self.layout.feed == "dossier" and self._is_other_header(cells):
            line = grid.first_row + index if grid.row_numbers is None else grid.row_numbers[index].as_py()
            detail = f"dòng {line} là tiêu đề của một bảng khác, các cột đứng khác thứ tự; tách mỗi bảng một tệp"
            raise FileRefused("SEVERAL_TABLES", f"{detail} / a second table with its columns elsewhere")
        elif self.layout.feed == "dossier" and self._data_like(cells):
            return
        elif any(self._is_total(key) for key in keys[:LEAD]):
            self.kinds[index] = "TOTAL_ROW"
            self.weak[index] = cells
        elif self.layout.feed == "dossier" and any(key.startswith(self.subtotal_words) for key in keys[:LEAD]):
            self.kinds[index] = "SUBTOTAL"
        else:
            self.weak[index] = cells

    def _is_numbering(self, index: int, filled: list[str]) -> bool:
        if len(self.kinds) != index and self.kinds.get(index - 1) != "REPEATED_HEADER":
            return False
        marks = [_NUMBERING.fullmatch(cell.casefold()) for cell in filled]
        numbers = [int(mark.group(1)) for mark in marks if mark and mark.group(1)]
        return (
            len(filled) > 2
            and all(marks)
            and numbers == list(range(min(numbers, default=0), max(numbers, default=0) + 1))
        )

    def _is_header(self, keys: list[str]) -> bool:
        hits = [key in heading for key, heading in zip(keys, self.header, strict=True) if key]
        return len(hits) > 1 and all(hits)

    def _is_other_header(self, cells: list[str]) -> bool:
        """Headings of this layout, most of the row, and not where the header has them: cells below would be misread."""
        found = match_header(cells, self.layout)
        known = {name: place for name, place in found.items() if name in self.positions}
        return len(set(found.values())) * 2 > sum(bool(cell.strip()) for cell in cells) > LEAD and any(
            place != self.positions[name] for name, place in known.items()
        )

    def _is_total(self, key: str) -> bool:
        label = key.rstrip(" :.")
        if label in self.total_words:
            return True
        return any(label.startswith(word) and _COUNT.fullmatch(label[len(word) :]) for word in self.total_words)

    def sections(self) -> Iterator[tuple[int, str, str]]:
        """(row, column, text) of section rows; rows of the pattern `dropped` say nothing of the rows below."""
        patterns = {name: re.compile(text, re.IGNORECASE) for name, text in self.layout.sections.items()}
        for index, cells in self.weak.items():
            if index in self.kinds or not self._says_little(cells):
                continue
            if index in self.padded and sum(bool(cell.strip()) for cell in cells) > _NUMBER_AND_NAME:
                continue  # what is left of a row that was cut
            words = [text for cell in cells if (text := clean(cell)) and not _AMOUNT.fullmatch(text)]
            line = " ".join(dict.fromkeys(words))
            for name, pattern in patterns.items():
                if match := pattern.match(line):
                    self.kinds[index] = "SECTION"
                    if name != "dropped":
                        yield index, name, match.group(1).strip()
                    break

    def footer(self) -> None:
        """From a signature line after the last row of data on, nothing is data any more."""
        patterns = [re.compile(text) for text in self.layout.footers]
        start = None
        for index in sorted({*self.weak, *self.kinds}, reverse=True):
            if index <= self.last_even:
                break
            if self.kinds.get(index) == "AFTER_TABLE":
                continue
            cells = self.weak.get(index, [])
            if index not in self.kinds and not self._says_little(cells):
                break
            lines = [fold(cell) for cell in cells if cell.strip()]
            if any(pattern.fullmatch(line) for line in lines for pattern in patterns):
                start = index
        for index in self.weak:
            if start is not None and index >= start and index not in self.kinds:
                self.kinds[index] = "FOOTER"

    def subtotals(self) -> None:
        """A total with data before and after it is that of a group."""
        data = [index for index in self.weak if index not in self.kinds and index not in self.padded]
        first, last = self._first_data(data), max([self.last_even, *data], default=-1)
        for index, kind in self.kinds.items():
            if kind == "TOTAL_ROW" and first < index < last:
                self.kinds[index] = "SUBTOTAL"

    def _first_data(self, weak: list[int]) -> int:
        return next((at for at in range(self.count) if at not in self.kinds or at in weak), self.count)

    def told_totals(self) -> list[dict[str, str]]:
        """Total rows by canonical column; under "" the number of rows they claim: beside or within the label, or
        below what every dossier has."""
        told = []
        for index, kind in self.kinds.items():
            if kind == "TOTAL_ROW":
                cells = self.weak[index]
                total = {name: cells[position] for name, position in self.positions.items()}
                told.append(total | {"": self._claimed(cells)})
        return told

    def _claimed(self, cells: list[str]) -> str:
        place = next(at for at, cell in enumerate(cells[:LEAD]) if self._is_total(fold(cell)))
        label = fold(cells[place]).rstrip(" :.")
        texts = [label[len(word) :] for word in self.total_words if label.startswith(word)]
        counted = [at for name, at in self.positions.items() if name in _COUNTED and at != place]
        texts += [fold(cells[at]) for at in (place + 1, *counted) if self._may_count(at)]
        claims = [match.group(1) for text in texts if (match := _COUNT.fullmatch(text))]
        return re.sub(r"\D", "", claims[0]) if claims else ""

    def _may_count(self, place: int) -> bool:
        """A number below texts counts rows; below numbers it is their sum."""
        if place >= len(self.columns):
            return False
        if any(place == self.positions.get(name) for name in _COUNTED):
            return True
        sample = (text for at, text in enumerate(self.columns[place][:200].to_pylist()) if at not in self.kinds)
        return any(text.strip() and not _AMOUNT.fullmatch(text) for text in sample)
