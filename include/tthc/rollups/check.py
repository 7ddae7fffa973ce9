"""Figures that contradict themselves are withheld before anyone can read them; what is odd about others is told."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from tthc.rollups.metrics import statement
from tthc.staging import expectations
from tthc.warehouse.connect import run_script
from tthc.warehouse.judgements import FIGURES, note_newest

_UNITS_NAMED = 20


class Broken(NamedTuple):
    """A rule of the suite `figure` that some figures break: how many, and what it says of which units."""

    rule_id: str
    severity: str
    rows: int
    what: str


def withhold(connection: sa.Connection) -> list[Broken]:
    """Flag the rows of `fresh` that fail the suite `figure`. A rule of severity `warning` is told and flags nothing."""
    frame = asked(connection)
    broken: dict[str, Broken] = {}
    said = expectations.check(frame, "figure")
    night = connection.execute(sa.text("select night from tonight")).scalar_one()
    note_newest(connection, night, FIGURES, expectations.judgements("figure", said))
    for failure in said:
        rule = failure.rule
        if not failure.rows:
            continue
        before = broken[rule.rule_id].rows if rule.rule_id in broken else 0
        what = f"{rule.vi} / {rule.en}{_units(frame, failure.rows)}"
        broken[rule.rule_id] = Broken(rule.rule_id, rule.severity, before + len(failure.rows), what)
        if rule.severity == expectations.WITHHOLD:
            _flag(connection, failure.rows)
    return list(broken.values())


def asked(connection: sa.Connection) -> pd.DataFrame:
    """What the suite is asked about, one row a row of `fresh`: its counters, and what must hold beside other rows."""
    for name in ("84_by_basis", "85_identity", "86_changed"):
        run_script(connection, statement(name))
        run_script(connection, f"analyze {name[3:]}")
    return pd.read_sql(sa.text("select * from changed"), connection)


def _units(frame: pd.DataFrame, rows: list[int]) -> str:
    codes = sorted(frame.loc[frame["row_id"].isin(rows), "unit_code"].unique())
    more = ", …" if len(codes) > _UNITS_NAMED else ""
    return f" ({', '.join(codes[:_UNITS_NAMED])}{more})"


def _flag(connection: sa.Connection, rows: list[int]) -> None:
    connection.execute(
        sa.text(
            "update fresh set flags = array_append(array_remove(fresh.flags, 'withheld'), 'withheld') "
            "from changed where changed.row_id = any(:rows) and (fresh.calendar, fresh.kind, fresh.label, "
            "fresh.unit_code, fresh.field_code, fresh.basis) = (changed.calendar, changed.kind, "
            "changed.label, changed.unit_code, changed.field_code, changed.basis)"
        ),
        {"rows": rows},
    )
