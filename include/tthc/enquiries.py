"""What people ask of figures: what was known on a night, what is behind a figure, what became of a row."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import psycopg
import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.landing.known_name import known_name
from tthc.reference.index_766 import read_index_components
from tthc.reference.kpis import read_metrics
from tthc.reference.manual import read_indicators
from tthc.reference.measures import read_measures
from tthc.rollups import build
from tthc.rollups import explain as lines
from tthc.rollups.explain import Explanation
from tthc.rollups.published import Known
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


def what_is_known(settings: Settings) -> Known:
    """What a figure may be called."""
    return Known(
        metrics=read_metrics(settings),
        indicators=read_indicators(settings),
        measures=read_measures(settings),
        components=read_index_components(settings),
    )


def explain(
    settings: Settings,
    key: dict[str, str],
    most: int | None = None,
    beyond: int = 0,
    *,
    publication: int | None = None,
    submitted: int | None = None,
) -> Explanation:
    """From a figure of the current publication, of another, or of a version handed in (0: the newest) to counts,
    dossiers and rows of files, `most` of them after `beyond`."""
    known = what_is_known(settings)
    with transaction(settings) as connection:
        return lines.explain(
            connection, key, known, most=most, beyond=beyond, publication=publication, submitted=submitted
        )


def figures_of(settings: Settings, file: str, row_no: int, sheet: str | None = None) -> list[dict[str, Any]]:
    """From a row of a delivered file (its hash, or its name) to what became of it and the figures it is in now."""
    known_as = file if _HASH.fullmatch(file) else known_name(file, schema.hmac_key(settings))
    with transaction(settings) as connection:
        return lines.figures_of(connection, known_as, row_no, sheet)


def history_of(settings: Settings, dossier: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """From the key of a dossier to the rows that told it, the newest first, and to the figures it is in now."""
    with transaction(settings) as connection:
        told = lines.history_of(connection, dossier)
        (counted,) = (row for row in told if row["outcome"] == "counted")
        return told, lines.figures_of(connection, counted["file_sha256"], counted["row_no"], counted["sheet"])
