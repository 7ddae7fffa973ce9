"""Files that come out of order: old bytes again, and a night that arrives after later nights were loaded.

Versions are kept only where a dossier changed, so a delivery also remembers what it contained (`delivery.members`:
for each row 8 bytes of the dossier key and 4 of the row number). With that, any order of arrival ends in the same
states: what a later delivery confirmed at the time is written out when an older file turns out to have said otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from tthc.landing.store import Receipt
from tthc.staging.expectations import rules_of_the_night

_MEMBER = np.dtype([("key", ">u8"), ("row_no", ">i4")])


def pack(rows: pd.DataFrame) -> bytes:
    """What a delivery contains, sorted by key."""
    members = np.empty(len(rows), _MEMBER)
    members["key"] = _short(rows["dossier_key"])
    members["row_no"] = rows["row_no"].to_numpy()
    return np.sort(members, order="key").tobytes()


def merge(packed: bytes | None, rows: pd.DataFrame) -> bytes:
    """What a delivery contains once more of its rows have entered."""
    return np.sort(np.concatenate([members_of(packed), members_of(pack(rows))]), order="key").tobytes()


def members_of(packed: bytes | None) -> Any:
    """What `pack` packed: an array of (key, row_no), sorted by key."""
    return np.frombuffer(packed or b"", _MEMBER)


def short(key: str) -> int:
    """The 8 bytes by which a delivery remembers a dossier key."""
    return int(key[:8] + key[9:13] + key[14:18], 16)


def _short(keys: pd.Series) -> Any:
    return np.array([short(key) for key in keys], dtype="u8")


def still_true(connection: sa.Connection, receipts: Sequence[Receipt]) -> set[Receipt]:
    """Those of one source and night whose bytes were loaded on an earlier night, with nothing
    in them changed since and no refused row that must be judged again."""
    if not receipts:
        return set()
    source_id, night = receipts[0].source_id, receipts[0].night
    before = {
        row.file_sha256: row
        for row in connection.execute(
            sa.text(
                "select distinct on (file_sha256) file_sha256, delivery_id, night, file_name, feed, members, "
                "exists (select from core.quarantine where quarantine.delivery_id = delivery.delivery_id "
                "and (rule_id = any(:of_the_night) or state = 'repaired' and ended_by <> quarantine.delivery_id)) "
                "as waits from core.delivery "
                "where source_id = :source and file_sha256 = any(:hashes) and night < :night "
                "and verdict in ('loaded', 'loaded_with_quarantine') "
                "and rows_read > rows_dropped order by file_sha256, night desc"  # empty lists are all alike
            ),
            {
                "source": source_id,
                "hashes": [receipt.sha256 for receipt in receipts],
                "night": night,
                "of_the_night": sorted(rules_of_the_night()),
            },
        )
    }
    if not before:
        return set()
    changes = connection.execute(
        sa.text(
            "select dossier_key::text as key, night, file_name, delivery_id from core.dossier_version "
            "where changed and source_id = :source and night between :after and :night"
        ),
        {"source": source_id, "after": min(row.night for row in before.values()), "night": night},
    ).all()
    keys = _short(pd.Series([change.key for change in changes], dtype=object))
    orders = [(change.night, change.file_name, change.delivery_id) for change in changes]
    known = set()
    for receipt in receipts:
        row = before.get(receipt.sha256)
        if row is None or row.waits:
            continue  # a row ahead of its night may be possible by now; one repaired since is said wrongly again
        if row.feed == "dossier":
            later = np.array([order > (row.night, row.file_name, row.delivery_id) for order in orders], dtype=bool)
            members = np.frombuffer(row.members or b"", _MEMBER)["key"].astype("u8")
            moved = bool(np.isin(keys[later], members).any())
        else:
            moved = _renewed(connection, receipt, row.night)
        if not moved:
            known.add(receipt)
    return known


def _renewed(connection: sa.Connection, receipt: Receipt, after: date) -> bool:
    """Whether another file of the same name or unit came in between (forms and lists: the file is the statement)."""
    statement = sa.text(
        "select 1 from core.delivery where source_id = :source and night > :after and night <= :night "
        "and file_sha256 <> :sha and (file_name = :name or exists (select from core.delivery_unit as theirs "
        "join core.delivery_unit as ours using (unit_code) join core.delivery as before on before.delivery_id = "
        "ours.delivery_id where theirs.delivery_id = delivery.delivery_id and before.source_id = :source "
        "and before.file_sha256 = :sha)) limit 1"
    )
    parameters = {
        "source": receipt.source_id,
        "after": after,
        "night": receipt.night,
        "sha": receipt.sha256,
        "name": receipt.file_name,
    }
    return connection.execute(statement, parameters).first() is not None


def precedes(connection: sa.Connection, source_id: str, night: date, file_name: str) -> bool:
    """Whether deliveries of the source that come later in the order of truth than this file are there already."""
    statement = sa.text(
        "select exists (select from core.delivery where source_id = :source and feed = 'dossier' "
        "and (night, file_name) > (:night, :name))"
    )
    found: bool = connection.execute(statement, {"source": source_id, "night": night, "name": file_name}).scalar_one()
    return found


def repair(connection: sa.Connection, source_id: str, night: date, delivery_ids: Sequence[int]) -> None:
    """Where deliveries just written precede loaded ones, restate what the later ones confirmed; note all dossiers
    touched in the temporary table `touched`."""
    connection.execute(
        sa.text(
            "create temporary table touched on commit drop as "
            "select distinct dossier_key from core.dossier_version where false"
        )
    )
    connection.execute(
        sa.text(
            "insert into touched select distinct dossier_key from core.dossier_version where delivery_id = any(:ids)"
        ),
        {"ids": list(delivery_ids)},
    )
    # What was the first word about a dossier until now has become a change of it: say it again as one.
    connection.execute(sa.text(_SAY_AGAIN), {"ids": list(delivery_ids)})
    written = connection.execute(
        sa.text("select delivery_id, file_name from core.delivery where delivery_id = any(:ids) order by file_name"),
        {"ids": list(delivery_ids)},
    ).all()
    first = min((row.file_name, row.delivery_id) for row in written)
    later = connection.execute(
        sa.text(
            "select d.delivery_id, d.night, d.file_name, coalesce(d.members, parsed.members) as members "
            "from core.delivery d left join core.delivery parsed on parsed.delivery_id = d.same_as "
            "where d.source_id = :source and (d.night, d.file_name, d.delivery_id) > (:night, :name, :id) "
            "and d.delivery_id <> all(:ids) and coalesce(d.members, parsed.members) is not null "
            "order by d.night, d.file_name, d.delivery_id"
        ),
        {"source": source_id, "night": night, "name": first[0], "id": first[1], "ids": list(delivery_ids)},
    ).all()
    if later:
        _restate(connection, source_id, night, delivery_ids, later)


def _restate(
    connection: sa.Connection, source_id: str, night: date, delivery_ids: Sequence[int], later: Sequence[Any]
) -> None:
    """Each version just written that has a predecessor ends at the next delivery that contained its dossier: if that
    delivery has no version of its own it had confirmed the predecessor, which is therefore written out for it."""
    rows = connection.execute(
        sa.text(
            "select v.dossier_key::text as key, v.night, v.file_name, v.delivery_id, before.version_id as before_id, "
            "after.night as next_night, after.file_name as next_name, after.delivery_id as next_id "
            "from core.dossier_version v "
            "cross join lateral (select version_id from core.dossier_version b where b.dossier_key = v.dossier_key "
            "and b.source_id = v.source_id and (b.night, b.file_name, b.delivery_id, b.row_no) "
            "< (v.night, v.file_name, v.delivery_id, v.row_no) "
            "order by b.night desc, b.file_name desc, b.delivery_id desc, b.row_no desc limit 1) before "
            "left join lateral (select night, file_name, delivery_id from core.dossier_version a "
            "where a.dossier_key = v.dossier_key and a.source_id = v.source_id "
            "and (a.night, a.file_name, a.delivery_id, a.row_no) > (v.night, v.file_name, v.delivery_id, v.row_no) "
            "order by a.night, a.file_name, a.delivery_id, a.row_no limit 1) after on true "
            "where v.delivery_id = any(:ids)"
        ),
        {"ids": list(delivery_ids)},
    ).all()
    if not rows:
        return
    short = _short(pd.Series([row.key for row in rows], dtype=object))
    waiting: dict[int, list[Any]] = defaultdict(list)
    for key, row in zip(short, rows, strict=True):
        waiting[int(key)].append(row)
    copies = []
    for delivery in later:
        order = (delivery.night, delivery.file_name, delivery.delivery_id)
        members = np.frombuffer(delivery.members, _MEMBER)
        for member in members[np.isin(members["key"].astype("u8"), np.array(list(waiting), dtype="u8"))]:
            pending = waiting[int(member["key"])]
            for row in list(pending):
                if (row.night, row.file_name, row.delivery_id) >= order:
                    continue
                pending.remove(row)
                if row.next_id is None or order < (row.next_night, row.next_name, row.next_id):
                    copies.append((row.before_id, delivery, int(member["row_no"])))
    for before_id, delivery, row_no in copies:
        connection.execute(
            sa.text(_COPY_STATE),
            {
                "before": before_id,
                "id": delivery.delivery_id,
                "night": delivery.night,
                "name": delivery.file_name,
                "row": row_no,
            },
        )


_STATE = (
    "content, unit_code, procedure_code, field_name, field_key, status, channel, service_level, submitted_on, "
    "received_on, due_on, due_at, finished_on, finished_at, returned_on, returned_at, supplement_count, "
    "supplement_requested_on, supplement_requested_at, fee_amount, payment_method, paid_on, components_digitised, "
    "result_digitised, result_electronic, data_reused"
)
_COLUMNS = f"dossier_key, source_id, sheet, delivery_id, night, file_name, row_no, changed, {_STATE}"
_COPY_STATE = (
    f"insert into core.dossier_version ({_COLUMNS}) "  # noqa: S608  (columns from this code)
    f"select dossier_key, source_id, sheet, :id, :night, :name, :row, true, {_STATE} "
    "from core.dossier_version where version_id = :before"
)
_SAY_AGAIN = (
    f"insert into core.dossier_version ({_COLUMNS}) "  # noqa: S608  (columns from this code)
    f"select dossier_key, source_id, sheet, delivery_id, night, file_name, row_no, true, {_STATE} "
    "from core.dossier_version as after where not after.changed and not after.delivery_id = any(:ids) "
    "and exists (select from core.dossier_version as late where late.delivery_id = any(:ids) "
    "and late.dossier_key = after.dossier_key and late.source_id = after.source_id "
    "and (late.night, late.file_name, late.delivery_id) < (after.night, after.file_name, after.delivery_id)) "
    "and not exists (select from core.dossier_version as again where again.changed "
    "and again.dossier_key = after.dossier_key and again.delivery_id = after.delivery_id)"
)
