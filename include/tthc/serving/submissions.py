"""What may be handed in for a period (chốt số liệu), and what of it has changed since.

What is handed in are rows of schema mart, kept as they stood: later corrections restate `mart.kpi` and are handed in
as another version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.reference.units import Unit
from tthc.serving import wording
from tthc.serving.figures import Period, Publication, Submission, statement

_UNITS_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to hand in. `waiver`: why, although units are missing."""

    unit: Unit
    period: Period
    by: str
    reason: str
    interim: bool = False
    waiver: str | None = None


def submit(connection: sa.Connection, publication: Publication, asked: Asked) -> tuple[int, bool]:
    """Keep what is published now as the next version; (version, whether it is new).

    Nothing new: the newest version holds this publication, or a closed period's every figure. Raises Misconfigured.
    """
    _refuse_withheld(connection, asked)
    _refuse_open(asked)
    expected, reported = _coverage(connection, asked)
    newest = find(connection, asked.period, asked.unit.unit_code)
    if newest is not None and _holds(connection, newest, publication, asked):
        return newest.version, False
    version = 1 if newest is None else newest.version + 1
    key = {
        **_key(asked),
        "version": version,
        "publication": publication.publication_id,
        "as_of": asked.period.as_of,
        "interim": asked.interim,
        "expected": expected,
        "reported": reported,
        "waiver": asked.waiver,
        "by": asked.by,
        "reason": asked.reason,
    }
    submission_id = connection.execute(statement("submit"), key).scalar_one()
    connection.execute(statement("submit_rows"), {**_key(asked), "submission": submission_id})
    return version, True


def find(connection: sa.Connection, period: Period, unit_code: str, version: int | None = None) -> Submission | None:
    """The newest version, or that version, handed in of a unit itself; None when there is none."""
    key = {"calendar": period.calendar, "label": period.label, "unit": unit_code, "version": version}
    row = connection.execute(statement("submission"), key).mappings().first()
    if row is None:
        return None
    told = dict(row)
    published = Publication(**{name: told.pop(name) for name in ("publication_id", "published_at", "night")})
    return Submission(publication=published, **told)


def handed_in(connection: sa.Connection, period: Period, unit: Unit, province: str, version: int | None) -> Submission:
    """What is exported as submitted: the unit's own submission, else the province's, which has all units. Raises
    Misconfigured."""
    found = find(connection, period, unit.unit_code, version) or find(connection, period, province, version)
    if found is None:
        which = "" if version is None else f" bản {version}"
        raise Misconfigured(
            f"chưa chốt{which} số liệu kỳ {period.label} của {unit.full_name} / "
            f"no {'submission' if version is None else f'version {version}'} of {unit.unit_code} for {period.label}; "
            "`tthc submissions list` shows what there is"
        )
    return found


def _key(asked: Asked) -> dict[str, Any]:
    period = asked.period
    return {
        "calendar": period.calendar,
        "kind": period.kind,
        "label": period.label,
        "unit": asked.unit.unit_code,
        "all_units": asked.unit.level == "province",
    }


def _refuse_withheld(connection: sa.Connection, asked: Asked) -> None:
    codes = list(connection.execute(statement("submit_withheld"), _key(asked)).scalars())
    if codes:
        raise Misconfigured(
            f"không chốt được kỳ {asked.period.label}: số liệu đang tạm giữ của {_named(codes)} / "
            "figures are withheld; `tthc incidents list` says why"
        )


def _refuse_open(asked: Asked) -> None:
    period = asked.period
    if period.as_of < period.end and not asked.interim:
        raise Misconfigured(
            f"kỳ {period.label} chưa kết thúc (số liệu đến {wording.day(period.as_of)}, hết kỳ "
            f"{wording.day(period.end)}) / the period is still open: --interim hands it in as interim"
        )
    if period.as_of == period.end and asked.interim:
        raise Misconfigured(
            f"kỳ {period.label} đã kết thúc ngày {wording.day(period.end)}, không chốt tạm tính / "
            "the period has ended: leave --interim away"
        )


def _coverage(connection: sa.Connection, asked: Asked) -> tuple[int | None, int | None]:
    """Units expected and reported; missing ones need a waiver. Raises Misconfigured."""
    rows = connection.execute(statement("submit_coverage"), _key(asked)).mappings().all()
    own = next((row for row in rows if row["unit_code"] == asked.unit.unit_code), None)
    if own is None:
        raise Misconfigured(
            f"{asked.unit.full_name} không phải báo cáo kỳ {asked.period.label} / "
            f"{asked.unit.unit_code} owed no report for this period, so there is nothing to hand in"
        )
    missing = own["units_expected"] - own["units_reported"]
    silent = [row["unit_code"] for row in rows if row["units_reported"] == 0]
    if missing and asked.waiver is None:
        raise Misconfigured(
            f"còn {missing} đơn vị chưa có dữ liệu kỳ {asked.period.label}: {_named(silent)} / "
            'units are missing: --waive "WHY" hands it in without them'
        )
    if not missing and asked.waiver is not None:
        raise Misconfigured(f"kỳ {asked.period.label} đã đủ đơn vị có dữ liệu / no unit is missing: leave --waive away")
    return own["units_expected"], own["units_reported"]


def _holds(connection: sa.Connection, newest: Submission, publication: Publication, asked: Asked) -> bool:
    if newest.publication.publication_id == publication.publication_id:
        return True
    if newest.is_interim or asked.interim:
        return False
    differing = connection.execute(
        sa.text("select exists (select from mart.submission_difference where submission_id = :id)"),
        {"id": newest.submission_id},
    )
    return not differing.scalar_one()


def _named(codes: list[str]) -> str:
    more = ", …" if len(codes) > _UNITS_NAMED else ""
    return ", ".join(codes[:_UNITS_NAMED]) + more
