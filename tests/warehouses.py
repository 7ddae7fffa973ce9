"""A fresh warehouse for whoever asks: one embedded server a test session, one database a warehouse, copied from a template.

`Warehouse.load` runs the real pipeline of `tthc load`. Four things are kept between loads because making them anew
takes seconds and decides nothing: the reader processes, the parsed `units.csv`, the answers of suites to rows they have
judged before (`remembered.py`), and the migration (done by `fresh`).
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa

from remembered import once, remember_answers
from tthc import pipeline
from tthc.pipeline import Outcome
from tthc.reference.units import read_places, read_successions, read_units
from tthc.settings import Settings
from tthc.settings import settings as read_settings
from tthc.staging.reader_process import ReaderPool
from tthc.warehouse import connect, reference_tables, server

KEY = "synthetic key of the tests, 32 bytes or so"
_TEMPLATE = "template_tthc"
_places, _units, _successions = once(read_places), once(read_units), once(read_successions)

Files = Mapping[str, bytes]  # "mot_cua_csv/a.csv" → content


@contextmanager
def units_read_once() -> Iterator[None]:
    """Within, units that were parsed before are loaded from memory."""
    with (
        mock.patch.object(reference_tables, "read_places", _places),
        mock.patch.object(reference_tables, "read_units", _units),
        mock.patch.object(reference_tables, "read_successions", _successions),
    ):
        yield


@dataclass(slots=True)
class Warehouse:
    """One database with a home of its own; `query` reads it as its owner."""

    settings: Settings
    readers: ReaderPool
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        assert self.settings.warehouse_url is not None
        return self.settings.warehouse_url

    def environment(self) -> dict[str, str]:
        """The TTHC_* variables under which the command `tthc` reaches this warehouse."""
        overlay = self.settings.reference_overlay
        return {
            "TTHC_HOME": str(self.settings.home),
            "TTHC_WAREHOUSE_URL": self.url,
            "TTHC_HMAC_KEY": KEY,
            **({"TTHC_REFERENCE": str(overlay)} if overlay else {}),
        }

    def drop(self, files: Files) -> Path:
        """A drop folder holding these files."""
        folder = Path(tempfile.mkdtemp(prefix="drop-", dir=self.settings.home))
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def load(self, night: date, files: Files) -> Outcome:
        """What `tthc load --drop … --as-of night` does with these files."""
        with self.kept(), mock.patch.object(pipeline, "init"):
            return pipeline.run(self.settings, self.drop(files), night, self.said.append)

    def load_only(self, night: date, files: Files) -> Outcome:
        """The same without publishing."""
        total = Outcome()
        with self.kept():
            receipts, _ = pipeline.receive(self.settings, self.drop(files), night)
            for batch in pipeline.batches(self.settings, receipts):
                total.add_all(pipeline.load(self.settings, batch, self.readers))
        return total

    def publish(self) -> int | None:
        with self.kept():
            return pipeline.publish(self.settings)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Use the session's reader processes and the units already parsed."""
        with (
            mock.patch.object(pipeline, "ReaderPool", lambda *_: nullcontext(self.readers)),
            mock.patch.object(pipeline, "read_places", _places),
        ):
            yield

    def query(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        with connect.transaction(self.settings) as connection:
            return [dict(row) for row in connection.execute(sa.text(statement), parameters).mappings()]

    def rows(self, statement: str) -> list[Any]:
        """The same as tuples, for many rows."""
        with connect.transaction(self.settings) as connection:
            return list(connection.execute(sa.text(statement)))

    def value(self, statement: str, **parameters: Any) -> Any:
        ((only,),) = [tuple(row.values()) for row in self.query(statement, **parameters)]
        return only

    def figure(
        self,
        metric: str,
        *,
        unit: str,
        period: str,
        calendar: str = "VPCP_15_14",
        profile: str = "*",
        basis: str = "as_reported",
        field_code: str = "*",
    ) -> tuple[int | None, int | None] | None:
        """(numerator, denominator) of one row of mart.kpi, None where there is no row."""
        rows = self.query(
            "select numerator, denominator from mart.kpi where metric_id = :metric and unit_code = :unit "
            "and period_label = :period and period_calendar = :calendar and profile = :profile and basis = :basis "
            "and field_code = :field",
            metric=metric,
            unit=unit,
            period=period,
            calendar=calendar,
            profile=profile,
            basis=basis,
            field=field_code,
        )
        assert len(rows) < 2, rows
        return (rows[0]["numerator"], rows[0]["denominator"]) if rows else None

    def quarantine(self) -> set[tuple[str, int, str]]:
        """(file, row, rule) of every refusal."""
        rows = self.query(
            "select file_name, row_no, rule_id from core.quarantine join core.delivery using (delivery_id)"
        )
        return {(row["file_name"], row["row_no"], row["rule_id"]) for row in rows}

    def files(self) -> dict[str, dict[str, Any]]:
        """File name → its own row of mart.data_quality, of the newest night."""
        rows = self.query("select * from mart.data_quality where rule_id is null order by night")
        return {row["file_name"]: row for row in rows}

    def empty(self) -> None:
        """Take everything out again but the reference data."""
        tables = self.query(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables "
            "where schemaname in ('core', 'rollup', 'alerts') and tablename not like 'alembic%'"
        )
        names = ", ".join(row["name"] for row in tables)
        with connect.transaction(self.settings) as connection:
            # The guards of what is append-only are triggers; they rest for this one transaction.
            connection.execute(sa.text("set local session_replication_role = replica"))
            connection.execute(sa.text(f"truncate {names} restart identity cascade"))
            connection.execute(sa.text("delete from ref.procedure where origin = 'catalogue'"))


class Warehouses:
    """The session's server: makes warehouses and throws them away."""

    def __init__(self, answers: Path) -> None:
        remember_answers(answers)
        self.home = Path(tempfile.mkdtemp(prefix="tthc-tests-"))
        self.home.chmod(0o755)  # the server runs under another account when the tests run as root
        self.url = server.start(self.home)
        self.readers = ReaderPool()
        self._numbers = itertools.count(1)
        with self.admin() as connection:
            # Only clients are killed here; what the disk does is the business of test_server.
            connection.execute(sa.text("alter system set fsync = off"))
            connection.execute(sa.text("alter system set synchronous_commit = off"))
            connection.execute(sa.text("select pg_reload_conf()"))
            connection.execute(sa.text(f"create database {_TEMPLATE}"))
        template = self._settings(_TEMPLATE)
        pipeline.init(template)
        connect._engine(self._url(_TEMPLATE)).dispose()

    def _url(self, database: str) -> str:
        return sa.make_url(self.url).set(database=database).render_as_string(hide_password=False)

    def _settings(self, database: str, overlay: Path | None = None) -> Settings:
        home = self.home / database
        home.mkdir(exist_ok=True)
        variables = {"TTHC_HOME": str(home), "TTHC_WAREHOUSE_URL": self._url(database), "TTHC_HMAC_KEY": KEY}
        others = {name: value for name, value in os.environ.items() if not name.startswith("TTHC_")}
        if overlay is not None:
            variables["TTHC_REFERENCE"] = str(overlay)
        with mock.patch.dict(os.environ, {**others, **variables}, clear=True):
            return read_settings()

    @contextmanager
    def admin(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            yield connection

    @contextmanager
    def bare(self, overlay: Path | None = None) -> Iterator[Warehouse]:
        """A database in which nothing was ever made."""
        with self._database("template1") as database:
            yield Warehouse(self._settings(database, overlay), self.readers)

    @contextmanager
    def fresh(self, overlay: Path | None = None) -> Iterator[Warehouse]:
        """An empty warehouse of province 42, with `overlay` as TTHC_REFERENCE if given."""
        with self._database(_TEMPLATE) as database:
            settings = self._settings(database, overlay)
            if overlay is not None:
                with units_read_once():
                    pipeline.init(settings)
            yield Warehouse(settings, self.readers)

    @contextmanager
    def _database(self, template: str) -> Iterator[str]:
        database = f"w{next(self._numbers)}"
        with self.admin() as connection:
            connection.execute(sa.text(f"create database {database} template {template}"))
        try:
            yield database
        finally:
            connect._engine(self._url(database)).dispose()
            with self.admin() as connection:
                connection.execute(sa.text(f"drop database {database} with (force)"))
            shutil.rmtree(self.home / database, ignore_errors=True)

    def close(self) -> None:
        self.readers.__exit__(None, None, None)
        server.stop(self.home)
        shutil.rmtree(self.home, ignore_errors=True)
