"""The past of a source's files as the manifest tells it: what earlier nights delivered that is in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from tthc.staging.history import DAYS_BACK, History, Past
from tthc.staging.shares import RULE_OF

_SQL = Path(__file__).parent / "sql" / "history.sql"


def read(connection: sa.Connection, source_id: str, night: date, overrides: Mapping[date, bool]) -> History:
    """Lists of dossiers of the nights before, at most DAYS_BACK days back; what came late counts for its own night."""
    rows = connection.execute(
        sa.text(_SQL.read_text(encoding="utf-8")),
        {"source": source_id, "night": night, "days": DAYS_BACK, "of_shares": list(RULE_OF.values())},
    )
    return History(night, [Past(**row) for row in rows.mappings()], overrides)
