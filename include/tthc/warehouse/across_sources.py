"""Whether another source tells a dossier otherwise: it counts once, by the order of sources, and that is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from tthc.staging import expectations
from tthc.warehouse import judgements

SUITE = "dossier_source"
_SQL = Path(__file__).parent / "sql" / "told_by_others.sql"
Finding = tuple[int, str, str, int, str | None]


def rules() -> list[str]:
    """The rules that are asked while rows enter, not before."""
    return sorted({rule.rule_id for rule in expectations.suite(SUITE)})


def judge(connection: sa.Connection, source_id: str, night: date, delivery_ids: Sequence[int]) -> list[Finding]:
    """What the suite says of the table `incoming` beside the current states, as findings of deliveries; call it before
    the current states are refreshed. A dossier that no other source has told is not judged."""
    others = sa.text(
        "select exists (select from core.delivery "
        "where source_id <> :source and feed = 'dossier' and rows_accepted > 0)"
    )
    if not connection.execute(others, {"source": source_id}).scalar_one():
        return []
    frame = pd.read_sql(sa.text(_SQL.read_text(encoding="utf-8")), connection, params={"source_id": source_id})
    said = expectations.check(frame, SUITE)
    judgements.note(connection, night, source_id, expectations.judgements(SUITE, said), delivery_ids[0])
    findings: list[Finding] = []
    for failure in said:
        rule, of = failure.rule, frame.loc[frame["row_id"].isin(failure.rows), "delivery_id"].value_counts()
        findings += [
            (int(str(delivery)), rule.rule_id, rule.severity, int(rows), f"{rule.vi} / {rule.en}")
            for delivery, rows in of.items()
        ]
    return findings
