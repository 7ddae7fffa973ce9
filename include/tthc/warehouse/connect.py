"""How the warehouse is reached: the URL of the settings, else the embedded server of this installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tthc.domain.errors import OutsideSystemFailed, WarehouseRefused
from tthc.settings import Settings
from tthc.warehouse import server

_FIRST_INIT = 7_447_001  # advisory lock of two commands that find an empty database at once


@cache
def _engine(url: str) -> sa.Engine:
    return sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # an error text must never carry a value of a row
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 10,
            "application_name": "tthc",
            "options": "-c datestyle=ISO,DMY -c timezone=Asia/Ho_Chi_Minh -c jit=off -c work_mem=128MB",
        },
    )


def warehouse_url(settings: Settings) -> str:
    """The URL of the warehouse; starts the embedded server when no TTHC_WAREHOUSE_URL is set."""
    return settings.warehouse_url or server.start(settings.home)


@contextmanager
def transaction(settings: Settings, *, writing: bool = False) -> Iterator[sa.Connection]:
    """One transaction; `writing` waits for the one writer's place first. Raises OutsideSystemFailed.

    The message of a database error is cut before DETAIL, where PostgreSQL quotes the values of the row.
    """
    try:
        with _engine(warehouse_url(settings)).begin() as connection:
            if writing:
                _take_writers_place(connection)
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        lines = str(cause).strip().splitlines()
        words = f"{type(cause).__name__}: {lines[0] if lines else 'no words'}"
        if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
            raise OutsideSystemFailed(f"the warehouse did not answer as it should: {words}") from None
        if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
            words += "; was the warehouse never made, or made by an older version? `tthc init` makes it whole"
        raise WarehouseRefused(f"the warehouse refused a statement: {words}") from None


def _take_writers_place(connection: sa.Connection) -> None:
    """One writer at a time: loads of several sources may meet in one dossier, publications read what loads write.

    The place is a table that only its owner may lock: an advisory lock could be taken by whoever may connect.
    """
    if connection.execute(sa.text("select to_regclass('core.writer')")).scalar() is None:
        connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _FIRST_INIT})
        connection.execute(sa.text("create schema if not exists core"))
        connection.execute(sa.text("create table if not exists core.writer ()"))
    connection.execute(sa.text("lock table core.writer in exclusive mode"))


def end_idle_readers(connection: sa.Connection) -> None:
    """End sessions that hold views of schema mart in a transaction they forgot, before those views are dropped.

    Whose sessions may not be ended (a login of another role on a server of one's own) is waited for, not for ever:
    `tthc init` sets a lock_timeout.
    """
    connection.execute(
        sa.text(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() and state like 'idle in transaction%' "
            "and pg_has_role(current_user, usesysid, 'member') and exists ("
            "select from pg_locks join pg_class on pg_class.oid = pg_locks.relation "
            "where pg_locks.pid = pg_stat_activity.pid and relnamespace = to_regnamespace('mart'))"
        )
    )


def run_script(connection: sa.Connection, script: str) -> None:
    """Run SQL of ours that takes no parameters, as it stands, within the connection's transaction."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(script)
