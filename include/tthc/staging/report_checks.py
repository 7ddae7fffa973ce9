"""Whether a summary report agrees with itself: parts with wholes, displayed per cents, sections and totals."""

from __future__ import annotations

from collections.abc import Sequence

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.reference.measures import Identity, identity_of
from tthc.staging.cell_address import Cells
from tthc.staging.figures_told import shows_percent
from tthc.staging.report_rows import Line, Report, figures_of

# I1 to I4 of form II.06: it may become the figure, so every layout of it keeps them, whatever the layout declares.
FORM_06A = tuple(
    identity_of(text, where="form II.06")
    for text in (
        "received_total = received_online + received_direct + carried_over",
        "resolved_total = resolved_early + resolved_on_time + resolved_late",
        "in_progress_total = in_progress_in_time + in_progress_overdue",
        "received_total = resolved_total + in_progress_total",
    )
)


def check_report(report: Report, layout: Layout, cells: Cells) -> None:
    """Raises FileRefused: IDENTITY, PERCENT, TOTAL_MISMATCH, each with the cell."""
    identities = (*(FORM_06A if layout.feed == "summary_06a" else ()), *layout.identities)
    for line in (*report.data, *report.sections, *report.totals):
        for identity in identities:
            # A section without figures of its own states nothing.
            if identity.names <= set(line.texts) and line.states_figures:
                _check_identity(line, identity, cells)
    for section in report.sections:
        if section.states_figures:
            _check_sum(section, section.parts, layout, cells)
    for total in report.totals:
        _check_sum(total, report.data, layout, cells)


def _check_identity(line: Line, identity: Identity, cells: Cells) -> None:
    where = cells.of(identity.left[0], line.row_no)
    right = sum(line.counts[name] for name in identity.right)
    if not identity.per:
        if sum(line.counts[name] for name in identity.left) != right:
            told = f"{_listed(identity.left, cells)} khác {_listed(identity.right, cells)}"
            raise FileRefused("IDENTITY", f"{where}: {told} / parts and whole differ")
        return
    below, shown = sum(line.counts[name] for name in identity.per), line.texts[identity.left[0]]
    # Where nothing occurred reports show nothing, a dash, 0 or 100; none of them is a rate.
    if below and not shows_percent(shown, right, below):
        told = f"tỷ lệ hiển thị khác {_listed(identity.right, cells)} chia {_listed(identity.per, cells)}"
        raise FileRefused("PERCENT", f"{where}: {told} / the per cent is not the quotient")


def _listed(names: Sequence[str], cells: Cells) -> str:
    return " + ".join(f"«{cells.heading(name)}»" for name in names)


def _check_sum(whole: Line, parts: Sequence[Line], layout: Layout, cells: Cells) -> None:
    """Wherever sums make sense: a procedure with fees that two communes handle is one procedure."""
    for column in figures_of(layout):
        if column.measure is None or not column.measure.additive or column.name not in whole.counts:
            continue
        if whole.counts[column.name] != sum(part.counts[column.name] for part in parts):
            detail = f"{cells.of(column.name, whole.row_no)}: dòng tổng khác tổng các dòng / the total is not the sum"
            raise FileRefused("TOTAL_MISMATCH", detail)
