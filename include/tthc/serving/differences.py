"""Where summary reports and dossiers, or the province's systems and the national portal, do not tell the same."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from tthc.serving.figures import Period, statement


def differing_cells(connection: sa.Connection, period: Period, unit_code: str | None = None) -> Sequence[sa.RowMapping]:
    """Rows of `mart.reported_difference`, the largest difference first; always by the unit that the report names."""
    key = {"period": period.label, "calendar": period.calendar, "unit": unit_code}
    return connection.execute(statement("differences"), key).mappings().all()


def compared_reports(connection: sa.Connection, period: Period) -> Sequence[sa.RowMapping]:
    """Report (layout) → how many cells it has, how many were compared, how many differ."""
    key = {"period": period.label, "calendar": period.calendar}
    return connection.execute(statement("compared"), key).mappings().all()


def differing_forms(connection: sa.Connection, period: Period) -> Sequence[sa.RowMapping]:
    """Cells that reports of both sides tell differently: rows of `mart.source_report_difference`, the largest first."""
    key = {"period": period.label, "calendar": period.calendar, "unit": None}
    return connection.execute(statement("source_report_differences"), key).mappings().all()


def differing_sources(connection: sa.Connection, period: Period) -> Sequence[sa.RowMapping]:
    """Rows of `mart.source_difference` of all fields together in which the two sides differ: the province, then units,
    the most first."""
    key = {"period": period.label, "calendar": period.calendar, "unit": None, "fields": False}
    return connection.execute(statement("source_differences"), key).mappings().all()
