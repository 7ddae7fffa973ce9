"""What people ask of figures: what was known on a night, what is behind a figure, what became of a row."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import psycopg
import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.landing.known_name import known_name
from tthc.reference.kpis import read_metrics
from tthc.reference.manual import read_indicators
from tthc.rollups import build
from tthc.rollups import explain as lines
from tthc.rollups.explain import Explanation
from tthc.settings import Settings
from tthc.warehouse import schema
from tthc.warehouse.connect import transaction

_TO_DATE = sa.text("select * from mart.kpi_to_date(:unit, :label, cast(:until as date), :calendar, :basis, :field)")
_HASH = re.compile(r"[0-9a-f]{64}")


def figures_as_known(settings: Settings, known_on: date, label: str) -> list[dict[str, Any]]:
    """Figures of a period as they were known on an earlier night; nothing is published."""
    with transaction(settings) as connection:
        return build.figures_as_known(connection, known_on=known_on, province=settings.province, label=label)


def figures_to_date(
    settings: Settings, unit: str, label: str, until: date | None, calendar: str, basis: str, field: str
) -> list[dict[str, Any]]:
    """A unit's figures of a period up to a day, beside the same days of the period before and of last year: rows of
    mart.kpi_to_date. Raises Misconfigured for what the function refuses."""
    key = {"unit": unit, "label": label, "until": until, "calendar": calendar, "basis": basis, "field": field}
    with transaction(settings) as connection:
        try:
            return [dict(row) for row in connection.execute(_TO_DATE, key).mappings()]
        except sa.exc.DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.InvalidParameterValue):
                raise
            raise Misconfigured(str(error.orig.diag.message_primary)) from None  # a sentence for whoever asked


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
