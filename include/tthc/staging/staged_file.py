"""What staging hands on: one file with its verdict, its accepted rows and its refused ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from tthc.reference.corrections import Correction
from tthc.staging.drift import Suggestion
from tthc.staging.expectations import Judgement
from tthc.staging.expected import of_cell
from tthc.staging.grid import letters

QUARANTINE_COLUMNS = (
    "sheet", "row_no", "column", "rule_id", "column_name", "cell", "reason", "expected", "unit_code", "dossier_key",
    "ordinal",
)  # fmt: skip


@dataclass(slots=True)
class StagedFile:
    """One file, ready to be loaded or refused.

    `rows`: the accepted rows, typed. `quarantined`: one row per (row, rule) with QUARANTINE_COLUMNS; unit_code and
    dossier_key where the row lets them be known, cell where the file has addresses. `findings`: (rule, severity, rows,
    detail). The counts always add up. `rows_listed`: rows that looked like data; `rows_claimed`: what the file's total
    rows say that number is.
    `stated_unit`: the unit of a whole list, as its titles name it; looked up only where the list has no rows.
    `newest_on`: day of the newest event up to the night; `only_status`: the status of every accepted row of a list;
    `shares`: what is looked at (staging/shares.py) → its values → rows.
    `suggestions`: what unlisted headings may mean. `tried`: every layout that was asked, with why it was not taken.
    """

    file_name: str
    sha256: str
    layout_id: str | None = None
    feed: str | None = None
    verdict: str = "loaded"
    reason: str | None = None
    detail: str | None = None
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    quarantined: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(QUARANTINE_COLUMNS)))
    findings: list[tuple[str, str, int, str | None]] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)  # canonical column without a heading here → the layout's
    header: list[str] = field(default_factory=list)
    wanted: dict[str, str] = field(default_factory=dict)  # canonical column → what its cells should hold
    has_cells: bool = False  # whether a cell has an address, as in a sheet or a CSV opened as one
    judgements: list[Judgement] = field(default_factory=list)  # on a batch's first file, of the whole batch
    units: dict[str, int] = field(default_factory=dict)
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_dropped: int = 0
    rows_duplicate: int = 0
    rows_listed: int = 0
    rows_claimed: list[tuple[int, int]] = field(default_factory=list)
    newest_on: date | None = None
    only_status: int | None = None
    shares: dict[str, dict[str, int]] = field(default_factory=dict)
    stated_unit: str | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)
    waivers: list[tuple[Correction, set[tuple[str, int]]]] = field(
        default_factory=list
    )  # with (sheet, row) each excuses
    waived: set[tuple[str, int]] = field(default_factory=set)  # (sheet, row) of rows that a waiver let pass a rule

    @property
    def is_empty(self) -> bool:
        """A list of dossiers that was read and has none."""
        return self.feed == "dossier" and self.verdict != "rejected" and self.rows_read == self.rows_dropped

    def told(self, column: str, rule_id: str, row_no: int, words: str = "") -> tuple[str, str, str]:
        """(heading, address such as I7 or "", what the cell should hold) of a refused cell."""
        heading = self.headings.get(column, self.lacking.get(column, column))
        there = self.has_cells and heading in self.header
        cell = f"{letters(self.header.index(heading))}{row_no}" if there else ""
        return heading, cell, of_cell(rule_id, column, self.wanted, words)
