"""A batch of landed files becomes staged files: rows accepted or quarantined, every file with one verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from tthc.domain.errors import FileRefused, RowsNotConserved
from tthc.reference.layouts import Layout
from tthc.reference.sources import Source
from tthc.staging import expectations
from tthc.staging.parse import Meanings, Parsed, explain, parse_dossiers
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool
from tthc.staging.summary import parse_catalogue, parse_summary

_PARSERS = {"dossier": parse_dossiers, "summary_06a": parse_summary, "procedure_catalogue": parse_catalogue}
# No other layout of the source may fit when one of these is wrong: the file itself is broken.
_TRY_NEXT_LAYOUT = {"HEADER", "MISSING_COLUMN", "MISSING_TITLE", "TYPE_MISMATCH", "JSON_SHAPE"}
_EARLIEST = pd.Timestamp(2010, 1, 1)


@dataclass(slots=True)
class StagedFile:
    """One file, ready to be loaded or refused.

    `rows`: the accepted rows, typed. `quarantined`: one row per (row, rule): sheet, row_no, column_name, rule_id,
    reason, unit_code, ordinal. `findings`: (rule, severity, rows, detail). The counts always add up.
    """

    file_name: str
    sha256: str
    layout_id: str | None = None
    feed: str | None = None
    verdict: str = "loaded"
    reason: str | None = None
    detail: str | None = None
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    quarantined: pd.DataFrame = field(default_factory=pd.DataFrame)
    findings: list[tuple[str, str, int, str | None]] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)
    header: list[str] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_dropped: int = 0
    rows_duplicate: int = 0


def stage(
    files: Sequence[tuple[str, str, Path]],
    source: Source,
    layouts: dict[str, Layout],
    meanings: Meanings,
    known_procedures: frozenset[str],
    readers: ReaderPool,
    *,
    released: bool = False,
) -> list[StagedFile]:
    """Stage files given as (name, sha256, path). A refused file is a result, not an exception.

    `released`: a person has decided that the files may enter, so no file rule holds or rejects them.
    """
    candidates = [layouts[layout_id] for layout_id in source.layouts if _is_valid(layouts[layout_id], meanings.night)]
    if not candidates:
        detail = "không layout nào còn hiệu lực / no layout of this source is valid on the night"
        return [_refused(name, sha, "NO_LAYOUT", detail) for name, sha, _ in files]
    staged: list[StagedFile] = []
    read: list[tuple[StagedFile, Reading, Layout]] = []
    readings = readers.read_all((path, candidates[0]) for _, _, path in files)
    for (name, sha, path), first in zip(files, readings, strict=True):
        reading, layout = _best(readers, path, candidates, first)
        if isinstance(reading, FileRefused):
            staged.append(_refused(name, sha, reading.reason, reading.detail, layout))
            staged[-1].header = list(reading.header)
        else:
            staged.append(StagedFile(file_name=name, sha256=sha, layout_id=layout.id, feed=layout.feed))
            read.append((staged[-1], reading, layout))
    _understand(read, meanings)
    _judge(staged, meanings, known_procedures)
    if not released:
        _apply_file_rules(staged, source)
    return staged


def _is_valid(layout: Layout, night: date) -> bool:
    return (layout.valid_from is None or layout.valid_from <= night) and (
        layout.valid_to is None or night <= layout.valid_to
    )


def _best(
    pool: ReaderPool, path: Path, candidates: Sequence[Layout], first: Reading | FileRefused
) -> tuple[Reading | FileRefused, Layout]:
    reading, layout = first, candidates[0]
    for following in candidates[1:]:
        if not isinstance(reading, FileRefused) or reading.reason not in _TRY_NEXT_LAYOUT:
            break
        reading, layout = pool.read(path, following), following
    return reading, layout


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
    for part in read:
        file, _, layout = part
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
            _note_reading(file, reading, mine, parsed.duplicates.get(number, 0))


def _note_reading(file: StagedFile, reading: Reading, refused: pd.DataFrame, duplicates: int) -> None:
    file.headings, file.header = reading.headings | {"": ""}, reading.header
    file.rows_read, file.rows_dropped, file.rows_duplicate = reading.rows_read, len(reading.dropped), duplicates
    named = [file.headings.get(column, column) for column in refused["column"]]
    file.quarantined = refused.assign(
        column_name=named,
        reason=[explain(rule, heading) for rule, heading in zip(refused["rule_id"], named, strict=True)],
        unit_code=None,
    )
    for reason, count in Counter(reason for _, _, reason in reading.dropped).items():
        file.findings.append((reason, "dropped", count, None))
    if reading.unlisted:
        listed = ", ".join(f"«{heading}»" for heading in reading.unlisted)
        file.findings.append(("SCHEMA_DRIFT", "drift", len(reading.unlisted), f"cột lạ, không nạp: {listed}"))


def _judge(staged: list[StagedFile], meanings: Meanings, known: frozenset[str]) -> None:
    dossiers = [file for file in staged if file.feed == "dossier" and file.verdict != "rejected"]
    frames = [file.rows.assign(file_no=number) for number, file in enumerate(dossiers) if len(file.rows)]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    frame["row_id"] = range(len(frame))
    _apply_row_rules(frame, dossiers, meanings)
    for file in dossiers:
        if len(file.rows):
            codes = file.rows["procedure_code"].dropna()
            unknown = ~codes.isin(known)
            if unknown.any():
                listed = ", ".join(sorted(codes[unknown].unique())[:20])
                file.findings.append(("PROCEDURE_UNKNOWN", expectations.WARNING, int(unknown.sum()), listed))
    for file in staged:
        _close(file)
        if "unit_code" in file.rows:
            file.units = {str(unit): int(count) for unit, count in file.rows["unit_code"].value_counts().items()}


def _prepared(frame: pd.DataFrame, meanings: Meanings) -> pd.DataFrame:
    """The typed rows with the helper columns the suite `dossier_row` compares with."""
    night = pd.Timestamp(meanings.night)
    agrees = (
        frame["code_on"].isna()
        | (frame["code_on"] == frame["received_on"])
        | (frame["code_on"] == frame["submitted_on"])
    )
    return frame.assign(
        night=night,
        earliest=_EARLIEST,
        latest=night + pd.DateOffset(years=5),
        code_on_differs=(~agrees).astype("int64"),
    )


def _apply_row_rules(frame: pd.DataFrame, dossiers: list[StagedFile], meanings: Meanings) -> None:
    if frame.empty:
        return
    parts = []
    prepared = _prepared(frame, meanings)
    for failure in expectations.check(prepared, "dossier_row"):
        rule, hit = failure.rule, frame.iloc[failure.rows]
        if hit.empty:
            continue
        if rule.severity == expectations.WARNING:
            for number, count in hit["file_no"].value_counts().items():
                dossiers[int(str(number))].findings.append((rule.rule_id, expectations.WARNING, int(count), rule.vi))
            continue
        parts.append(
            hit[["file_no", "row_id", "sheet", "row_no", "unit_code"]].assign(
                column=rule.column, rule_id=rule.rule_id, vi=rule.vi
            )
        )
    if not parts:
        return
    failed = pd.concat(parts, ignore_index=True)
    bad_rows = set(failed["row_id"])
    for number, file in enumerate(dossiers):
        mine = failed[failed["file_no"] == number]
        if mine.empty:
            continue
        named = [file.headings.get(column, column) for column in mine["column"]]
        file.quarantined = pd.concat(
            [
                file.quarantined,
                mine.assign(
                    column_name=named,
                    reason=[f"Cột «{heading}»: {vi}" for heading, vi in zip(named, mine["vi"], strict=True)],
                ),
            ],
            ignore_index=True,
        )
        of_file = frame.index[frame["file_no"] == number]
        keep = [row not in bad_rows for row in of_file]
        file.rows = file.rows[keep].reset_index(drop=True)


def _close(file: StagedFile) -> None:
    """Number the rules of each quarantined row, count, and prove that no row was lost."""
    if file.verdict == "rejected":
        return
    quarantined = file.quarantined.reset_index(drop=True)
    quarantined["ordinal"] = quarantined.groupby(["sheet", "row_no"]).cumcount() + 1
    file.quarantined = quarantined
    first = quarantined[quarantined["ordinal"] == 1]
    file.rows_accepted, file.rows_quarantined = len(file.rows), len(first)
    parts = (file.rows_accepted, file.rows_quarantined, file.rows_dropped, file.rows_duplicate)
    if sum(parts) != file.rows_read:
        raise RowsNotConserved(
            f"{file.file_name}: {file.rows_read} rows read; accepted, quarantined, dropped and duplicate are {parts}"
        )
    for rule, count in quarantined["rule_id"].value_counts().items():
        file.findings.append((str(rule), expectations.QUARANTINE, int(count), None))
    if file.rows_quarantined:
        file.verdict = "loaded_with_quarantine"


def _apply_file_rules(staged: list[StagedFile], source: Source) -> None:
    files = [file for file in staged if file.verdict != "rejected"]
    profile = pd.DataFrame(
        [
            {
                "row_id": number,
                "rows_read": file.rows_read - file.rows_dropped,
                "wrong_order_share": _rule_rows(file, {"DATE_ORDER", "DUE_BEFORE_RECEIVED"}) / max(file.rows_read, 1),
                "quarantine_over_limit": max(file.rows_quarantined / max(file.rows_read, 1) - source.hold_above, 0.0),
            }
            for number, file in enumerate(files)
        ]
    )
    for failure in expectations.check(profile, "dossier_file"):
        for number in failure.rows:
            file, rule = files[number], failure.rule
            if file.verdict in {"held", "rejected"}:
                continue
            file.verdict = "rejected" if rule.severity == expectations.REJECT else "held"
            file.reason, file.detail = rule.rule_id, f"{rule.vi} / {rule.en}"


def _rule_rows(file: StagedFile, rules: set[str]) -> int:
    hit = file.quarantined[file.quarantined["rule_id"].isin(rules)]
    return len(hit.drop_duplicates(["sheet", "row_no"]))
