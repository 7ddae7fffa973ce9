"""The small lists: status words, calendar overrides, targets of the reform plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import day, read_rows, truth
from tthc.settings import Settings

TARGET_COLUMNS = (
    "target_id", "document", "unit_code", "level_scope", "metric_id", "profile", "field_code", "comparator", "value",
    "period_from", "period_to", "source_line", "indicator", "base_note", "ambiguity_note",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One figure a plan promises (chỉ tiêu). `value` is a share 0–1; no metric_id: not measured from dossiers."""

    target_id: str
    document: str
    unit_code: str | None
    level_scope: str
    metric_id: str | None
    profile: str | None
    field_code: str
    comparator: str
    value: Decimal
    period_from: date
    period_to: date
    source_line: int
    indicator: str
    base_note: str
    ambiguity_note: str


def read_status_words(settings: Settings) -> dict[str, str]:
    """Status word or number as exported → status number."""
    return {
        row["alias"]: row["status"]
        for row in read_rows(settings, "statuses.csv", columns=("alias", "status"), key=("alias",))
    }


def read_calendar_overrides(settings: Settings) -> dict[date, bool]:
    """Day → worked or not, where an announcement differs from the rule."""
    found = {}
    for row in read_rows(settings, "calendar.csv", columns=("date", "is_working", "source"), key=("date",)):
        on, works = (
            day(row["date"], where="calendar.csv"),
            truth(row["is_working"], where=f"calendar.csv, {row['date']}"),
        )
        if on is None or works is None:
            raise ReferenceFault("calendar.csv: date and is_working must be filled")
        found[on] = works
    return found


def read_targets(settings: Settings) -> list[Target]:
    """Every target of every plan."""
    found = []
    for row in read_rows(settings, "targets.csv", columns=TARGET_COLUMNS, key=("target_id",)):
        where = f"targets.csv, {row['target_id']}"
        opens, closes = day(row["period_from"], where=where), day(row["period_to"], where=where)
        if row["comparator"] not in {">=", ">", "="} or opens is None or closes is None:
            raise ReferenceFault(f"{where}: comparator must be >=, > or =, and both dates filled")
        try:
            value, line = Decimal(row["value"]), int(row["source_line"])
        except (InvalidOperation, ValueError) as error:
            raise ReferenceFault(f"{where}: value and source_line must be numbers") from error
        texts = {name: row[name] for name in ("target_id", "document", "level_scope", "comparator", "indicator")}
        found.append(
            Target(
                **texts,
                unit_code=row["unit_code"] or None,
                metric_id=row["metric_id"] or None,
                profile=row["profile"] or None,
                field_code=row["field_code"] or "*",
                value=value,
                period_from=opens,
                period_to=closes,
                source_line=line,
                base_note=row["base_note"],
                ambiguity_note=row["ambiguity_note"],
            )
        )
    return found
