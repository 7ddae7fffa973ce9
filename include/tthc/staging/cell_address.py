"""How a clerk finds a cell again: by column letter and row in a table, by record and field in JSON."""

from __future__ import annotations

from tthc.reference.layout import Layout
from tthc.staging.grid import letters, match_header
from tthc.staging.reader import Reading


class Cells:
    """The addresses of one file's cells; never what stands in them."""

    def __init__(self, reading: Reading, layout: Layout) -> None:
        self._headings = reading.headings
        self._positions = {} if layout.kind == "json" else match_header(reading.header, layout)
        self._records = layout.kind == "json"

    def heading(self, column: str) -> str:
        """What the file calls a column."""
        return self._headings.get(column, column)

    def of(self, column: str, row_no: int) -> str:
        """ "ô C9, cột «Tổng số»", or "bản ghi 3, trường «received»"."""
        heading = self.heading(column)
        if self._records:
            return f"bản ghi {row_no}, trường «{heading}»"
        if column not in self._positions:
            return f"dòng {row_no}"
        return f"ô {letters(self._positions[column])}{row_no}, cột «{heading}»"
