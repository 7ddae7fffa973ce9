"""Figures that contradict themselves are withheld before anyone can read them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from tthc.staging import expectations
from tthc.warehouse.connect import run_script

_CHANGED = Path(__file__).parent / "sql" / "85_changed.sql"


def withhold(connection: sa.Connection) -> list[tuple[str, int, str]]:
    """Flag the rows of `fresh` that fail the suite `figure`; returns (rule, rows, what) of each failed rule."""
    run_script(connection, _CHANGED.read_text(encoding="utf-8"))
    frame = pd.read_sql(sa.text("select * from changed"), connection)
    failed: list[tuple[str, int, str]] = []
    for failure in expectations.check(frame, "figure"):
        if failure.rows:
            failed.append((failure.rule.rule_id, len(failure.rows), f"{failure.rule.vi} / {failure.rule.en}"))
            connection.execute(
                sa.text(
                    "update fresh set flags = array_append(array_remove(fresh.flags, 'withheld'), 'withheld') "
                    "from changed where changed.row_id = any(:rows) and (fresh.calendar, fresh.kind, fresh.label, "
                    "fresh.unit_code, fresh.field_code, fresh.basis) = (changed.calendar, changed.kind, "
                    "changed.label, changed.unit_code, changed.field_code, changed.basis)"
                ),
                {"rows": failure.rows},
            )
    return failed
