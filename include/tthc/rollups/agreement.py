"""Whether reports agree with each other where no dossiers tell which of them is wrong; what disagrees is told."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from tthc.rollups.metrics import statement
from tthc.staging import expectations
from tthc.warehouse.connect import run_script
from tthc.warehouse.judgements import REPORTS, note_newest

_DIFFERENCES = ["chain_difference", "units_difference", "twice_difference"]


class Disagreement(NamedTuple):
    """A rule of the suite `report` that cells of a source's reports of one unit break. `largest`: the cell that differs
    most, in words."""

    rule_id: str
    source_id: str
    unit_code: str
    cells: int
    what: str
    largest: str


def disagreements(connection: sa.Connection) -> list[Disagreement]:
    """What the suite `report` finds in rollup.reported; call it after `build.compare`, in its transaction."""
    run_script(connection, statement("99_agreement"))
    frame = pd.read_sql(
        sa.text("select agreement.*, measure.title from agreement join ref.measure using (measure)"), connection
    )
    night = connection.execute(sa.text("select night from tonight")).scalar_one()
    if frame.empty:  # no two reports speak of the same: every rule met nothing
        said = [expectations.Failure(rule, [], judged=0) for rule in expectations.suite("report")]
        note_newest(connection, night, REPORTS, expectations.judgements("report", said))
        return []
    frame[_DIFFERENCES] = frame[_DIFFERENCES].astype("float64")
    said = expectations.check(frame, "report")
    note_newest(connection, night, REPORTS, expectations.judgements("report", said))
    found = []
    for failure in said:
        hit = frame[frame["row_id"].isin(failure.rows)]
        for (source_id, unit_code), cells in hit.groupby(["source_id", "unit_code"]):
            rule = failure.rule
            largest = max(cells.to_dict("records"), key=lambda cell: abs(cell["one"] - cell["other"]))
            what = f"{rule.vi} / {rule.en}"
            found.append(Disagreement(rule.rule_id, str(source_id), str(unit_code), len(cells), what, _words(largest)))
    return found


def _words(cell: Mapping[Hashable, Any]) -> str:
    field = "" if cell["field_code"] == "*" else f", lĩnh vực {cell['field_code']}"
    return (
        f"{cell['calendar']}, kỳ {cell['label']}{field}, «{cell['title']}»: {cell['one']} (tệp {cell['file_name']}) và "
        f"{cell['other']} ({cell['beside']})"
    )
