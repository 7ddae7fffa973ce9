"""What is plausible: row rules quarantine rows, file rules hold or reject files, and no row is lost on the way.

Rules of severity `warning` are told and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from tthc.domain.errors import RowsNotConserved
from tthc.reference.sources import Source
from tthc.staging import expectations, manual, sender
from tthc.staging.correct import waive
from tthc.staging.history import History, note_content
from tthc.staging.parse import Meanings
from tthc.staging.plausible import latest
from tthc.staging.shares import RULE_OF, Shift
from tthc.staging.staged_file import StagedFile

_ENOUGH_CODES = 10  # from which on the most frequent prefix of a batch is taken for that of the province


def judge_rows(staged: list[StagedFile], meanings: Meanings, known: frozenset[str]) -> None:
    dossiers, frame = _rows_of(staged, "dossier")
    if len(frame):
        _apply_row_rules(_prepared(frame, meanings), dossiers, "dossier_row")
    _apply_sender_rules(frame, dossiers)
    forms, statements = _rows_of(staged, "manual_input")
    if len(statements):
        _apply_row_rules(manual.prepared(statements, meanings.indicators), forms, "manual_row")
    for file in dossiers:
        if len(file.rows):
            note_content(file, meanings.night)
            codes = file.rows["procedure_code"].dropna()
            unknown = ~codes.isin(known)
            if unknown.any():
                listed = ", ".join(sorted(codes[unknown].unique())[:20])
                file.findings.append(("PROCEDURE_UNKNOWN", expectations.WARNING, int(unknown.sum()), listed))
    for file in staged:
        _close(file)
        if "unit_code" in file.rows:
            file.units = {str(unit): int(count) for unit, count in file.rows["unit_code"].value_counts().items()}


def _rows_of(staged: list[StagedFile], feed: str) -> tuple[list[StagedFile], pd.DataFrame]:
    """The files of a feed that are not rejected, and their rows together."""
    files = [file for file in staged if file.feed == feed and file.verdict != "rejected"]
    frames = [file.rows.assign(file_no=number) for number, file in enumerate(files) if len(file.rows)]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    frame["row_id"] = range(len(frame))
    return files, frame


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
        latest=latest(meanings.night),
        code_on_differs=(~agrees).astype("int64"),
        codes_are_national=_share_of_file(frame, frame["code_root"].notna()).gt(0.5).astype("int64"),
        home_root=_home_root(frame["code_root"]),
        told_otherwise_elsewhere=_told_otherwise_elsewhere(frame).astype("int64"),
    )


def _share_of_file(frame: pd.DataFrame, mask: pd.Series) -> pd.Series:
    return frame["file_no"].map(mask.groupby(frame["file_no"]).mean())


def _home_root(roots: pd.Series) -> str | None:
    """The first part of most dossier codes of a batch; None where too few agree to tell."""
    counts = roots.value_counts()
    if counts.empty or counts.iloc[0] < _ENOUGH_CODES or counts.iloc[0] <= counts.sum() / 2:
        return None
    return str(counts.index[0])


def _told_otherwise_elsewhere(frame: pd.DataFrame) -> pd.Series:
    """Whether another file of the batch names another unit, procedure or day of receipt for the dossier."""
    key, facts = "dossier_key", ["unit_code", "procedure_code", "received_on"]
    received = frame[[key, "file_no", *facts]][frame["received_on"].notna()]
    repeated = received[received[key].duplicated(keep=False)]
    of_files = repeated.drop_duplicates([key, "file_no"])
    in_files = of_files.loc[of_files[key].duplicated(keep=False), key]
    told = repeated.drop_duplicates([key, *facts])
    differ = told.loc[told[key].duplicated(keep=False), key]
    return frame[key].isin(set(in_files) & set(differ))


def _apply_sender_rules(frame: pd.DataFrame, dossiers: list[StagedFile]) -> None:
    """Told of the files that show the sign; where only all together show it, of the one with most rows."""
    if frame.empty:
        return
    signs = sender.profile(frame)
    said = expectations.check(signs, "dossier_sender")
    dossiers[0].judgements += expectations.judgements("dossier_sender", said)
    for failure in said:
        largest = max(range(len(dossiers)), key=lambda number: dossiers[number].rows_read)
        numbers = {number for number in failure.rows if number != sender.WHOLE} or (
            {largest} if failure.rows else set()
        )
        for number in numbers:
            file, rule = dossiers[number], failure.rule
            file.findings.append((rule.rule_id, rule.severity, file.rows_read, f"{rule.vi} / {rule.en}"))


def _apply_row_rules(frame: pd.DataFrame, files: list[StagedFile], suite: str) -> None:
    """`frame`: the rows of `files` with the helper columns of the suite."""
    parts = []
    said = expectations.check(frame, suite)
    files[0].judgements += expectations.judgements(suite, said)
    for failure in said:
        rule, hit = failure.rule, frame.iloc[failure.rows]
        if hit.empty:
            continue
        if rule.severity == expectations.WARNING:
            for number, count in hit["file_no"].value_counts().items():
                files[int(str(number))].findings.append((rule.rule_id, expectations.WARNING, int(count), rule.vi))
            continue
        parts.append(
            hit[["file_no", "row_id", "sheet", "row_no", "unit_code", "dossier_key"]].assign(
                column=rule.column, rule_id=rule.rule_id, vi=rule.vi, expected=rule.expected_vi
            )
        )
    if not parts:
        return
    failed = pd.concat(parts, ignore_index=True)
    for number, file in enumerate(files):
        mine = waive(file, failed[failed["file_no"] == number])
        if mine.empty:
            continue
        mine = mine.reset_index(drop=True)
        of = zip(*(mine[name] for name in ("column", "rule_id", "row_no", "expected")), strict=True)
        told = [file.told(*refused) for refused in of]
        mine[["column_name", "cell", "expected"]] = pd.DataFrame(told, columns=range(3))
        mine["reason"] = [f"Cột «{named[0]}»: {vi}" for named, vi in zip(told, mine["vi"], strict=True)]
        file.quarantined = pd.concat([file.quarantined, mine], ignore_index=True)
        of_file = frame.index[frame["file_no"] == number]
        keep = ~of_file.isin(mine["row_id"])
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


def judge_files(staged: list[StagedFile], source: Source, history: History) -> None:
    """Hold or reject whole files, by what they are and by what they were on the nights before (`history`)."""
    files = [file for file in staged if file.verdict != "rejected"]
    shifts = [history.shifts(file) for file in files]
    said = expectations.check(profile(files, source, history, shifts), "dossier_file")
    if files:
        files[0].judgements += expectations.judgements("dossier_file", said)
    for failure in said:
        for number in failure.rows:
            file, rule = files[number], failure.rule
            if rule.severity == expectations.WARNING:
                moved = next((shifts[number][what].told for what, of in RULE_OF.items() if of == rule.rule_id), "")
                words = f"{file.file_name}: {moved}; " if moved else ""
                file.findings.append((rule.rule_id, rule.severity, file.rows_read, f"{words}{rule.vi} / {rule.en}"))
                continue
            if file.verdict in {"held", "rejected"}:
                continue
            file.verdict = "rejected" if rule.severity == expectations.REJECT else "held"
            file.reason, file.detail = rule.rule_id, f"{rule.vi} / {rule.en}"


def profile(
    files: Sequence[StagedFile], source: Source, history: History, shifts: Sequence[Mapping[str, Shift]]
) -> pd.DataFrame:
    """What the suite `dossier_file` is asked about: one row a file. `shifts`: of each file, from `history`."""
    return pd.DataFrame(
        [
            {
                "row_id": number,
                "rows_read": file.rows_read - file.rows_dropped,
                "may_be_empty": int(source.may_be_empty),
                "wrong_order_share": _rows_in_wrong_order(file) / max(file.rows_read, 1),
                "total_differs": int(_total_differs(file)),
                "quarantine_over_limit": max(file.rows_quarantined / max(file.rows_read, 1) - source.hold_above, 0.0),
                **history.profile(file),
                **history.statuses(file),
                **{f"{what}_rows": moved.rows for what, moved in shifts[number].items()},
                **{f"{what}_nights": moved.nights for what, moved in shifts[number].items()},
                **{f"{what}_shift": moved.distance for what, moved in shifts[number].items()},
            }
            for number, file in enumerate(files)
        ]
    )


def _total_differs(file: StagedFile) -> bool:
    """A total row claims another number than its sheet has, and than the whole file has."""
    claims = file.rows_claimed if file.feed == "dossier" else []
    return any(claimed not in {listed, file.rows_listed} for claimed, listed in claims)


def _rows_in_wrong_order(file: StagedFile) -> int:
    """Rows that end or fall due before they begin; a year no dossier has, as 0001 for no day, tells of no order."""
    return len(_places(file, {"DATE_ORDER", "DUE_BEFORE_RECEIVED"}) - _places(file, {"DATE_RANGE"}))


def _places(file: StagedFile, rules: set[str]) -> set[tuple[str, int]]:
    hit = file.quarantined[file.quarantined["rule_id"].isin(rules)]
    return set(zip(hit["sheet"], hit["row_no"], strict=True))
