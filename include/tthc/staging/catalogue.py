"""The list of procedures becomes typed rows of its own; a malformed code refuses its row."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tthc.domain.text import clean, fold
from tthc.reference.layout import Layout
from tthc.staging.parse import REFUSED, Meanings, Parsed
from tthc.staging.reader import Reading


def parse_catalogue(readings: Sequence[Reading], layout: Layout, meanings: Meanings) -> Parsed:
    """Columns: sheet, row_no, procedure_code, procedure_name, field_name, field_key; a malformed code refuses a row."""
    del layout, meanings
    (reading,) = readings
    table = reading.table
    rows = pd.DataFrame({"sheet": table.column("sheet").to_pandas(), "row_no": table.column("row_no").to_pandas()})
    for name in ("procedure_code", "procedure_name", "field_name"):
        rows[name] = [clean(text) for text in table.column(name).to_pylist()]
    rows["field_key"] = [fold(text) or None for text in rows["field_name"]]
    rows["file_no"] = 0
    repeated = rows.duplicated(["procedure_code", "procedure_name", "field_name"])
    rows = rows[~repeated].reset_index(drop=True)
    bad = ~rows["procedure_code"].str.fullmatch(r"[0-9]\.[0-9]{6}")
    malformed = rows.loc[bad, ["file_no", "sheet", "row_no"]].assign(column="procedure_code", rule_id="CODE")
    ragged = pd.DataFrame([(0, *row[:2], "", row[2]) for row in reading.ragged], columns=list(malformed.columns))
    refused = pd.concat([malformed, ragged], ignore_index=True).reindex(columns=list(REFUSED))
    return Parsed(rows=rows[~bad].reset_index(drop=True), refused=refused, duplicates={0: int(repeated.sum())})
