"""What `tthc init` makes of an empty or older warehouse: tables by migration, reference data, the key's fingerprint."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import asdict
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tthc.domain.errors import ForeignKeyInUse, Misconfigured
from tthc.domain.period import periods_between
from tthc.domain.text import fold, sort_key
from tthc.domain.working_days import working_index
from tthc.reference.comparison import read_comparison
from tthc.reference.files import fingerprint
from tthc.reference.index_766 import read_index_bands, read_index_components
from tthc.reference.kpis import read_metrics
from tthc.reference.lists import read_calendar_overrides, read_targets
from tthc.reference.manual import read_indicators
from tthc.reference.measures import read_measures
from tthc.reference.procedures import read_procedures
from tthc.reference.reporting import read_reporting
from tthc.reference.sources import read_sources
from tthc.reference.units import check_successions, read_places, read_successions, read_units
from tthc.settings import Settings
from tthc.warehouse.connect import end_idle_readers
from tthc.warehouse.definitions import keep

_MIGRATIONS = Path(__file__).parent / "migrations"
FIRST_YEAR, LAST_YEAR = 2009, 2036  # reporting years; dates outside [2010, night + 5 years] are not plausible


def migrate(connection: sa.Connection) -> None:
    """Bring the tables to this version's form, within the caller's transaction. Raises Misconfigured when they have the
    form of a newer version."""
    connection.execute(sa.text("create schema if not exists core"))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    if _form_of(connection) != _known_forms()[0]:
        end_idle_readers(connection)  # a change of tables has to wait for whoever reads them
    command.upgrade(config, "head")


def _form_of(connection: sa.Connection) -> str | None:
    """The revision of the tables, None for an empty database. Raises Misconfigured for an unknown one."""
    found = MigrationContext.configure(connection, opts={"version_table_schema": "core"}).get_current_revision()
    newest, *_ = known = _known_forms()
    if found is not None and found not in known:
        raise Misconfigured(
            f"this warehouse has the tables of a newer version of tthc (revision {found}, this program knows up to "
            f"{newest}): use that version, or restore the backup made before its first `tthc init`"
        )
    return found


@cache
def _known_forms() -> tuple[str, ...]:
    """The revisions this program can bring tables to, the newest first."""
    return tuple(script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions())


def hmac_key(settings: Settings) -> bytes:
    """The secret under which dossier codes are hashed; an embedded installation makes its own once."""
    if settings.hmac_key:
        return settings.hmac_key.encode()
    if settings.hmac_key_file:
        try:
            return settings.hmac_key_file.read_bytes().strip()
        except OSError as error:
            raise Misconfigured(f"TTHC_HMAC_KEY_FILE cannot be read: {error.strerror}") from error
    if settings.warehouse_url:
        raise Misconfigured("TTHC_WAREHOUSE_URL is set, so TTHC_HMAC_KEY or TTHC_HMAC_KEY_FILE must be set too")
    path = settings.home / "hmac.key"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written: {error.strerror}; set TTHC_HOME to a directory of yours"
        ) from error
    return path.read_bytes().strip()


def check_key(connection: sa.Connection, key: bytes, province: str) -> None:
    """The first key and province are remembered. Raises ForeignKeyInUse or Misconfigured when others are offered, and
    Misconfigured when the tables are not of this version."""
    if _form_of(connection) != _known_forms()[0]:
        raise Misconfigured("this warehouse has the tables of an older version of tthc: run `tthc init`")
    fingerprint = hmac.digest(key, b"tthc key fingerprint", hashlib.sha256).hex()
    known = connection.execute(sa.text("select fingerprint, province from core.hmac_key where key_id = 1")).first()
    if known is None:
        connection.execute(
            sa.text("insert into core.hmac_key (key_id, fingerprint, province) values (1, :fingerprint, :province)"),
            {"fingerprint": fingerprint, "province": province},
        )
        return
    if not hmac.compare_digest(known.fingerprint, fingerprint):
        raise ForeignKeyInUse(
            "this warehouse was filled with another TTHC_HMAC_KEY; with this one every dossier would be counted twice. "
            "Set the old key, or use an empty warehouse"
        )
    if known.province != province:
        raise Misconfigured(
            f"this warehouse holds province {known.province}, but TTHC_PROVINCE is {province}; "
            "another province needs a warehouse of its own"
        )


def load_reference(connection: sa.Connection, settings: Settings) -> None:
    """Replace the reference tables when the files have changed, and remember a fingerprint of what was loaded."""
    in_force = fingerprint(settings)
    if connection.execute(sa.text("select fingerprint from ref.loaded")).scalar() == in_force:
        return
    successions = read_successions(settings)
    places = read_places(settings)
    check_successions(successions, places)
    followed = {unit.unit_code for unit in places.units if unit.level != "province"}
    tables: dict[str, list[dict[str, Any]]] = {
        "ref.unit": [
            {
                **{n: getattr(u, n) for n in ("unit_code", "level", "kind", "name", "full_name", "parent_code")},
                "province_code": settings.province if u.unit_code == settings.province else u.province_code,
                "sort_key": sort_key(u.name),
                "valid_from": u.valid_from or date.min,
                "valid_to": u.valid_to or date.max,
            }
            for u in read_units(settings)
            if u.province_code == settings.province or u.level == "province"
        ],
        "ref.unit_succession": [
            {n: getattr(s, n) for n in ("old_code", "new_code", "effective_date", "is_partial", "weight")}
            for s in successions
            if s.old_code in followed
        ],
        "ref.calendar": _calendar(settings),
        "ref.period": [
            {
                "calendar": p.calendar,
                "kind": p.kind,
                "label": p.label,
                "start_on": p.start,
                "end_on": p.end,
                "last_month": p.last_month,
            }
            for p in periods_between(FIRST_YEAR, LAST_YEAR)
        ],
        "ref.source": [
            {"source_id": s.id, "title": s.title, "priority": s.priority, "delivery": s.delivery}
            for s in read_sources(settings).values()
        ],
        "ref.target": [
            {
                **{
                    n: getattr(t, n)
                    for n in (
                        "target_id", "document", "unit_code", "level_scope", "metric_id", "profile", "field_code",
                        "comparator", "period_from", "period_to", "source_line", "indicator",
                    )
                },
                "target_value": t.value,
                "note": "; ".join(filter(None, (t.base_note, t.ambiguity_note))) or None,
            }
            for t in read_targets(settings)
        ],
        "ref.measure": [
            {
                "measure": m.id,
                **{n: getattr(m, n) for n in ("title", "kind", "additive", "profile", "recomputed")},
            }
            for m in read_measures(settings).values()
        ],
        **_reporting(settings),
        "ref.manual_indicator": [
            {"indicator": i.id, "version": i.version, "title": i.title, "levels": list(i.levels), "summed": i.summed}
            for i in read_indicators(settings).values()
        ],
        "ref.comparison": [asdict(read_comparison(settings))],
        "ref.index_component": [asdict(component) for component in read_index_components(settings)],
        "ref.index_band": [asdict(band) for band in read_index_bands(settings)],
    }  # fmt: skip
    for name, rows in tables.items():
        _replace(connection, name, rows)
    _load_procedures(connection, settings)
    connection.execute(
        sa.text(
            "insert into ref.loaded (fingerprint, registry_id) values (:fingerprint, :registry_id) "
            "on conflict (singleton) do update set fingerprint = excluded.fingerprint, "
            "registry_id = excluded.registry_id, loaded_at = now()"
        ),
        {"fingerprint": in_force, "registry_id": keep(connection, read_metrics(settings))},
    )


def _reporting(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    reporting = read_reporting(settings, read_sources(settings))
    names = ("source_id", "units", "every", "working_days")
    return {
        "ref.expected_reporter": [
            {**{n: getattr(rule, n) for n in names}, "unit_codes": list(rule.unit_codes)} for rule in reporting.expected
        ],
        "ref.coverage_floor": [{"floor": reporting.coverage_floor}],
    }


def _replace(connection: sa.Connection, name: str, rows: list[dict[str, Any]]) -> None:
    schema, table_name = name.split(".")
    columns = list(rows[0]) if rows else []
    table = sa.table(table_name, *(sa.column(column) for column in columns), schema=schema)
    connection.execute(sa.delete(table))
    if rows:
        copy_rows(connection, name, columns, (tuple(row[column] for column in columns) for row in rows))
    connection.execute(sa.text(f"analyze {name}"))  # without, a first publication is planned for empty tables


def copy_rows(connection: sa.Connection, table: str, columns: list[str], rows: Any) -> None:
    """COPY tuples into a table of ours; `table` and `columns` come from this code, never from a file."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _calendar(settings: Settings) -> list[dict[str, Any]]:
    first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
    index = working_index(first, last, read_calendar_overrides(settings))
    return [
        {"day": day, "is_working": count > index.get(day - timedelta(days=1), 0), "working_index": count}
        for day, count in index.items()
    ]


