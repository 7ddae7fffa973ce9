"""What an analyst may read: the views of schema mart, each with a Vietnamese comment, and the role that reads them."""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from psycopg import sql

from tthc.rollups import functions
from tthc.rollups.metrics import metric_lines
from tthc.serving import rule_catalogue
from tthc.settings import Settings
from tthc.warehouse.connect import end_idle_readers, run_script
from tthc.warehouse.definitions import formulas

_MART = Path(__file__).parent / "mart"


def create_views(connection: sa.Connection) -> None:
    """Rebuild schema mart when anything of it or of the definitions has changed; readers are not disturbed else."""
    files = sorted((_MART / "views").glob("*.sql"))
    views = "\n".join(path.read_text(encoding="utf-8") for path in files)
    views = views.replace(":rules", rule_catalogue.lines()) + functions.sql()
    views = views.replace(":metrics", metric_lines(formulas(connection)))
    comments, grants = ((_MART / name).read_text(encoding="utf-8") for name in ("comments.csv", "grants.sql"))
    version = "tthc " + hashlib.sha256("".join((views, comments, grants)).encode()).hexdigest()[:16]
    built = connection.execute(sa.text("select obj_description(to_regnamespace('mart')::oid, 'pg_namespace')")).scalar()
    if built != version:
        end_idle_readers(connection)
        run_script(connection, views)
        _comment(connection, comments)
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(sql.SQL("comment on schema mart is {}").format(sql.Literal(version)))
    run_script(connection, grants)  # always: a dump brings the views back, but not the role


def _comment(connection: sa.Connection, text: str) -> None:
    comments = {row["object"]: row["comment"] for row in csv.DictReader(io.StringIO(text))}
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
    for name in functions.NAMES:
        cursor.execute(
            sql.SQL("comment on function mart.{} is {}").format(
                sql.Identifier(name), sql.Literal(comments[f"{name}()"])
            )
        )
    for table in sorted({table for table, _ in columns}):
        cursor.execute(
            sql.SQL("comment on view mart.{} is {}").format(sql.Identifier(table), sql.Literal(comments[table]))
        )


def analyst_password(settings: Settings) -> str:
    """The embedded server's password of tthc_analyst, made once."""
    path = settings.home / "analyst.password"
    with suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def set_analyst_password(connection: sa.Connection, password: str) -> None:
    """Let the analyst log in, to the warehouse only (embedded mode; elsewhere a database administrator decides)."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(sql.SQL("alter role tthc_analyst login password {}").format(sql.Literal(password)))
    run_script(connection, "revoke connect, temporary on database postgres, template1 from public")
