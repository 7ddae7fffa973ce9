"""What somebody can work out from mart.kpi_public: a linear programme over everything the view shows.

The attacker knows how figures hang together: a received dossier came online or not, a resolved one was in time or late, the
province is the sum of its units, a period the sum of its quarters, no count is negative. Of a unit without a row the attacker
knows that it had nothing. The attacker may be one of the units and know its own figures. Nothing of the view's own rules
is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linprog

ATOMS = ("online", "direct", "in_time", "late")
QUARTERS: Mapping[str, tuple[int, ...]] = {
    "Q1": (1,), "Q2": (2,), "Q3": (3,), "Q4": (4,), "H1": (1, 2), "H2": (3, 4), "9M": (1, 2, 3), "": (1, 2, 3, 4),
}  # fmt: skip
_RECEIVED, _RESOLVED = ("online", "direct"), ("in_time", "late")
NUMERATOR = {"received": _RECEIVED, "resolved": _RESOLVED, "on_time": ("in_time",), "online_submission": ("online",)}
DENOMINATOR = {"on_time": _RESOLVED, "online_submission": _RECEIVED}
Cell = tuple[str, str, tuple[str, ...]]  # label, unit, atoms that make the count


class Attacker:
    """Holds what the rows of one year show; `narrowest` is the best it can do against one hidden count."""

    def __init__(
        self,
        rows: Iterable[Mapping[str, Any]],
        units: Sequence[str],
        province: str,
        own: Mapping[Cell, int] | None = None,
    ) -> None:
        self.units, self.province = units, province
        self.hidden = set[Cell]()
        shown, seen = list[tuple[Cell, int]](), set[tuple[str, str]]()
        for row in rows:
            label, metric = row["period_label"], row["metric_id"]
            seen.add((label, row["unit_code"]))
            cells = [((label, row["unit_code"], NUMERATOR[metric]), row["numerator"])]
            if metric in DENOMINATOR:
                whole = DENOMINATOR[metric]
                rest = tuple(atom for atom in whole if atom not in NUMERATOR[metric])
                cells.append(((label, row["unit_code"], whole), row["denominator"]))
                left = None if row["suppressed"] else row["denominator"] - row["numerator"]
                cells.append(((label, row["unit_code"], rest), left))
            for cell, value in cells:
                if value is None:
                    self.hidden.add(cell)
                else:
                    shown.append((cell, value))
        labels = {label for label, _ in seen}
        absent = [
            ((label, unit, (atom,)), 0)
            for label in labels for unit in units if (label, unit) not in seen for atom in ATOMS
        ]  # fmt: skip
        insiders = {unit for _, unit, _ in own or {}}
        self.hidden = {cell for cell in self.hidden if cell[1] not in insiders}
        self.known = [*shown, *absent, *(own or {}).items()]
        self._matrix = np.array([self._line(cell) for cell, _ in self.known]).reshape(-1, len(units) * 4 * len(ATOMS))
        self._values = np.array([value for _, value in self.known])

    def narrowest(self, cell: Cell) -> tuple[float, float]:
        """The least and the greatest value that a count can have, all that is shown considered."""
        line = self._line(cell)
        ends = []
        for sign in (1, -1):
            found = linprog(sign * line, A_eq=self._matrix, b_eq=self._values, bounds=(0, 10_000_000), method="highs")
            assert found.status == 0, found.message
            ends.append(sign * found.fun)
        return ends[0], ends[1]

    def found(self, minimum: int, cells: Sequence[Cell] | None = None) -> Iterator[tuple[Cell, float, float]]:
        """The hidden counts, or those of `cells`, that are known to within less than the minimum."""
        for cell in sorted(self.hidden) if cells is None else cells:
            low, high = self.narrowest(cell)
            if high - low < minimum - 1e-6:
                yield cell, low, high

    def _line(self, cell: Cell) -> np.ndarray[Any, np.dtype[np.float64]]:
        label, unit, atoms = cell
        line = np.zeros((len(self.units), 4, len(ATOMS)))
        places = range(len(self.units)) if unit == self.province else [self.units.index(unit)]
        for place in places:
            for quarter in QUARTERS[label.partition("-")[2]]:
                for atom in atoms:
                    line[place, quarter - 1, ATOMS.index(atom)] = 1
        return line.ravel()
