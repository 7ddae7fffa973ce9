"""Reviewed corrections (`corrections.toml`): which cell or row of a source is mended, dropped or excused, until when.

A correction that could tell of a person is refused, with the file and the entry and never with its text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.domain.text import clean, may_tell_of_a_person
from tthc.reference.files import directories, read_toml
from tthc.reference.layout import Layout
from tthc.reference.sources import Source
from tthc.settings import Settings

MAP, DROP, WAIVE = "map", "drop", "waive"
PREFIX = "CORRECTED:"  # of the finding that counts the uses of a correction in a file
_ID = r"[a-z0-9][a-z0-9_-]{0,59}"
_SHA256 = r"[0-9a-f]{64}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Cells of `column` that say exactly `text`, or the row `row` of `sheet` in the file of these bytes (`file`).

    `map` writes `to` into the cell, `drop` leaves the row out, `waive` lets it break the row rule `rule`.
    """

    id: str
    source: str
    action: str
    reason: str
    owner: str
    reviewed_on: date
    review_by: date
    column: str = ""
    text: str = ""
    to: str = ""
    rule: str = ""
    file: str = ""
    sheet: str = ""
    row: int = 0

    @property
    def finding(self) -> str:
        """The id under which its uses are counted."""
        return f"{PREFIX}{self.id}"

    def holds_on(self, night: date) -> bool:
        """Whether it is applied to what came on a night: until the day by which it had to be reviewed again."""
        return night <= self.review_by


def read_corrections(
    settings: Settings, sources: Mapping[str, Source], layouts: Mapping[str, Layout], waivable: Collection[str]
) -> tuple[Correction, ...]:
    """All corrections; one of the overlay replaces the shipped one of the same id. `waivable`: the row rules for which
    `waive` is allowed.

    Raises ReferenceFault, which names the file and the entry.
    """
    found: dict[str, Correction] = {}
    for directory in directories(settings):
        path = directory / "corrections.toml"
        raw = read_toml(path) if path.exists() else {}
        entries = raw.pop("correction", [])
        if raw or not isinstance(entries, list):
            raise ReferenceFault(f"{path}: holds [[correction]] tables and nothing else")
        here: dict[str, Correction] = {}
        for number, entry in enumerate(entries, start=1):
            one = _correction(entry, f"{path}, correction {number}")
            for fault in _faults(one, sources, layouts, waivable):
                raise ReferenceFault(f"{path}, correction {one.id!r}: {fault}")
            if one.id in here:
                raise ReferenceFault(f"{path}, correction {one.id!r}: occurs twice")
            here[one.id] = one
        found |= here
        _check_addresses(found, path)
    return tuple(found.values())


def _correction(raw: Any, where: str) -> Correction:
    declared = {field.name: field for field in fields(Correction)}
    needed = {name for name, field in declared.items() if field.default is MISSING}
    if not isinstance(raw, dict) or set(raw) - set(declared) or needed - set(raw):
        raise ReferenceFault(f"{where}: needs {sorted(needed)}, may have {sorted(set(declared) - needed)}, and no more")
    for name, value in raw.items():
        wanted = date if declared[name].type == "date" else int if name == "row" else str
        if type(value) is not wanted:
            kind = {date: "a date such as 2026-06-30", int: "a number", str: "a text"}[wanted]
            raise ReferenceFault(f"{where}, {name}: must be {kind}")
    told: dict[str, Any] = {
        name: clean(value) if isinstance(value, str) and name != "sheet" else value for name, value in raw.items()
    }
    return Correction(**told)


def _faults(
    one: Correction, sources: Mapping[str, Source], layouts: Mapping[str, Layout], waivable: Collection[str]
) -> Iterator[str]:
    if not re.fullmatch(_ID, one.id):
        yield "id must be small letters, digits, - and _"
    if any(map(may_tell_of_a_person, (one.id, one.text, one.to, one.reason, one.owner))):
        yield "holds what looks like a dossier code or the number of a paper or a phone"
    if one.source not in sources:
        yield f"source must be one of {', '.join(sources)}"
        return
    if not one.reason or not one.owner:
        yield "reason and owner must not be empty"
    if one.review_by < one.reviewed_on:
        yield "review_by lies before reviewed_on"
    if one.file:
        if not re.fullmatch(_SHA256, one.file) or one.row < 1 or one.text:
            yield "a row is named by file (its SHA-256), sheet and row, and has no text"
    elif one.row or one.sheet or not one.text or not one.column:
        yield "needs column and text of a cell, or file, sheet and row"
    yield from _faults_of_action(one, waivable)
    known = columns_of(sources[one.source], layouts)
    if one.column and one.column not in known:
        yield (
            f"column must be one of {', '.join(sorted(known))}; what tells of a person, and dossier_code, is never "
            "corrected here"
        )


def _faults_of_action(one: Correction, waivable: Collection[str]) -> Iterator[str]:
    if one.action not in {MAP, DROP, WAIVE}:
        yield f"action must be {MAP}, {DROP} or {WAIVE}"
    if one.action == MAP and (not one.column or not one.to or one.to == one.text):
        yield "map needs column, and `to`, another text"
    if one.action != MAP and (one.to or (one.file and one.column)):
        yield "only map has `to`, or a column beside file and row"
    if (one.action == WAIVE) != bool(one.rule) or (one.rule and one.rule not in waivable):
        yield f"waive, and only waive, needs rule, one of {', '.join(sorted(waivable))}"


def columns_of(source: Source, layouts: Mapping[str, Layout]) -> set[str]:
    """Canonical columns of a source that may be corrected: all but the dossier code and its parts."""
    of_source = [layouts[layout_id] for layout_id in source.layouts]
    told = {column.name for layout in of_source for column in layout.columns if not column.helper}
    return told - {"dossier_code"} - {part for layout in of_source for part in layout.code_parts}


def _check_addresses(found: Mapping[str, Correction], path: Path) -> None:
    """No two corrections say something of the same cell or row, but waivers of different rules."""
    taken: dict[tuple[Any, ...], str] = {}
    for one in found.values():
        place = (one.source, one.file, one.sheet, one.row, one.column, one.text, one.rule)
        if place in taken:
            raise ReferenceFault(f"{path}, correction {one.id!r}: {taken[place]!r} says something of the same place")
        taken[place] = one.id
