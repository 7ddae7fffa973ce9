"""What would become of one file: its layout, every column's fate, the first problems, a patch where it drifted."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tthc.domain.errors import Misconfigured
from tthc.domain.text import fold
from tthc.reference.layouts import Layout, read_layouts
from tthc.reference.lists import read_status_words
from tthc.reference.procedures import read_procedures
from tthc.reference.sources import read_sources
from tthc.reference.units import read_places
from tthc.settings import Settings
from tthc.staging.cell_address import letters
from tthc.staging.grid import heading_key
from tthc.staging.parse import Meanings
from tthc.staging.reader_process import ReaderPool
from tthc.staging.stage import stage
from tthc.staging.staged_file import StagedFile


@dataclass(slots=True)
class LayoutReport:
    """One file judged dry: nothing is landed, nothing is written to a warehouse.

    `columns`: heading, fate (mapped to a canonical column, ignored, personal, unlisted). `problems`: cell address,
    rule, reason. `suggestions`: unlisted heading, canonical column it resembles, likeness 0–1. `patch`: lines to add
    to the layout file if the first suggestion of each heading is right.
    """

    layout_id: str | None
    verdict: str
    reason: str | None
    detail: str | None
    counts: dict[str, int]
    columns: list[dict[str, str]]
    problems: list[dict[str, str]]
    suggestions: list[dict[str, Any]]
    patch: str


def check_layout(settings: Settings, path: Path, source_id: str, night: date) -> LayoutReport:
    """Dry run of one file for a source. Raises Misconfigured when the file or the source does not exist."""
    sources, layouts = read_sources(settings), read_layouts(settings)
    if source_id not in sources:
        raise Misconfigured(f"no source {source_id!r} in sources.toml; known are {', '.join(sources)}")
    if not path.is_file():
        raise Misconfigured(f"{path} is not a file")
    source = sources[source_id]
    meanings = Meanings(
        places=read_places(settings),
        status_words=read_status_words(settings),
        hmac_key=secrets.token_bytes(32),  # keys of a dry run are thrown away
        province=settings.province,
        night=night,
    )
    with ReaderPool(1) as readers:
        (file,) = stage(
            [(path.name, "", path)], source, layouts, meanings, frozenset(read_procedures(settings)), readers
        )
    layout = layouts[file.layout_id or source.layouts[0]]
    header = file.header
    suggestions = _suggestions(header, layout)
    return LayoutReport(
        layout_id=file.layout_id,
        verdict=file.verdict,
        reason=file.reason,
        detail=file.detail,
        counts={
            name: getattr(file, name)
            for name in ("rows_read", "rows_accepted", "rows_quarantined", "rows_dropped", "rows_duplicate")
        },
        columns=[{"heading": heading, "fate": _fate(heading, layout)} for heading in header],
        problems=_problems(file, header),
        suggestions=suggestions,
        patch=_patch(suggestions, layout),
    )


def _fate(heading: str, layout: Layout) -> str:
    key = heading_key(heading)
    for column in layout.columns:
        if key in {heading_key(known) for known in column.headings}:
            return f"mapped: {column.name}"
    if key in {heading_key(known) for known in layout.personal}:
        return "personal: left behind in the reader"
    if key in {heading_key(known) for known in layout.ignored}:
        return "ignored"
    return "unlisted"


def _suggestions(header: Sequence[str], layout: Layout) -> list[dict[str, Any]]:
    """For each unlisted heading the canonical columns whose headings look most like it, not found in the file."""
    fates = {heading: _fate(heading, layout) for heading in header}
    taken = {fate.removeprefix("mapped: ") for fate in fates.values()}
    found = []
    for heading in [heading for heading, fate in fates.items() if fate == "unlisted"]:
        likeness = [
            (
                max(difflib.SequenceMatcher(None, fold(heading), fold(known)).ratio() for known in column.headings),
                column.name,
            )
            for column in layout.columns
            if column.name not in taken
        ]
        for ratio, name in sorted(likeness, reverse=True)[:3]:
            if ratio >= 0.5:
                found.append({"heading": heading, "column": name, "likeness": round(ratio, 2)})
    return found


def _patch(suggestions: Sequence[dict[str, Any]], layout: Layout) -> str:
    lines, seen = [], set()
    for suggestion in suggestions:
        if suggestion["heading"] in seen:
            continue
        seen.add(suggestion["heading"])
        column = next(column for column in layout.columns if column.name == suggestion["column"])
        headings = ", ".join(f'"{heading}"' for heading in (*column.headings, suggestion["heading"]))
        lines.append(f"[columns.{column.name}]\nheadings = [{headings}]")
    return "\n\n".join(lines)


def _problems(file: StagedFile, header: Sequence[str], limit: int = 20) -> list[dict[str, str]]:
    columns = {heading: letters(position) for position, heading in enumerate(header)}
    first = file.quarantined.head(limit)
    cells = zip(*(first[name] for name in ("sheet", "column_name", "row_no", "rule_id", "reason")), strict=True)
    return [
        {
            "cell": f"{f'{sheet}!' if sheet else ''}{columns.get(column, '')}{row_no}",
            "rule": str(rule),
            "reason": str(reason),
        }
        for sheet, column, row_no, rule, reason in cells
    ]
