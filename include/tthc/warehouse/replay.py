"""What waits in quarantine is judged again by changed rules, reference data or layouts, from the bytes in landing.

Only rows that were refused can change: they enter as what their file said on its own night, or they stay, or a reviewed
correction takes them out or waives the rule they break. Rows accepted before stay as they are; nothing is written where
nothing changed, so a second replay is none. A held file is judged again whole, by a replay or by a person's release.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.landing.store import Receipt
from tthc.reference.layouts import KEYED
from tthc.staging.staged_file import StagedFile
from tthc.warehouse import across_sources, judgements, late, load, quarantine

Place = tuple[str, int]  # sheet, row number


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery of which something is not in the figures: refused rows, or the whole file (`held`, `rejected`).

    `reason`: why the whole file is not.
    """

    delivery_id: int
    verdict: str
    reason: str | None
    receipt: Receipt


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay changed: rows that entered, rows that a correction took out or excused, files that entered as a
    whole; and files whose bytes the landing store has lost or changed, by source, night and name."""

    files: int = 0
    rows_repaired: int = 0
    rows_waived: int = 0
    files_entered: int = 0
    files_gone: list[str] = field(default_factory=list)


def waiting(connection: sa.Connection, source_id: str | None, night: date | None) -> list[Waiting]:
    """Deliveries to judge again, in their order; a file that a person has refused is not among them.

    A file that was rejected stands by its last judgement: what came in since does not wait.
    """
    rows = connection.execute(
        sa.text(
            "select delivery_id, verdict, reason, source_id, night, file_name, file_sha256 from core.delivery "
            "where (cast(:source as text) is null or source_id = :source) "
            "and (cast(:night as date) is null or night = :night) "
            "and (verdict in ('held', 'rejected') or exists (select from core.quarantine "
            "where quarantine.delivery_id = delivery.delivery_id and state = 'open')) "
            "and not exists (select from core.decision where decision.delivery_id = delivery.delivery_id "
            "and decision.decision = 'refuse') and (verdict <> 'rejected' or not exists ("
            "select from core.delivery as again where again.source_id = delivery.source_id "
            "and again.night = delivery.night and again.file_sha256 = delivery.file_sha256 "
            "and again.delivery_id > delivery.delivery_id)) order by source_id, night, file_name, delivery_id"
        ),
        {"source": source_id, "night": night},
    )
    return [
        Waiting(
            delivery_id=row.delivery_id,
            verdict=row.verdict,
            reason=row.reason,
            receipt=Receipt(source_id=row.source_id, night=row.night, file_name=row.file_name, sha256=row.file_sha256),
        )
        for row in rows
    ]


def enter(connection: sa.Connection, delivery_id: int, file: StagedFile, done: Replayed) -> None:
    """Write what another judgement of a delivery changes, and add it up in `done`."""
    verdict = _verdict(connection, delivery_id)
    if file.rows_read == 0 or (verdict == "held" and not file.verdict.startswith("loaded")):
        return  # unreadable by today's layouts, or still to be decided by a person
    changed = _judge_again(connection, delivery_id, file, done, whole=verdict == "held")
    if changed:
        connection.execute(
            sa.text(
                "insert into core.replay (delivery_id, reference, rows_entered, rows_waived) "
                "values (:id, (select fingerprint from ref.loaded), :entered, :waived)"
            ),
            {"id": delivery_id, "entered": changed[0], "waived": changed[1]},
        )


def release(connection: sa.Connection, delivery_id: int, file: StagedFile, *, by: str, reason: str) -> None:
    """A person lets a held delivery in, on record: what its file says by today's rules and lists (`file`) enters.

    Raises Misconfigured when that file cannot be read any more.
    """
    if not file.verdict.startswith("loaded"):
        raise Misconfigured(
            f"delivery {delivery_id} cannot be read any more: {file.reason}; refuse it, or mend its layout"
        )
    load.note_decision(connection, delivery_id, "release", by=by, reason=reason)
    judged_by = connection.execute(
        sa.text(
            "select source_id, night, reference is distinct from (select fingerprint from ref.loaded) as is_old "
            "from core.delivery where delivery_id = :id"
        ),
        {"id": delivery_id},
    ).one()
    if judged_by.is_old:  # else the same rules have said the same of these rows when they came
        judgements.note(connection, judged_by.night, judged_by.source_id, file.judgements, delivery_id)
    _judge_again(connection, delivery_id, file, Replayed(), whole=True)


def _verdict(connection: sa.Connection, delivery_id: int) -> str:
    found: str = connection.execute(
        sa.text("select verdict from core.delivery where delivery_id = :id for update"), {"id": delivery_id}
    ).scalar_one()
    return found


def _judge_again(
    connection: sa.Connection, delivery_id: int, file: StagedFile, done: Replayed, *, whole: bool
) -> tuple[int, int] | None:
    """Rows leave quarantine, stay, or are refused otherwise; of a `whole` file all rows enter that are not refused.

    Returns how many refused rows entered and how many a correction took out; None when nothing has changed.
    """
    refused = _open(connection, delivery_id)
    places = pd.Series(
        list(zip(file.rows["sheet"], file.rows["row_no"], strict=True)) if len(file.rows) else [], dtype=object
    )
    sound = refused.keys() & set(places)
    still = _rules(file.quarantined)
    gone = refused.keys() - sound - still.keys()
    excused = sound & file.waived
    changed = {place for place in refused.keys() & still.keys() if _told(refused[place]) != still[place]}
    if not (sound or gone or changed or whole):
        return None
    for state, ended in (("repaired", sound - excused), ("waived", gone | excused), ("replaced", changed)):
        quarantine.end(connection, state, delivery_id, [row for place in ended for row in refused[place]])
    if whole:
        changed |= still.keys() - _ever(connection, delivery_id)
    anew = [place in changed for place in zip(file.quarantined["sheet"], file.quarantined["row_no"], strict=True)]
    load.note_refusals(connection, [delivery_id], [replace(file, quarantined=file.quarantined[anew])])
    if whole:
        load.admit(connection, delivery_id, file)
        done.files_entered += 1
    else:
        _add(connection, delivery_id, replace(file, rows=file.rows[places.isin(sound)], verdict="loaded"), len(gone))
    _count_again(connection, delivery_id, file)
    quarantine.settle_delivery(connection, delivery_id)
    done.rows_repaired += len(sound - excused)
    done.rows_waived += len(gone | excused)
    return len(sound), len(gone)


def _open(connection: sa.Connection, delivery_id: int) -> dict[Place, list[Any]]:
    found: dict[Place, list[Any]] = defaultdict(list)
    for row in connection.execute(
        sa.text(
            "select quarantine_id, sheet, row_no, rule_id, column_name, reason from core.quarantine "
            "where delivery_id = :id and state = 'open'"
        ),
        {"id": delivery_id},
    ):
        found[row.sheet, row.row_no].append(row)
    return found


def _ever(connection: sa.Connection, delivery_id: int) -> set[Place]:
    """Places of a delivery that stand in quarantine, or stood there until another delivery repaired them."""
    rows = connection.execute(
        sa.text(
            "select sheet, row_no from core.quarantine where delivery_id = :id "
            "and ended_by is distinct from delivery_id"
        ),
        {"id": delivery_id},
    )
    return {(row.sheet, row.row_no) for row in rows}


def _told(rows: Sequence[Any]) -> set[tuple[str, str, str]]:
    return {(row.rule_id, row.column_name, row.reason) for row in rows}


def _rules(refused: pd.DataFrame) -> dict[Place, set[tuple[str, str, str]]]:
    found: dict[Place, set[tuple[str, str, str]]] = defaultdict(set)
    for sheet, row_no, *told in refused[["sheet", "row_no", "rule_id", "column_name", "reason"]].itertuples(
        index=False
    ):
        found[sheet, row_no].add((told[0], told[1], told[2]))
    return found


def _add(connection: sa.Connection, delivery_id: int, entering: StagedFile, gone: int) -> None:
    """Rows of a loaded delivery enter on its night, and again on every later night on which the same bytes came."""
    entering.units = dict(Counter(entering.rows["unit_code"])) if "unit_code" in entering.rows else {}
    said = connection.execute(
        sa.text(
            "select delivery_id, source_id, night, file_name, members from core.delivery "
            "where :id in (delivery_id, same_as) order by night, delivery_id"
        ),
        {"id": delivery_id},
    ).all()
    for delivery in said if len(entering.rows) else ():
        again = replace(entering, file_name=delivery.file_name)
        load.load_rows(connection, delivery.source_id, delivery.night, [delivery.delivery_id], [again])
    (first,) = (delivery.members for delivery in said if delivery.delivery_id == delivery_id)
    # Only now may the delivery say that it holds these rows: until here they confirmed nothing.
    connection.execute(
        sa.text(
            "update core.delivery set members = :members, rows_accepted = rows_accepted + :entered, "
            "rows_dropped = rows_dropped + :gone, rows_quarantined = rows_quarantined - :entered - :gone, "
            "verdict = case rows_quarantined when :entered + :gone then 'loaded' else 'loaded_with_quarantine' end, "
            "reference = (select fingerprint from ref.loaded) where delivery_id = :id"
        ),
        {
            "id": delivery_id,
            "members": late.merge(first, entering.rows) if entering.feed in KEYED else first,
            "entered": len(entering.rows),
            "gone": gone,
        },
    )


def _count_again(connection: sa.Connection, delivery_id: int, file: StagedFile) -> None:
    """How often each rule speaks in the file now; what none says any more is over. Loading speaks of itself."""
    connection.execute(
        sa.text("delete from core.delivery_finding where delivery_id = :id and rule_id <> all(:of_loading)"),
        {"id": delivery_id, "of_loading": across_sources.rules()},
    )
    connection.execute(
        sa.text(
            "insert into core.delivery_finding (delivery_id, rule_id, severity, row_count) "
            "select delivery_id, rule_id, 'quarantine', count(*) from core.quarantine "
            "where delivery_id = :id and ended_by is distinct from delivery_id group by delivery_id, rule_id"
        ),
        {"id": delivery_id},
    )
    told = [finding for finding in file.findings if finding[1] != "quarantine"]
    load.note_findings(connection, [(delivery_id, *finding) for finding in told])
