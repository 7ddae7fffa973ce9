"""What `tthc sources` tells: where the province's systems and the national portal do not say the same."""

from __future__ import annotations

from typing import Annotated

import typer

from tthc.terminal import AsJson, check_typed, rows, show

sources = typer.Typer(no_args_is_help=True, help="Sources beside each other.")


@sources.command("differences")
def differences(
    unit: Annotated[str | None, typer.Option(help="Only this unit, such as 18373 or 42-SNV, field by field.")] = None,
    period: Annotated[str | None, typer.Option(help="Only this period, such as 2026-03 or 2026-Q1.")] = None,
    calendar: Annotated[str, typer.Option(help="VPCP_15_14 or CALENDAR.")] = "VPCP_15_14",
    reports: Annotated[bool, typer.Option("--reports", help="Cells of forms and reports instead of dossiers.")] = False,
    as_json: AsJson = False,
) -> None:
    """Dossiers that only the province's systems or only the national portal tell, or both tell differently: counts by
    the period of receipt and unit. With --reports the cells of forms and reports that both sides tell differently."""
    from tthc.serving.figures import statement

    check_typed(unit=unit, period=period, calendar=calendar)
    key = {"unit": unit, "period": period, "calendar": calendar}
    if reports:
        found = rows(statement("source_report_differences").text, key)
    else:
        found = rows(statement("source_differences").text, key | {"fields": unit is not None})
    show(found, as_json, "nothing that both sides tell differs")
