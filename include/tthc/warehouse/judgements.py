"""What the rules said of a batch of files or of a night's figures is kept, also where they met nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import sqlalchemy as sa

from tthc.staging.expectations import Judgement

FIGURES = "figures"  # stands for a source where figures were judged


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


def note_figures(connection: sa.Connection, night: date, judgements: Sequence[Judgement]) -> None:
    """The newest publication of a night speaks for the night."""
    connection.execute(
        sa.text("delete from core.judgement where night = :night and source_id = :source"),
        {"night": night, "source": FIGURES},
    )
    note(connection, night, FIGURES, judgements)
