"""`tthc submissions …`: what was handed in for a period (chốt số liệu), version by version."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tthc.settings import settings
from tthc.terminal import AsJson, By, Reason, check_typed, rows, say, show

submissions = typer.Typer(no_args_is_help=True, help="What was handed in for a period, version by version.")

Period = Annotated[str, typer.Option(help="Such as 2026-03, 2026-Q1, 2026-H1, 2026-9M, 2026.")]


@submissions.command("submit")
def submissions_submit(
    period: Period,
    by: By,
    reason: Reason,
    unit: Annotated[str | None, typer.Option(help="Default: the province, with all its units.")] = None,
    calendar: Annotated[str, typer.Option(help="VPCP_15_14 or CALENDAR.")] = "VPCP_15_14",
    interim: Annotated[
        bool, typer.Option("--interim", help="The period is still open: hand in what is known.")
    ] = False,
    waive: Annotated[str | None, typer.Option(help="Why it is handed in although units are missing.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hand in the figures published now; they are kept as they are, and a later correction is the next version.

    Refused: withheld figures, an open period without --interim, missing units without --waive. Figures that the newest
    version holds already are no new version.
    """
    from tthc import handing_in

    used = settings()
    place = unit or used.province
    version, is_new = handing_in.submit(
        used, unit=place, calendar=calendar, label=period, by=by, reason=reason, interim=interim, waiver=waive
    )
    if is_new:
        say(f"version {version} of {period} ({calendar}) of {place} is handed in")
    else:
        say(f"version {version} of {period} ({calendar}) of {place} holds these figures already")
    if as_json:
        print(json.dumps({"version": version, "is_new": is_new}))


@submissions.command("list")
def submissions_list(as_json: AsJson = False) -> None:
    """Every version handed in, the newest period first; of the newest, how many figures are published otherwise now."""
    from tthc.serving.figures import statement

    show(rows(statement("submissions").text, {}), as_json, "nothing was handed in yet")


@submissions.command("differences")
def submissions_differences(
    period: Annotated[str | None, typer.Option(help="Only this period, such as 2026-Q1.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only figures of this unit.")] = None,
    calendar: Annotated[str | None, typer.Option(help="Only this calendar, VPCP_15_14 or CALENDAR.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every figure that is published otherwise than the newest version tells, the largest difference first."""
    from tthc.serving.figures import statement

    check_typed(unit=unit, period=period, calendar=calendar)
    found = rows(statement("submission_differences").text, {"period": period, "unit": unit, "calendar": calendar})
    show(found, as_json, "what is published is what was handed in")
