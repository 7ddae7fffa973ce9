"""What reviewed corrections do to a file: cells mended and rows left out before parsing, row rules waived after it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tthc.reference.corrections import DROP, MAP, WAIVE, Correction
from tthc.staging import expectations
from tthc.staging.columns import tidied
from tthc.staging.reader import Reading
from tthc.staging.staged_file import StagedFile

Place = tuple[str, int]  # sheet, row number


@dataclass(slots=True)
class Corrected:
    """`used`: corrections that changed rows, with how many; `waivers`: the rows each waiver speaks of."""

    used: list[tuple[Correction, int]] = field(default_factory=list)
    waivers: list[tuple[Correction, set[Place]]] = field(default_factory=list)


def waivable() -> frozenset[str]:
    """Row rules that may be waived: those on plausible but typed rows. A dossier told twice stays ambiguous, and a row
    ahead of its night enters by itself once it is possible."""
    return (
        frozenset(
            rule.rule_id
            for rule in expectations.suite("dossier_row")
            if rule.severity == expectations.QUARANTINE and rule.column != "dossier_code"
        )
        - expectations.rules_of_the_night()
    )


def correct(reading: Reading, sha256: str, corrections: Sequence[Correction]) -> Corrected:
    """Apply corrections to whole columns of a file; each sees the cells as the file says them."""
    done, before = Corrected(), reading.table
    if not corrections:
        return done
    kept = pa.array([True] * before.num_rows, pa.bool_())
    for one in corrections:
        hit = _hit(before, sha256, one)
        rows = pc.sum(hit).as_py() or 0
        if one.action == WAIVE:
            there = before.select(["sheet", "row_no"]).filter(hit).to_pydict()
            done.waivers.append((one, set(zip(there["sheet"], there["row_no"], strict=True))))
            continue
        if one.action == MAP and rows:
            at = reading.table.column_names.index(one.column)
            mended = pc.if_else(hit, pa.scalar(one.to, pa.string()), reading.table.column(at))
            reading.table = reading.table.set_column(at, one.column, mended)
        elif one.action == DROP:
            rows = (pc.sum(pc.and_(hit, kept)).as_py() or 0) + _drop_ragged(reading, sha256, one)
            kept = pc.and_(kept, pc.invert(hit))
        if rows:
            done.used.append((one, rows))
    reading.table = reading.table.filter(kept)
    return done


def _hit(table: pa.Table, sha256: str, one: Correction) -> pa.Array:
    """Mask of the rows a correction speaks of."""
    if (one.file and one.file != sha256) or (one.column and one.column not in table.column_names):
        return pa.array([False] * table.num_rows, pa.bool_())
    if one.file:
        found = pc.and_(pc.equal(table.column("sheet"), one.sheet), pc.equal(table.column("row_no"), one.row))
    else:
        found = pc.equal(tidied(table.column(one.column)), one.text)
    return pc.fill_null(found, False).combine_chunks()


def _drop_ragged(reading: Reading, sha256: str, one: Correction) -> int:
    """A row that could not be lined up with the headings is known by its place only."""
    before = len(reading.ragged)
    if one.file == sha256:
        reading.ragged = [row for row in reading.ragged if row[:2] != (one.sheet, one.row)]
    return before - len(reading.ragged)


def note_uses(file: StagedFile, corrected: Corrected) -> None:
    """Each use counts as a finding of the file; rows left out count as dropped."""
    file.waivers = corrected.waivers
    for one, rows in corrected.used:
        severity = "dropped" if one.action == DROP else expectations.WARNING
        what = "bỏ dòng theo phép sửa / CORRECTED, left out" if one.action == DROP else "sửa ô / cells mended"
        file.findings.append((one.finding, severity, rows, f"{what}: {one.reason}"))


def waive(file: StagedFile, failed: pd.DataFrame) -> pd.DataFrame:
    """The failures that no correction waives; `failed` has one row per (row, rule) of this file."""
    places = list(zip(failed["sheet"], failed["row_no"], strict=True))
    for one, rows in file.waivers:
        excused = failed["rule_id"].eq(one.rule) & pd.Series([place in rows for place in places], index=failed.index)
        if excused.any():
            there = set(itertools.compress(places, excused))
            told = f"miễn / waived {one.rule}: {one.reason}"
            file.findings.append((one.finding, expectations.WARNING, len(there), told))
            file.waived |= there
            failed, places = failed[~excused], list(itertools.compress(places, ~excused))
    return failed
