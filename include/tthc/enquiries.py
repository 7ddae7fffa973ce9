"""What people ask of figures: what was known on a night, what is behind a figure, what became of a row."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from tthc.landing.known_name import known_name
from tthc.reference.kpis import read_metrics
from tthc.reference.manual import read_indicators
from tthc.rollups import build
from tthc.rollups import explain as lines
from tthc.rollups.explain import Explanation
from tthc.settings import Settings
from tthc.warehouse import schema
from tthc.warehouse.connect import transaction

_HASH = re.compile(r"[0-9a-f]{64}")


def figures_as_known(settings: Settings, known_on: date, label: str) -> list[dict[str, Any]]:
    """Figures of a period as they were known on an earlier night; nothing is published."""
    with transaction(settings) as connection:
        return build.figures_as_known(connection, known_on=known_on, province=settings.province, label=label)


def explain(settings: Settings, key: dict[str, str], most: int | None = None, beyond: int = 0) -> Explanation:
    """From a figure of the current publication to counts, dossiers and rows of files, `most` of them after `beyond`."""
    with transaction(settings) as connection:
        return lines.explain(
            connection, key, read_metrics(settings), read_indicators(settings), most=most, beyond=beyond
        )


def figures_of(settings: Settings, file: str, row_no: int, sheet: str | None = None) -> list[dict[str, Any]]:
    """From a row of a delivered file (its hash, or its name) to what became of it and the figures it is in now."""
    known_as = file if _HASH.fullmatch(file) else known_name(file, schema.hmac_key(settings))
    with transaction(settings) as connection:
        return lines.figures_of(connection, known_as, row_no, sheet)
