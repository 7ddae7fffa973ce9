"""What would become of one file: its layout, every column's fate, the first problems, a patch where it drifted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tthc.domain.errors import Misconfigured
from tthc.reference.layout import Layout
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_calendar_overrides, read_status_words
from tthc.reference.manual import read_indicators
from tthc.reference.procedures import read_procedures
from tthc.reference.sources import read_sources
from tthc.reference.units import read_places
from tthc.settings import Settings
from tthc.staging.drift import fate, patch_of
from tthc.staging.grid import letters
from tthc.staging.parse import Meanings
from tthc.staging.reader_process import ReaderPool
from tthc.staging.stage import is_valid, stage
from tthc.staging.staged_file import StagedFile


@dataclass(slots=True)
class LayoutReport:
    """One file judged dry: nothing is landed, nothing is written to a warehouse.

    `layouts`: every layout of the source that was asked, and why it was not taken; `columns`: heading and fate;
    `problems`: cell address, rule, reason; `suggestions`: what unlisted headings may be, best first; `patch`: a layout
    file that, saved as `patch_file`, makes the layout know them.
    """

    layout_id: str | None
    verdict: str
    reason: str | None
    detail: str | None
    layouts: list[dict[str, str]]
    counts: dict[str, int]
    columns: list[dict[str, str]]
    problems: list[dict[str, str]]
    suggestions: list[dict[str, Any]]
    patch: str
    patch_file: str


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
        indicators=read_indicators(settings),
        calendar=read_calendar_overrides(settings),
    )
    with ReaderPool(1) as readers:
        (file,) = stage(
            [(path.name, "", path)], source, layouts, meanings, frozenset(read_procedures(settings)), readers
        )
    layout = layouts[file.layout_id or source.layouts[0]]
    return LayoutReport(
        layout_id=file.layout_id,
        verdict=file.verdict,
        reason=file.reason,
        detail=file.detail,
        layouts=_asked(file, [layouts[layout_id] for layout_id in source.layouts], night),
        counts={
            name: getattr(file, name)
            for name in ("rows_read", "rows_accepted", "rows_quarantined", "rows_dropped", "rows_duplicate")
        },
        columns=[{"heading": heading, "fate": fate(heading, layout)} for heading in file.header],
        problems=_problems(file, layout),
        suggestions=[asdict(suggestion) for suggestion in file.suggestions],
        patch=patch_of(file.header, file.suggestions, layout),
        patch_file=f"layouts/{layout.id}_patch.toml",
    )


def _asked(file: StagedFile, layouts: Sequence[Layout], night: date) -> list[dict[str, str]]:
    answers = dict(file.tried)
    told = []
    for layout in layouts:
        if layout.id in answers:
            why = answers[layout.id] or "fits"
        elif not is_valid(layout, night):
            why = f"not valid on {night}: {layout.valid_from or ''}–{layout.valid_to or ''}"
        else:
            why = "not asked: an earlier one fits"
        told.append({"layout": layout.id, "answer": why})
    return told


def _problems(file: StagedFile, layout: Layout, limit: int = 20) -> list[dict[str, str]]:
    places = {} if layout.kind in {"json", "ndjson"} else {text: at for at, text in enumerate(file.header)}
    first = file.quarantined.head(limit)
    cells = zip(*(first[name] for name in ("sheet", "column_name", "row_no", "rule_id", "reason")), strict=True)
    return [
        {
            "cell": f"{f'{sheet}!' if sheet else ''}{letters(places[column]) if column in places else ''}{row_no}",
            "rule": str(rule),
            "reason": str(reason),
        }
        for sheet, column, row_no, rule, reason in cells
    ]
