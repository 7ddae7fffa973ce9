"""Staged files enter the warehouse: versions, manifest, quarantine and findings in the caller's one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import sqlalchemy as sa

from tthc.domain.errors import Misconfigured, RowsNotConserved
from tthc.domain.text import fold
from tthc.landing.store import Receipt
from tthc.reference.layouts import KEYED, SUMMARIES
from tthc.staging.staged_file import StagedFile
from tthc.staging.summary import KEY
from tthc.warehouse import across_sources, judgements, late, quarantine
from tthc.warehouse.connect import run_script

_SQL = Path(__file__).parent / "sql"

INCOMING = (
    "delivery_id", "file_name", "dossier_key", "sheet", "row_no", "unit_code", "procedure_code", "field_name",
    "field_key", "status", "channel", "service_level", "submitted_on", "received_on", "due_on", "due_at", "finished_on",
    "finished_at", "returned_on", "returned_at", "supplement_count", "supplement_requested_on",
    "supplement_requested_at", "fee_amount", "payment_method", "paid_on", "components_digitised", "result_digitised",
    "result_electronic", "data_reused",
)  # fmt: skip
_REFUSED = (
    "sheet", "row_no", "ordinal", "column_name", "cell", "rule_id", "reason", "expected", "unit_code", "dossier_key",
)  # fmt: skip
# What the manifest keeps of how a file was understood.
_UNDERSTOOD = (
    "layout_id", "feed", "verdict", "rows_read", "rows_accepted", "rows_quarantined", "rows_dropped", "rows_duplicate",
    "newest_on", "only_status",
)  # fmt: skip


def statement(name: str) -> str:
    """One SQL file of the warehouse."""
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


@dataclass(slots=True)
class Asked:
    """What the manifest says of a batch: files to be parsed; the same bytes as on an earlier night with nothing of
    them changed since; and the verdicts that stand for this night already, so that a retry repeats nothing."""

    parse: list[Receipt]
    known: list[Receipt]
    judged: list[str]


def ask_manifest(connection: sa.Connection, receipts: Sequence[Receipt]) -> Asked:
    """Ask before anything is staged, and again before it is written. A rejection stands while the reference does,
    unless it depends on the unit asked for."""
    judged = {
        row.file_sha256: row.verdict
        for row in connection.execute(
            sa.text(
                "select file_sha256, verdict from core.delivery where source_id = :source and night = :night "
                "and file_sha256 = any(:hashes) and (verdict <> 'rejected' "
                "or (reference = (select fingerprint from ref.loaded) and reason is distinct from 'WRONG_UNIT') "
                "or delivery_id in (select delivery_id from core.decision)) order by delivery_id"
            ),
            {
                "source": receipts[0].source_id,
                "night": receipts[0].night,
                "hashes": [receipt.sha256 for receipt in receipts],
            },
        )
    }
    fresh = [receipt for receipt in receipts if receipt.sha256 not in judged]
    known = late.still_true(connection, fresh)
    return Asked(
        parse=[receipt for receipt in fresh if receipt not in known],
        known=[receipt for receipt in fresh if receipt in known],
        judged=list(judged.values()),
    )


def note_known(connection: sa.Connection, receipts: Sequence[Receipt]) -> list[int]:
    """The same bytes on another night count as reported and are not parsed again; the ids of the deliveries."""
    ids: list[int] = []
    for receipt in receipts:
        terms = {
            "source": receipt.source_id,
            "sha": receipt.sha256,
            "night": receipt.night,
            "name": receipt.file_name,
        }
        ids += connection.execute(sa.text(statement("note_known")), terms).scalars()
    if ids:
        quarantine.settle(connection, receipts[0].source_id, ids)
        feeds = sa.text("select distinct feed from core.delivery where delivery_id = any(:ids)")
        if "procedure_catalogue" in connection.execute(feeds, {"ids": ids}).scalars():
            follow_catalogue(connection)
    return ids


def load(connection: sa.Connection, source_id: str, night: date, staged: Sequence[StagedFile]) -> list[int]:
    """Write staged files; returns their delivery ids. Loads what is accepted, notes what is not.

    Files that come before others of their source go in one by one: each must find in its place what the ones before
    it said, and what a file of the same load confirmed in silence is not yet known.
    """
    if late.precedes(connection, source_id, night, min((file.file_name for file in staged), default="")):
        ordered = sorted(staged, key=lambda file: file.file_name)
        return [_load_together(connection, source_id, night, [file])[0] for file in ordered]
    return _load_together(connection, source_id, night, staged)


def _load_together(connection: sa.Connection, source_id: str, night: date, staged: Sequence[StagedFile]) -> list[int]:
    ids = [_manifest(connection, source_id, night, file) for file in staged]
    note_findings(connection, [(i, *told) for i, file in zip(ids, staged, strict=True) for told in file.findings])
    note_refusals(connection, ids, staged)
    for delivery_id, file in zip(ids, staged, strict=True):
        judgements.note(connection, night, source_id, file.judgements, delivery_id)
    load_rows(connection, source_id, night, ids, staged)
    quarantine.settle(connection, source_id, ids)
    return ids


def load_rows(
    connection: sa.Connection, source_id: str, night: date, ids: Sequence[int], staged: Sequence[StagedFile]
) -> None:
    """The accepted rows of deliveries that are loaded, as of their night; those of others stay out."""
    taken = [(i, file) for i, file in zip(ids, staged, strict=True) if file.verdict.startswith("loaded")]
    _note_units(connection, ids, staged)
    dossiers = [(i, file) for i, file in taken if file.feed == "dossier" and len(file.rows)]
    if dossiers:
        _load_dossiers(connection, source_id, night, dossiers)
    for delivery_id, file in taken:
        if file.feed in SUMMARIES:
            _load_summary(connection, delivery_id, file)
        elif file.feed == "manual_input" and len(file.rows):
            _load_manual(connection, delivery_id, file)
        elif file.feed == "procedure_catalogue":
            _load_catalogue(connection, delivery_id, file)


def held(connection: sa.Connection, delivery_id: int) -> Receipt:
    """The receipt of a held delivery. Raises Misconfigured when there is none of that number."""
    row = connection.execute(
        sa.text(
            "select source_id, night, file_name, file_sha256 from core.delivery "
            "where delivery_id = :id and verdict = 'held' for update"
        ),
        {"id": delivery_id},
    ).first()
    if row is None:
        raise Misconfigured(f"delivery {delivery_id} is not held; `tthc files list --verdict held` shows which are")
    return Receipt(source_id=row.source_id, night=row.night, file_name=row.file_name, sha256=row.file_sha256)


def note_decision(connection: sa.Connection, delivery_id: int, decision: str, *, by: str, reason: str) -> None:
    """Who decided about a held delivery (`release`, `refuse`), and why."""
    connection.execute(
        sa.text(
            "insert into core.decision (delivery_id, decision, decided_by, reason) values (:id, :what, :by, :reason)"
        ),
        {"id": delivery_id, "what": decision, "by": by, "reason": reason},
    )


def refuse(connection: sa.Connection, delivery_id: int, *, by: str, reason: str) -> None:
    """A person refuses a held delivery for good, on record."""
    note_decision(connection, delivery_id, "refuse", by=by, reason=reason)
    connection.execute(
        sa.text("update core.delivery set verdict = 'rejected', detail = :reason where delivery_id = :id"),
        {"id": delivery_id, "reason": reason},
    )
    quarantine.waive_file(connection, delivery_id)


def admit(connection: sa.Connection, delivery_id: int, file: StagedFile) -> None:
    """The rows of a held delivery enter, as its file is understood now."""
    row = connection.execute(
        sa.text(statement("admit_delivery")),
        {
            "id": delivery_id,
            **{name: getattr(file, name) for name in _UNDERSTOOD},
            "shares": json.dumps(file.shares),
            "members": late.pack(file.rows) if file.feed in KEYED and len(file.rows) else None,
        },
    ).one()
    load_rows(connection, row.source_id, row.night, [delivery_id], [file])


def _manifest(connection: sa.Connection, source_id: str, night: date, file: StagedFile) -> int:
    held_back = not file.verdict.startswith("loaded")
    delivery_id: int = connection.execute(
        sa.text(statement("insert_delivery")),
        {
            "source_id": source_id,
            "night": night,
            "file_sha256": file.sha256,
            "file_name": file.file_name,
            "reason": file.reason,
            "detail": file.detail,
            **{name: getattr(file, name) for name in _UNDERSTOOD},
            "shares": json.dumps(file.shares),
            "members": late.pack(file.rows) if file.feed in KEYED and not held_back and len(file.rows) else None,
        },
    ).scalar_one()
    return delivery_id


def note_findings(connection: sa.Connection, findings: Sequence[tuple[int, str, str, int, str | None]]) -> None:
    """How often a rule spoke in a delivery: (delivery, rule, severity, rows, detail); a later word replaces it."""
    names = ("delivery_id", "rule_id", "severity", "row_count", "detail")
    if findings:
        connection.execute(
            sa.text(
                "insert into core.delivery_finding (delivery_id, rule_id, severity, row_count, detail) "
                "values (:delivery_id, :rule_id, :severity, :row_count, :detail) on conflict (delivery_id, rule_id) "
                "do update set row_count = excluded.row_count, detail = excluded.detail"
            ),
            [dict(zip(names, finding, strict=True)) for finding in findings],
        )


def note_refusals(connection: sa.Connection, ids: Sequence[int], staged: Sequence[StagedFile]) -> None:
    """Refused rows go into quarantine under their deliveries."""
    frames = [
        file.quarantined[list(_REFUSED)].assign(delivery_id=i)
        for i, file in zip(ids, staged, strict=True)
        if len(file.quarantined)
    ]
    if frames:
        _copy(connection, "core.quarantine", pd.concat(frames, ignore_index=True))


def _note_units(connection: sa.Connection, ids: Sequence[int], staged: Sequence[StagedFile]) -> None:
    units = [
        {"delivery_id": i, "unit_code": unit, "row_count": count}
        for i, file in zip(ids, staged, strict=True)
        if file.verdict.startswith("loaded")
        for unit, count in file.units.items()
    ]
    if units:
        connection.execute(
            sa.text(
                "insert into core.delivery_unit (delivery_id, unit_code, row_count) "
                "values (:delivery_id, :unit_code, :row_count) on conflict (delivery_id, unit_code) "
                "do update set row_count = delivery_unit.row_count + excluded.row_count"
            ),
            units,
        )


def _copy(connection: sa.Connection, table: str, frame: pd.DataFrame) -> None:
    """COPY a frame; empty cells of the CSV are NULL, empty texts are quoted and stay texts."""
    table_of = pa.Table.from_pandas(frame, preserve_index=False)
    for position, name in enumerate(table_of.column_names):
        if name.endswith("_on"):
            table_of = table_of.set_column(position, name, table_of.column(name).cast(pa.date32()))
    buffer = BytesIO()
    pacsv.write_csv(table_of, buffer, pacsv.WriteOptions(include_header=False))
    driver = connection.connection.driver_connection
    assert driver is not None
    columns = ", ".join(frame.columns)
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({columns}) from stdin (format csv)") as copy:
        copy.write(buffer.getbuffer())


def _load_dossiers(
    connection: sa.Connection, source_id: str, night: date, dossiers: Sequence[tuple[int, StagedFile]]
) -> None:
    frame = pd.concat(
        [file.rows.assign(delivery_id=i, file_name=file.file_name) for i, file in dossiers], ignore_index=True
    )
    keys = {name: fold(name) for name in frame["field_name"].dropna().unique()}
    frame["field_key"] = frame["field_name"].map(keys)
    run_script(connection, statement("create_incoming"))
    _copy(connection, "incoming", frame.reindex(columns=list(INCOMING)))
    counted = connection.execute(sa.text("select count(*) from incoming")).scalar_one()
    if counted != len(frame):
        raise RowsNotConserved(f"{len(frame)} rows were staged, but {counted} arrived in the warehouse")
    run_script(connection, "analyze incoming")
    parameters = {"source_id": source_id, "night": night}
    connection.execute(sa.text(statement("append_versions")), parameters)
    note_findings(connection, across_sources.judge(connection, source_id, night, [i for i, _ in dossiers]))
    late.repair(connection, source_id, night, [i for i, _ in dossiers])
    run_script(connection, "analyze touched")
    run_script(connection, statement("refresh_current"))
    run_script(connection, "drop table incoming, touched")


def _load_manual(connection: sa.Connection, delivery_id: int, file: StagedFile) -> None:
    """One row a line of the form: what a unit stated, and in which cells."""
    cells = {
        f"{part}_cell": pd.Series(
            [file.told(part, "", row_no)[1] or None for row_no in file.rows["row_no"]], index=file.rows.index
        )
        for part in ("numerator", "denominator")
    }
    rows = file.rows.drop(columns=["dossier_key", "unit_level"]).assign(delivery_id=delivery_id, **cells)
    _copy(connection, "core.manual_input", rows)


def _load_summary(connection: sa.Connection, delivery_id: int, file: StagedFile) -> None:
    """One row a cell: what the report told of a measure, under the row of the file it stands in."""
    if len(file.rows):
        cells = file.rows.melt(id_vars=list(KEY), var_name="measure", value_name="value").dropna(subset="value")
        _copy(connection, "core.reported", cells.astype({"value": "int64"}).assign(delivery_id=delivery_id))


def _load_catalogue(connection: sa.Connection, delivery_id: int, file: StagedFile) -> None:
    """One row a procedure of the list."""
    if len(file.rows):
        names = ["sheet", "row_no", "procedure_code", "procedure_name", "field_name", "field_key"]
        _copy(connection, "core.catalogue", file.rows[names].assign(delivery_id=delivery_id))
        follow_catalogue(connection)


def follow_catalogue(connection: sa.Connection) -> None:
    """Let ref.procedure tell of procedures that the registry does not know what the newest lists tell."""
    run_script(connection, statement("follow_catalogue"))