def _load_procedures(connection: sa.Connection, settings: Settings) -> None:
    """The registry replaces what it replaced before; what a catalogue feed added stays where the registry is silent."""
    connection.execute(sa.text("delete from ref.procedure where origin = 'registry'"))
    rows = [
        {
            "procedure_code": p.procedure_code,
            "procedure_name": p.procedure_name,
            "field_code": p.field_code,
            "field_name": p.field_name,
            "field_key": fold(p.field_name) if p.field_name else None,
            "service_level": p.service_level,
            "yields_result": p.yields_result,
            "max_working_days": p.max_working_days,
        }
        for p in read_procedures(settings).values()
    ]
    if rows:
        connection.execute(
            sa.text(
                "insert into ref.procedure (procedure_code, procedure_name, field_code, field_name, field_key, "
                "service_level, yields_result, max_working_days, origin) values (:procedure_code, :procedure_name, "
                ":field_code, :field_name, :field_key, :service_level, :yields_result, :max_working_days, 'registry') "
                "on conflict (procedure_code) do update set procedure_name = excluded.procedure_name, "
                "field_code = excluded.field_code, field_name = excluded.field_name, field_key = excluded.field_key, "
                "service_level = excluded.service_level, yields_result = excluded.yields_result, "
                "max_working_days = excluded.max_working_days, origin = 'registry'"
            ),
            rows,
        )
