"""How commands read what is typed and print what they found: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from typing import Annotated, Any

import typer

from tthc.settings import LOCAL, settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
By = Annotated[str, typer.Option(help="Who decides; kept on record.")]
Reason = Annotated[str, typer.Option(help="Why; kept on record.")]


def night(text: str | None, option: str = "--as-of") -> date:
    """A night as typed after an option, yyyy-mm-dd; today in Việt Nam when none is given."""
    if text is None:
        return datetime.now(LOCAL).date()
    try:
        told = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date of the form yyyy-mm-dd", param_hint=option) from None
    latest = datetime.now(LOCAL).year + 5
    if not 2000 <= told.year <= latest:
        raise typer.BadParameter(
            f"{text} is no night of exports: its year should lie between 2000 and {latest}", param_hint=option
        )
    return told


def check_typed(*, unit: str | None = None, period: str | None = None, calendar: str | None = None) -> None:
    """Refuse a mistyped unit, period or calendar: an empty table would say of it that all is well.

    Raises Misconfigured.
    """
    from tthc.domain.period import PeriodCalendar, calendar_named, period_labelled
    from tthc.reference.units import read_places
    from tthc.serving.figures import unit_of

    if calendar is not None:
        calendar_named(calendar)
    if period is not None:
        period_labelled(calendar or PeriodCalendar.VPCP_15_14, period)
    if unit is not None:
        unit_of(read_places(settings()).units, unit, settings().province)


def say(line: str) -> None:
    """Progress and remarks, on standard error."""
    print(line, file=sys.stderr, flush=True)


def show(rows: list[dict[str, Any]], as_json: bool, nothing: str) -> None:
    """Rows as a table or as JSON; `nothing` is printed where a table would be empty."""
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, default=str, indent=1))
        return
    if not rows:
        print(nothing)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0], show_lines=False)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def rows(statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """What a query of ours finds in the warehouse."""
    import sqlalchemy as sa

    from tthc.warehouse.connect import transaction

    with transaction(settings()) as connection:
        return [dict(row) for row in connection.execute(sa.text(statement), parameters).mappings()]
