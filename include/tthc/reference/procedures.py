"""What is known of a procedure (thủ tục hành chính): field, service level, whether it yields a result, its limit."""

from __future__ import annotations

from dataclasses import dataclass

from tthc.domain.dossier import ServiceLevel
from tthc.domain.errors import ReferenceFault
from tthc.reference.files import read_rows, truth
from tthc.settings import Settings

PROCEDURE_COLUMNS = (
    "procedure_code", "procedure_name", "field_code", "field_name", "service_level", "fee_bearing", "yields_result",
    "max_working_days", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One procedure; None is unknown."""

    procedure_code: str
    procedure_name: str
    field_code: str | None
    field_name: str | None
    service_level: ServiceLevel | None
    fee_bearing: bool | None
    yields_result: bool | None
    max_working_days: int | None
    source: str


def read_procedures(settings: Settings) -> dict[str, Procedure]:
    """The registry by procedure code."""
    found = {}
    for row in read_rows(settings, "procedures.csv", columns=PROCEDURE_COLUMNS, key=("procedure_code",)):
        where = f"procedures.csv, {row['procedure_code']}"
        level, days = row["service_level"], row["max_working_days"]
        if level and level not in set(ServiceLevel):
            raise ReferenceFault(f"{where}: service_level {level!r} must be one of {[*ServiceLevel]}")
        if days and not days.isdecimal():
            raise ReferenceFault(f"{where}: max_working_days {days!r} is not a whole number")
        found[row["procedure_code"]] = Procedure(
            procedure_code=row["procedure_code"],
            procedure_name=row["procedure_name"],
            field_code=row["field_code"] or None,
            field_name=row["field_name"] or None,
            service_level=ServiceLevel(level) if level else None,
            fee_bearing=truth(row["fee_bearing"], where=where),
            yields_result=truth(row["yields_result"], where=where),
            max_working_days=int(days) if days else None,
            source=row["source"],
        )
    return found
