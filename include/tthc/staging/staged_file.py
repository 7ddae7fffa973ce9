"""What staging hands on: one file with its verdict, its accepted rows and its refused ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

QUARANTINE_COLUMNS = ("sheet", "row_no", "column", "rule_id", "column_name", "reason", "unit_code", "ordinal")


@dataclass(slots=True)
class StagedFile:
    """One file, ready to be loaded or refused.

    `rows`: the accepted rows, typed. `quarantined`: one row per (row, rule): sheet, row_no, column_name, rule_id,
    reason, unit_code, ordinal. `findings`: (rule, severity, rows, detail). The counts always add up.
    `rows_listed`: rows that looked like data; `rows_claimed`: what the file's total rows say that number is.
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
    header: list[str] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_dropped: int = 0
    rows_duplicate: int = 0
    rows_listed: int = 0
    rows_claimed: list[int] = field(default_factory=list)
