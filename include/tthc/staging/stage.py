"""A batch of landed files becomes staged files: rows accepted or quarantined, every file with one verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.reference.sources import Source
from tthc.staging.catalogue import parse_catalogue
from tthc.staging.correct import correct, note_uses
from tthc.staging.drift import Suggestion, told
from tthc.staging.expected import of_columns
from tthc.staging.grid import match_header
from tthc.staging.history import History
from tthc.staging.judge import judge_files, judge_rows
from tthc.staging.manual import parse_manual
from tthc.staging.parse import REFUSED, WARNINGS, Meanings, Parsed, explain, parse_dossiers
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool
from tthc.staging.staged_file import StagedFile
from tthc.staging.summary import parse_summary, titles_of_file_name
from tthc.staging.words import Words

_PARSERS = {
    "dossier": parse_dossiers,
    "summary_06a": parse_summary,
    "summary": parse_summary,
    "manual_input": parse_manual,
    "procedure_catalogue": parse_catalogue,
}
# Another layout of the source may fit when one of these is wrong, and how far this one came; anything else is a
# fault of the file itself.
_TRY_NEXT_LAYOUT = {
    "TYPE_MISMATCH": 0,
    "JSON_SHAPE": 0,
    "HEADER": 1,
    "MISSING_COLUMN": 2,
    "DUPLICATE_COLUMN": 2,
    "MISSING_TITLE": 3,
}


def stage(
    files: Sequence[tuple[str, str, Path]],
    source: Source,
    layouts: dict[str, Layout],
    meanings: Meanings,
    known_procedures: frozenset[str],
    readers: ReaderPool,
    *,
    history: History | None = None,
    released: bool = False,
) -> list[StagedFile]:
    """Stage files given as (name, sha256, path). A refused file is a result, not an exception.

    `history`: what the source delivered on earlier nights, nothing where it is not known. `released`: a person has
    decided that the files may enter, so no file rule holds or rejects them.
    """
    valid = [layouts[layout_id] for layout_id in source.layouts if is_valid(layouts[layout_id], meanings.night)]
    candidates = [_with_words(layout, meanings.status_words) for layout in valid]
    if not candidates:
        detail = "không layout nào còn hiệu lực / no layout of this source is valid on the night"
        return [_refused(name, sha, "NO_LAYOUT", detail) for name, sha, _ in files]
    staged: list[StagedFile] = []
    read: list[tuple[StagedFile, Reading, Layout]] = []
    readings = readers.read_all((path, candidates[0]) for _, _, path in files)
    for (name, sha, path), first in zip(files, readings, strict=True):
        reading, layout, tried = _best(readers, path, candidates, first)
        if isinstance(reading, FileRefused):
            staged.append(_refused(name, sha, reading.reason, reading.detail, layout))
            _note_drift(staged[-1], reading, layout)
        else:
            staged.append(StagedFile(file_name=name, sha256=sha, layout_id=layout.id, feed=layout.feed))
            staged[-1].wanted = of_columns(layout, meanings.status_words)
            staged[-1].has_cells = layout.kind not in {"json", "ndjson"}
            read.append((staged[-1], reading, layout))
        staged[-1].tried = tried
    _understand(read, meanings)
    judge_rows(staged, meanings, known_procedures)
    if not released:
        judge_files(staged, source, history or History(meanings.night))
    return staged


def _with_words(layout: Layout, status_words: Mapping[str, str]) -> Layout:
    """The layout as readers get it, with the words of statuses that stand in a list of their own: by them a column is
    known whose heading was changed."""
    columns = [
        replace(column, codes={**status_words, **column.codes}) if column.name == "status" else column
        for column in layout.columns
    ]
    return replace(layout, columns=tuple(columns))


def is_valid(layout: Layout, night: date) -> bool:
    """Whether the layout holds on a night."""
    return (layout.valid_from is None or layout.valid_from <= night) and (
        layout.valid_to is None or night <= layout.valid_to
    )


def _best(
    pool: ReaderPool, path: Path, candidates: Sequence[Layout], first: Reading | FileRefused
) -> tuple[Reading | FileRefused, Layout, list[tuple[str, str]]]:
    """The reading by the first layout that fits; when none does, the refusal of the one that came furthest. Then every
    layout that was asked, and why it was not taken."""
    refused: list[tuple[FileRefused, Layout]] = []
    reading, layout = first, candidates[0]
    for following in (*candidates[1:], None):
        if not isinstance(reading, FileRefused) or reading.reason not in _TRY_NEXT_LAYOUT:
            taken = f"{reading.reason}: {reading.detail}" if isinstance(reading, FileRefused) else ""
            return reading, layout, [*_told(refused), (layout.id, taken)]
        refused.append((reading, layout))
        if following is not None:
            reading, layout = pool.read(path, following), following
    best = max(refused, key=lambda one: (_TRY_NEXT_LAYOUT[one[0].reason], len(match_header(one[0].header, one[1]))))
    return *best, _told(refused)


def _told(refused: Sequence[tuple[FileRefused, Layout]]) -> list[tuple[str, str]]:
    return [(layout.id, f"{reading.reason}: {reading.detail}") for reading, layout in refused]


def _note_drift(file: StagedFile, refused: FileRefused, layout: Layout) -> None:
    """A file refused for its headings tells what they may mean; the incident shows it."""
    file.header = list(refused.header)
    file.suggestions = [each for each in refused.suggestions if isinstance(each, Suggestion)]
    if refused.reason == "MISSING_COLUMN" and (report := told(file.header, file.suggestions, layout)):
        file.findings.append((refused.reason, "drift", 1, report))


def _refused(name: str, sha: str, reason: str, detail: str, layout: Layout | None = None) -> StagedFile:
    return StagedFile(
        file_name=name,
        sha256=sha,
        layout_id=layout.id if layout else None,
        feed=layout.feed if layout else None,
        verdict="rejected",
        reason=reason,
        detail=detail,
    )


def _understand(read: list[tuple[StagedFile, Reading, Layout]], meanings: Meanings) -> None:
    """Type what was read: the dossier lists of one layout together, every other file by itself."""
    together: dict[str, list[tuple[StagedFile, Reading, Layout]]] = {}
    corrections = [one for one in meanings.corrections if one.holds_on(meanings.night)]
    for part in read:
        file, reading, layout = part
        note_uses(file, correct(reading, file.sha256, corrections))
        try:
            reading.titles |= titles_of_file_name(file.file_name, layout)
        except FileRefused as refused:
            file.verdict, file.reason, file.detail = "rejected", refused.reason, refused.detail
            continue
        together.setdefault(layout.id if layout.feed == "dossier" else f"{layout.id} {file.file_name}", []).append(part)
    for parts in together.values():
        layout, readings = parts[0][2], [reading for _, reading, _ in parts]
        try:
            parsed: Parsed = _PARSERS[layout.feed](readings, layout, meanings)
        except FileRefused as refused:
            for file, _, _ in parts:
                file.verdict, file.reason, file.detail = "rejected", refused.reason, refused.detail
            continue
        rows = dict(list(parsed.rows.groupby("file_no", sort=False)))
        refusals = dict(list(parsed.refused.groupby("file_no", sort=False)))
        for number, (file, reading, _) in enumerate(parts):
            mine = refusals.get(number, parsed.refused.iloc[:0]).drop(columns="file_no")
            file.rows = rows.get(number, parsed.rows.iloc[:0]).drop(columns="file_no").reset_index(drop=True)
            dropped = Counter(reason for _, _, reason in reading.dropped)
            dropped.update(parsed.dropped.get(number, {}))
            if layout.feed == "dossier" and not len(file.rows):
                file.stated_unit = _stated_unit(reading, layout, meanings)
            file.rows_duplicate = parsed.duplicates.get(number, 0)
            _note_reading(file, reading, layout, mine, dropped)
            for rule, count in parsed.told.get(number, {}).items():
                file.findings.append((rule, "warning", count, WARNINGS[rule]))


def _stated_unit(reading: Reading, layout: Layout, meanings: Meanings) -> str | None:
    """The unit that titles, file name or layout name for every row of a file."""
    texts = [(reading.titles | layout.constants).get(clue, "") for clue in layout.unit_from]
    if (column := layout.column("unit_name")) and column.codes:
        texts = [str(Words(column.codes).get(text, text)) for text in texts]
    found = (meanings.places.choose(meanings.places.spans_of(text), meanings.night) for text in texts if text)
    return next((unit for unit in found if unit), None)


def _note_reading(
    file: StagedFile, reading: Reading, layout: Layout, refused: pd.DataFrame, dropped: Counter[str]
) -> None:
    # What follows from other columns stands under the heading of the first of them.
    follow = {name: reading.headings.get(one.columns[0], name) for name, one in layout.derived.items()}
    file.headings, file.header = follow | reading.headings | {"": ""}, reading.header
    lacking = [column for column in layout.columns if column.headings and column.name in reading.absent]
    file.lacking = {column.name: column.headings[0] for column in lacking}
    file.rows_read = reading.rows_read
    by_correction = sum(rows for _, severity, rows, _ in file.findings if severity == "dropped")
    file.rows_dropped = sum(dropped.values()) + by_correction
    file.rows_claimed = reading.claims
    # What the file said of its rows before any was left out for what it tells; a total row counts these.
    file.rows_listed = reading.rows_read - len(reading.dropped)
    refused = refused.reindex(columns=list(REFUSED[1:]))
    cells = [file.told(*of) for of in zip(refused["column"], refused["rule_id"], refused["row_no"], strict=True)]
    refused[["column_name", "cell", "expected"]] = pd.DataFrame(cells, index=refused.index, columns=range(3))
    refused["reason"] = [explain(rule, cell[0]) for rule, cell in zip(refused["rule_id"], cells, strict=True)]
    file.quarantined = refused
    for reason, count in dropped.items():
        file.findings.append((reason, "dropped", count, None))
    if reading.hidden_sheets:
        file.findings.append(("HIDDEN_SHEET", "warning", reading.hidden_sheets, WARNINGS["HIDDEN_SHEET"]))
    if reading.passed_over:
        sheets = ", ".join(f"«{name}»" for name in reading.passed_over)
        file.findings.append(
            ("OTHER_SHEET", "warning", len(reading.passed_over), f"{sheets}: {WARNINGS['OTHER_SHEET']}")
        )
    kinds = [("cột lạ, không nạp", reading.unlisted), ("thiếu cột thường có", reading.vanished)]
    drift = "; ".join(f"{what}: {', '.join(f'«{text}»' for text in texts)}" for what, texts in kinds if texts)
    file.suggestions = reading.suggestions
    if drift:
        report = f"{drift}\n{told(file.header, reading.suggestions, layout)}".strip()
        file.findings.append(("SCHEMA_DRIFT", "drift", len(reading.unlisted) + len(reading.vanished), report))
