"""What `tthc init` makes of an empty or older warehouse: tables by migration, the key's fingerprint."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tthc.domain.errors import ForeignKeyInUse, Misconfigured
from tthc.settings import Settings
from tthc.warehouse.connect import end_idle_readers

_MIGRATIONS = Path(__file__).parent / "migrations"


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
