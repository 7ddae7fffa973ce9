"""A file that may come in, and what must become of it: the table `test_intake_*.py` are written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from exports import Row, csv_list, dossier
from warehouses import Warehouse

NIGHT = date(2026, 4, 10)
Rows = Callable[["Case"], bytes]


@dataclass(slots=True)
class Case:
    """One file. `rows`: (read, accepted, quarantined, dropped, duplicate) of its line in mart.data_quality; `refused`:
    row → rules in order; `stated`: row → columns of the state that was kept; `told`: findings beside refusals."""

    name: str
    content: bytes
    source: str = "mot_cua_csv"
    verdict: str = "loaded"
    reason: str = ""
    rows: tuple[int, int, int, int, int] | None = None
    refused: dict[int, list[str]] = field(default_factory=dict)
    stated: dict[int, dict[str, Any]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        return f"{self.source}/{self.name}.{self.source.rpartition('_')[2]}"


def numbered(number: int, count: int = 2, **cells: str) -> list[Row]:
    """Sound rows that no other case has: their dossier codes carry the case's number."""
    return [dossier(f"H42.{number}-260105-{place:04d}", **cells) for place in range(1, count + 1)]


def sound(number: int, **cells: str) -> bytes:
    return csv_list(numbered(number, **cells))


def load(warehouse: Warehouse, cases: Sequence[Case]) -> None:
    """All files of the cases in one night."""
    files = {case.path: case.content for case in cases}
    assert len(files) == len(cases), "two cases of one name"
    warehouse.load(NIGHT, files)


def check(warehouse: Warehouse, case: Case) -> None:
    """Compare what became of the file with what the case says; all differences at once."""
    name = case.path.partition("/")[2]
    (seen,) = warehouse.query(
        "select * from mart.data_quality where rule_id is null and file_name = :name and source_id = :source",
        name=name,
        source=case.source,
    )
    wrong = []
    reason = seen["reason"].partition(":")[0]
    if (seen["verdict"], reason) != (case.verdict, case.reason):
        wrong.append(f"verdict {seen['verdict']} {seen['reason']!r}, expected {case.verdict} {case.reason!r}")
    counted = tuple(seen[f"rows_{what}"] for what in ("read", "accepted", "quarantined", "dropped", "duplicate"))
    if case.rows is not None and counted != case.rows:
        wrong.append(f"rows (read, accepted, quarantined, dropped, duplicate) {counted}, expected {case.rows}")
    if case.verdict.startswith("loaded"):
        refused: dict[int, list[str]] = {}
        for row in _of_file(warehouse, "core.quarantine", case, "row_no, rule_id", "row_no, ordinal"):
            refused.setdefault(row["row_no"], []).append(row["rule_id"])
        if refused != case.refused:
            wrong.append(f"refused {refused}, expected {case.refused}")
        found = _of_file(warehouse, "core.delivery_finding", case, "rule_id, severity", "rule_id")
        told = {row["rule_id"] for row in found if row["severity"] in {"warning", "drift"}}
        if told != case.told:
            wrong.append(f"told {told}, expected {case.told}")
    kept = {row["row_no"]: row for row in _of_file(warehouse, "core.dossier_version", case, "*", "row_no")}
    for number, wanted in case.stated.items():
        state = {name: kept[number][name] for name in wanted} if number in kept else None
        if state != wanted:
            wrong.append(f"row {number} is {state}, expected {wanted}")
    assert not wrong, "\n".join([case.name, *wrong])


def _of_file(warehouse: Warehouse, table: str, case: Case, columns: str, order: str) -> list[dict[str, Any]]:
    return warehouse.query(
        f"select {columns} from {table} where delivery_id = (select delivery_id from core.delivery "
        f"where file_name = :name and source_id = :source) order by {order}",
        name=case.path.partition("/")[2],
        source=case.source,
    )
