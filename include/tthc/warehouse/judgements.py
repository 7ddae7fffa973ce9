"""What the rules said of a batch of files or of a night's figures is kept, also where they met nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import sqlalchemy as sa

from tthc.staging.expectations import Judgement

FIGURES, REPORTS = "figures", "reports"  # stand for a source where figures, or reports beside each other, were judged


def note(
    connection: sa.Connection,
    night: date,
    source_id: str,
    judgements: Sequence[Judgement],
    delivery_id: int | None = None,
) -> None:
    """Add the judgements on a batch, known by the delivery of its first file."""
    rows = [{**asdict(one), "night": night, "source": source_id, "delivery": delivery_id} for one in judgements]
    if rows:
        connection.execute(
            sa.text(
                "insert into core.judgement (night, source_id, delivery_id, suite, position, rule_id, rows_judged, "
                "rows_failed) values (:night, :source, :delivery, :suite, :position, :rule_id, :rows_judged, "
                ":rows_failed)"
            ),
            rows,
        )


def note_newest(connection: sa.Connection, night: date, stands_for: str, judgements: Sequence[Judgement]) -> None:
    """Judgements of a publication: the newest one of a night speaks for the night. `stands_for`: FIGURES or REPORTS."""
    connection.execute(
        sa.text("delete from core.judgement where night = :night and source_id = :source"),
        {"night": night, "source": stands_for},
    )
    note(connection, night, stands_for, judgements)
