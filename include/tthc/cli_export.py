"""What `tthc export` writes: official forms and scorecards of published figures, and the form for manual input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tthc.settings import settings
from tthc.terminal import say as _say

if TYPE_CHECKING:
    from tthc.serving.exports import Writer

export = typer.Typer(no_args_is_help=True, help="Excel workbooks: published figures, and the form for manual input.")

Unit = Annotated[str, typer.Option(help="Code of the province, a commune or a department, such as 18373 or 42-SNV.")]
PeriodLabel = Annotated[str, typer.Option(help="Such as 2026-03, 2026-Q1, 2026-H1, 2026-9M, 2026.")]
Calendar = Annotated[str, typer.Option(help="VPCP_15_14 or CALENDAR.")]
Submitted = Annotated[
    int | None,
    typer.Option(min=0, help="As handed in: this version of `tthc submissions list`, 0 for the newest."),
]
Workbook = Annotated[Path, typer.Option(help="The workbook to write, FILE.xlsx.")]


@export.command("form-06a")
def export_form(
    unit: Unit, period: PeriodLabel, out: Workbook, calendar: Calendar = "VPCP_15_14", submitted: Submitted = None
) -> None:
    """Form II.06/VPCP/KSTT of a unit and period, as our own layout reads it back."""
    from tthc.serving import exports

    _export(exports.write_form, unit, period, calendar, out, submitted)


@export.command("scorecard")
def export_scorecard(
    unit: Unit, period: PeriodLabel, out: Workbook, calendar: Calendar = "VPCP_15_14", submitted: Submitted = None
) -> None:
    """Every figure of a unit and period beside the plans' targets; of the province, its units as well."""
    from tthc.serving import exports

    _export(exports.write_scorecard, unit, period, calendar, out, submitted)


@export.command("public")
def export_public(
    period: Annotated[str, typer.Option(help="Such as 2026-Q1, 2026-H1, 2026-9M, 2026; it must have ended.")],
    out: Workbook,
) -> None:
    """What may leave the department: small counts hidden, and no way to work them out (mart.kpi_public)."""
    from tthc.serving import public_figures

    public_figures.export(settings(), label=period, out=out)
    print(out)


@export.command("manual-input")
def export_manual_input(unit: Unit, period: PeriodLabel, out: Workbook, calendar: Calendar = "VPCP_15_14") -> None:
    """The form in which a unit states what dossiers cannot tell; filled in, it goes to the source `nhap_tay`."""
    from datetime import UTC, datetime

    from tthc.serving import manual_form

    manual_form.export(settings(), unit=unit, calendar=calendar, label=period, out=out, made_at=datetime.now(UTC))
    print(out)


def _export(write: Writer, unit: str, period: str, calendar: str, out: Path, submitted: int | None) -> None:
    from tthc.serving import exports

    nothing_withheld = exports.export(
        settings(), write, unit=unit, calendar=calendar, label=period, out=out, submitted=submitted
    )
    print(out)
    if not nothing_withheld:
        _say("a figure in it is withheld; `tthc incidents list` says why")
        raise typer.Exit(1)
