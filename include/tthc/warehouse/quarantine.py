"""When a refused row leaves quarantine: a later delivery of its source tells the same dossier soundly, or the same file
came again without it. Rows are never taken out; they end, and keep by which delivery and when.

`repaired`: the dossier (by its key) is among the accepted rows of a delivery of a later night, or of the same night
received later. A row whose code could not be read is known by its place only: it is repaired when the file of that
name comes again on a later night with a sound row there. `replaced`: the same file of the same night came again, and
what is still wrong stands in quarantine under that delivery. `waived`: a reviewed correction took the row out, or let
it in though it breaks a rule; or a person refused its whole file, so that nobody has to mend its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from tthc.warehouse.late import members_of, short

# A refusal stands as of the last night on which its bytes came.
_OPEN = sa.text(
    "with said as (select distinct on (1) coalesce(same_as, delivery_id) as parsed_id, delivery_id, night, file_name "
    "from core.delivery where source_id = :source order by 1, night desc, delivery_id desc) "
    "select quarantine_id, dossier_key::text as key, sheet, row_no, quarantine.delivery_id as parsed_id, "
    "said.delivery_id, said.night, said.file_name, quarantine.delivery_id = any(:ids) as is_new "
    "from core.quarantine join said on said.parsed_id = quarantine.delivery_id where state = 'open'"
)
# Deliveries just written can repair what was refused before; what they refuse, a later night may have repaired already.
_TELLERS = sa.text(
    "select told.delivery_id, told.night, told.file_name, told.verdict, "
    "coalesce(told.members, parsed.members) as members "
    "from core.delivery as told left join core.delivery as parsed on parsed.delivery_id = told.same_as "
    "where told.source_id = :source and told.verdict in ('loaded', 'loaded_with_quarantine', 'already_known') "
    "and (told.delivery_id = any(:ids) or told.night >= cast(:since as date)) "
    "order by told.night, told.delivery_id"
)
_END = sa.text(
    "update core.quarantine set state = :state, ended_at = now(), ended_by = :by "
    "where quarantine_id = any(:rows) and state = 'open'"
)


def settle(connection: sa.Connection, source_id: str, ids: Sequence[int]) -> None:
    """End the refusals of a source that deliveries just written have repaired or replaced, in any order of arrival."""
    refused = connection.execute(_OPEN, {"source": source_id, "ids": list(ids)}).all()
    if not refused:
        return
    since = min((row.night for row in refused if row.is_new), default=None)
    tellers = connection.execute(_TELLERS, {"source": source_id, "ids": list(ids), "since": since}).all()
    by_key: dict[int, list[Any]] = defaultdict(list)
    for row in refused:
        if row.key:
            by_key[short(row.key)].append(row)
    wanted = np.array(list(by_key), dtype="u8")
    for teller in tellers:
        members = members_of(teller.members)
        sound = set(members["key"].astype("u8")[np.isin(members["key"].astype("u8"), wanted)].tolist())
        repaired = [row for key in sound for row in by_key[key] if _before(row, teller)]
        repaired += _same_place(refused, teller, members)
        end(connection, "repaired", teller.delivery_id, repaired)
        if teller.verdict != "already_known":
            same = [row for row in refused if _same_file(row, teller) and row.night == teller.night]
            end(connection, "replaced", teller.delivery_id, same)


def settle_delivery(connection: sa.Connection, delivery_id: int) -> None:
    """The same for one delivery that was judged again."""
    source_id = connection.execute(
        sa.text("select source_id from core.delivery where delivery_id = :id"), {"id": delivery_id}
    ).scalar_one()
    settle(connection, source_id, [delivery_id])


def waive_file(connection: sa.Connection, delivery_id: int) -> None:
    """End all refusals of a delivery."""
    rows = sa.text("select quarantine_id from core.quarantine where delivery_id = :id and state = 'open'")
    end(connection, "waived", delivery_id, connection.execute(rows, {"id": delivery_id}).all())


def end(connection: sa.Connection, state: str, by: int, rows: Iterable[Any]) -> None:
    """End those of these refusals that are still open."""
    ids = [row.quarantine_id for row in rows]
    if ids:
        connection.execute(_END, {"state": state, "by": by, "rows": ids})


def _before(row: Any, teller: Any) -> bool:
    return bool((row.night, row.delivery_id) < (teller.night, teller.delivery_id))


def _same_file(row: Any, teller: Any) -> bool:
    return bool(row.file_name == teller.file_name and _before(row, teller))


def _same_place(refused: Sequence[Any], teller: Any, members: Any) -> list[Any]:
    """Refusals without a key in an earlier file of this name, at whose place now stands a sound row."""
    nameless = [row for row in refused if not row.key and _same_file(row, teller)]
    if not nameless:
        return []
    there = set(members["row_no"].astype(int).tolist())
    still = {(row.sheet, row.row_no) for row in refused if row.parsed_id == teller.delivery_id}
    return [row for row in nameless if row.row_no in there and (row.sheet, row.row_no) not in still]
