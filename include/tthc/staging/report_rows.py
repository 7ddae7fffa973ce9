"""Which rows of a summary report are data, which are sections over them, which are totals, and which only notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tthc.domain.errors import FileRefused
from tthc.domain.text import clean
from tthc.reference.layouts import Column, Layout
from tthc.reference.measures import COUNT
from tthc.staging.cell_address import Cells
from tthc.staging.figures_told import count_of, is_nothing, is_percent
from tthc.staging.reader import Reading

NAMES = ("unit_code", "unit_name", "field_name")


@dataclass(slots=True)
class Line:
    """One row: what it is about (`names`) and what it tells (`texts` as written, `counts` understood).

    `level`: how deep it stands under section marks. `parts`: the data rows of a section. `section`: the row number of
    the section a row stands in, 0 for none.
    """

    sheet: str
    row_no: int
    level: int
    names: dict[str, str]
    texts: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    parts: list[Line] = field(default_factory=list)
    section: int = 0

    @property
    def states_figures(self) -> bool:
        return any(self.texts.values())


@dataclass(slots=True)
class Report:
    """The rows of one file by what they are."""

    data: list[Line]
    sections: list[Line]
    totals: list[Line]


def figures_of(layout: Layout) -> list[Column]:
    """The columns that tell figures."""
    return [column for column in layout.columns if column.measure is not None]


def report_of(reading: Reading, layout: Layout, cells: Cells) -> Report:
    """Sort the rows of a file and count every cell; sections and notes are added to `reading.dropped`.

    Raises FileRefused: RAGGED, NUMBER_FORMAT with the cell.
    """
    if reading.ragged:
        detail = f"dòng {reading.ragged[0][1]}: số ô không khớp dòng tiêu đề / a row cannot be lined up"
        raise FileRefused("RAGGED", detail)
    lines = _without_notes(list(_lines(reading, layout)), reading, layout)
    totals = list(_totals(reading, layout))
    for line in (*lines, *totals):
        line.counts = _counts(line, layout, cells)
    if not lines and totals and not any(any(total.counts.values()) for total in totals):
        lines = [_whole(totals.pop(), reading)]
    sections = _sections(lines)
    reading.dropped += [(line.sheet, line.row_no, "SECTION_ROW") for line in sections]
    return Report([line for line in lines if not line.parts], sections, totals)


def _lines(reading: Reading, layout: Layout) -> Iterator[Line]:
    columns = [name for name in reading.table.column_names if name in reading.headings]
    for row in reading.table.to_pylist():
        yield _line(row["sheet"], row["row_no"], {name: row[name] or "" for name in columns}, layout)


def _totals(reading: Reading, layout: Layout) -> Iterator[Line]:
    places = [(sheet, row_no) for sheet, row_no, reason in reading.dropped if reason == "TOTAL_ROW"]
    for (sheet, row_no), total in zip(places, reading.totals, strict=True):
        yield _line(sheet, row_no, total, layout)


def _line(sheet: str, row_no: int, row: dict[str, str], layout: Layout) -> Line:
    mark = clean(row.get("row_mark", "")).rstrip(".) ")
    levels = (level for level, form in enumerate(layout.section_marks) if re.fullmatch(form, mark))
    names = {name: clean(row[name]) for name in NAMES if name in row}
    texts = {column.name: clean(row[column.name]) for column in figures_of(layout) if column.name in row}
    return Line(sheet, row_no, next(levels, len(layout.section_marks)), names, texts)


def _whole(total: Line, reading: Reading) -> Line:
    """A total of zeros with no row above it states by itself that there was nothing, in all fields together."""
    reading.dropped.remove((total.sheet, total.row_no, "TOTAL_ROW"))
    total.names.pop("field_name", None)
    return total


def _without_notes(lines: list[Line], reading: Reading, layout: Layout) -> list[Line]:
    """Rows that tell no figure are none: headings and notes, and below the total the place, day and signatures."""
    total_at = max((row_no for _, row_no, reason in reading.dropped if reason == "TOTAL_ROW"), default=None)
    kept = []
    for line in lines:
        said = [text for text in line.texts.values() if text]
        words_only = all(count_of(text, layout) is None and not is_percent(text) for text in said)
        if not said or (words_only and total_at is not None and line.row_no > total_at):
            reading.dropped.append((line.sheet, line.row_no, "NO_FIGURES"))
        else:
            kept.append(line)
    return kept


def _counts(line: Line, layout: Layout, cells: Cells) -> dict[str, int]:
    counts = {}
    for column in figures_of(layout):
        text = line.texts.get(column.name)
        if text is None or column.measure is None:
            continue
        if column.measure.kind == COUNT:
            number = count_of(text, layout)
            if number is None:
                detail = f"{cells.of(column.name, line.row_no)}: số không đúng dạng / not a count"
                raise FileRefused("NUMBER_FORMAT", detail)
            counts[column.name] = number
        elif not is_nothing(text, layout) and not is_percent(text):
            detail = f"{cells.of(column.name, line.row_no)}: tỷ lệ không đúng dạng / not a per cent"
            raise FileRefused("NUMBER_FORMAT", detail)
    return counts


def _sections(lines: Sequence[Line]) -> list[Line]:
    """Rows whose next row stands deeper; their `parts` become the rows below them that are no sections themselves."""
    found: list[Line] = []
    within: list[Line] = []
    for number, line in enumerate(lines):
        within = [section for section in within if section.level < line.level]
        if number + 1 < len(lines) and lines[number + 1].level > line.level:
            within.append(line)
            found.append(line)
            continue
        line.section = within[-1].row_no if within else 0
        for section in within:
            section.parts.append(line)
    return found
