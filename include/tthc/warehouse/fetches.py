"""What became of every delivery a portal was asked for, and whether what came was of the unit asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from tthc.landing.store import Receipt
from tthc.sources.portal_fetch import Fetched, Known
from tthc.staging.staged_file import StagedFile

_SQL = Path(__file__).parent / "sql"
_ANOTHER = "?"  # some unit that was not asked for
_SHARED = "cổng trả cùng một tệp bị từ chối cho nhiều đơn vị / one refused file came for several units"
_DETAIL = "tệp không phải của đơn vị được hỏi / the file is not of the unit asked for"


def _statement(name: str) -> sa.TextClause:
    return sa.text((_SQL / f"{name}.sql").read_text(encoding="utf-8"))


def known(connection: sa.Connection, source_id: str, night: date) -> dict[str, Known]:
    """Unit → what was last fetched of it by that night, for conditional requests."""
    rows = connection.execute(_statement("known_fetches"), {"source": source_id, "night": night})
    return {
        row.unit_code: Known(
            sha256=row.file_sha256, file_name=row.file_name, etag=row.etag, last_modified=row.last_modified
        )
        for row in rows
    }


def of_night(connection: sa.Connection, source_id: str, night: date) -> dict[str, Receipt | None]:
    """Unit → its receipt of this night (None: the portal had nothing), of every delivery that did not fail."""
    rows = connection.execute(
        sa.text(
            "select unit_code, file_name, file_sha256 from core.fetch "
            "where source_id = :source and night = :night and outcome <> 'failed'"
        ),
        {"source": source_id, "night": night},
    )
    return {
        row.unit_code: Receipt(source_id=source_id, night=night, file_name=row.file_name, sha256=row.file_sha256)
        if row.file_sha256
        else None
        for row in rows
    }


def note(
    connection: sa.Connection, source_id: str, night: date, told: Iterable[tuple[Fetched, Receipt | None]]
) -> None:
    """Keep the last answer of each unit for this night."""
    for fetched, receipt in told:
        connection.execute(
            _statement("note_fetch"),
            {
                "source": source_id,
                "unit": fetched.unit_code,
                "night": night,
                "outcome": fetched.outcome,
                "name": fetched.file_name,
                "sha": receipt.sha256 if receipt else None,
                "etag": fetched.etag,
                "modified": fetched.last_modified,
                "reason": fetched.reason or None,
                "detail": fetched.detail or None,
            },
        )


def refuse_wrong_units(connection: sa.Connection, receipts: Sequence[Receipt], staged: Sequence[StagedFile]) -> None:
    """A file asked for commune by commune that is of other units than asked for: rejected when it has nothing of them,
    held when it has something of others as well."""
    asked = asked_for(connection, receipts)
    for file in staged:
        wanted = asked.get(file.sha256)
        units = set(file.units)
        if not wanted or not units or not file.verdict.startswith("loaded"):
            continue
        family = _family(connection, wanted)
        if units - family:
            file.verdict = "held" if units & family else "rejected"
            file.reason, file.detail = "WRONG_UNIT", _DETAIL


def note_wrong_units(connection: sa.Connection, receipts: Sequence[Receipt], staged: Sequence[StagedFile]) -> int:
    """Deliveries of this batch whose file tells nothing of the unit asked for are failed ones; how many.

    So are all those that share a refused file, such as a page of errors: it bears the name of one of them only.
    """
    if not receipts:
        return 0
    told: dict[str, set[str]] = {file.sha256: set(file.units) for file in staged}
    rows = connection.execute(
        sa.text(
            "select file_sha256, array_agg(distinct unit_code) as units from core.delivery "
            "join core.delivery_unit using (delivery_id) where source_id = :source and night = :night "
            "and file_sha256 = any(:hashes) group by 1"
        ),
        _batch(receipts),
    )
    told |= {row.file_sha256: set(row.units) for row in rows}
    told = {sha256: {_ANOTHER} for sha256 in refused_before(connection, receipts)} | told
    refused, failed = _refused(connection, receipts), 0
    for sha256, wanted in asked_for(connection, receipts).items():
        for unit in wanted:
            if told.get(sha256) and not told[sha256] & _family(connection, {unit}):
                failed += _fail(connection, receipts, unit, "PORTAL_WRONG_UNIT", _DETAIL)
            elif sha256 in refused and len(wanted) > 1:
                failed += _fail(connection, receipts, unit, "PORTAL_SHAPE", _SHARED)
    return failed


def _fail(connection: sa.Connection, receipts: Sequence[Receipt], unit: str, reason: str, detail: str) -> int:
    told = connection.execute(
        sa.text(
            "update core.fetch set outcome = 'failed', reason = :reason, detail = :detail, etag = '', "
            "last_modified = '' where source_id = :source and night = :night and unit_code = :unit"
        ),
        _batch(receipts) | {"unit": unit, "reason": reason, "detail": detail},
    )
    return told.rowcount


def _refused(connection: sa.Connection, receipts: Sequence[Receipt]) -> set[str]:
    """Hashes of this batch that have always been rejected."""
    rows = connection.execute(
        sa.text(
            "select file_sha256 from core.delivery where source_id = :source and file_sha256 = any(:hashes) "
            "group by 1 having bool_and(verdict in ('rejected', 'already_known')) and bool_or(verdict = 'rejected')"
        ),
        _batch(receipts),
    )
    return set(rows.scalars())


def refused_before(connection: sa.Connection, receipts: Sequence[Receipt]) -> Sequence[str]:
    """Hashes that were rejected for this night because nothing in them is of the units asked for."""
    rows = connection.execute(
        sa.text(
            "select file_sha256 from core.delivery where source_id = :source and night = :night "
            "and file_sha256 = any(:hashes) and verdict = 'rejected' and reason = 'WRONG_UNIT'"
        ),
        _batch(receipts),
    )
    return rows.scalars().all()


def _batch(receipts: Sequence[Receipt]) -> dict[str, object]:
    hashes = [receipt.sha256 for receipt in receipts]
    return {"source": receipts[0].source_id, "night": receipts[0].night, "hashes": hashes}


def asked_for(connection: sa.Connection, receipts: Sequence[Receipt]) -> Mapping[str, set[str]]:
    """Hash → the units for which the portal served these bytes tonight."""
    rows = connection.execute(
        sa.text(
            "select file_sha256, array_agg(unit_code) as units from core.fetch where source_id = :source "
            "and night = :night and file_sha256 = any(:hashes) and unit_code <> '*' and outcome <> 'failed' group by 1"
        ),
        _batch(receipts),
    )
    return {row.file_sha256: set(row.units) for row in rows}


def _family(connection: sa.Connection, units: set[str]) -> set[str]:
    """Units with those that went into them: a commune's export tells of its predecessors too."""
    rows = connection.execute(
        sa.text("select old_code from ref.unit_succession where new_code = any(:units)"), {"units": list(units)}
    )
    return units | set(rows.scalars())
