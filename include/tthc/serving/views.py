"""What an analyst may read: the views of schema mart, each with a Vietnamese comment, and the role that reads them."""

from __future__ import annotations

import csv
from pathlib import Path

import sqlalchemy as sa
from psycopg import sql

from tthc.reference.kpis import Metric
from tthc.warehouse.connect import run_script

_MART = Path(__file__).parent / "mart"


def create_views(connection: sa.Connection, metrics: list[Metric]) -> None:
    """Rebuild schema mart from the metric registry, within the caller's transaction."""
    lines = ",\n    ".join(_line(metric) for metric in metrics)
    run_script(connection, (_MART / "views.sql").read_text(encoding="utf-8").replace("    :metrics", f"    {lines}"))
    _comment(connection)
    run_script(connection, (_MART / "grants.sql").read_text(encoding="utf-8"))


def _line(metric: Metric) -> str:
    # Counters and ids are checked by the registry: lower-case names joined by " + ", nothing else.
    numerator = _of_counters(metric.numerator)
    denominator = _of_counters(metric.denominator) if metric.denominator else "null::bigint"
    return f"('{metric.id}', '{metric.profile}', {numerator}, {denominator})"


def _of_counters(expression: str) -> str:
    return " + ".join(f"counter.{name}" for name in expression.split(" + "))


def _comment(connection: sa.Connection) -> None:
    with (_MART / "comments.csv").open(encoding="utf-8", newline="") as handle:
        comments = {row["object"]: row["comment"] for row in csv.DictReader(handle)}
    columns = connection.execute(
        sa.text("select table_name, column_name from information_schema.columns where table_schema = 'mart'")
    ).all()
    cursor = connection.connection.driver_connection
    assert cursor is not None
    for table, column in columns:
        comment = comments.get(f"{table}.{column}") or comments[f"*.{column}"]
        cursor.execute(
            sql.SQL("comment on column mart.{}.{} is {}").format(
                sql.Identifier(table), sql.Identifier(column), sql.Literal(comment)
            )
        )
    for table in sorted({table for table, _ in columns}):
        cursor.execute(
            sql.SQL("comment on view mart.{} is {}").format(sql.Identifier(table), sql.Literal(comments[table]))
        )


def set_analyst_password(connection: sa.Connection, password: str) -> None:
    """Let the analyst log in (embedded mode; elsewhere a database administrator decides)."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(sql.SQL("alter role tthc_analyst login password {}").format(sql.Literal(password)))
