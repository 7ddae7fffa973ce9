"""What became of a plan's target in a period: met, missed, nothing occurred, not told, or why it was not assessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tthc.reference.lists import Target
from tthc.serving import wording
from tthc.serving.figures import ON_TIME, Figure, Period

MET, MISSED, NOTHING, WITHHELD = "met", "missed", "nothing", "withheld"
OUT_OF_PERIOD, UNMEASURED, INCOMPARABLE = "out_of_period", "unmeasured", "incomparable"
NOT_TOLD = "not_told"
WORDS = {
    MET: "Đạt",
    MISSED: "Không đạt",
    NOTHING: "Không phát sinh",
    WITHHELD: "Tạm giữ",
    OUT_OF_PERIOD: "Ngoài thời gian của kế hoạch",
    UNMEASURED: "Không đo được",
    NOT_TOLD: "Chưa có số liệu",
    INCOMPARABLE: "Không so sánh được",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A target beside the figure that measures it. `figure` is None where none does; `open_overdue` stands beside an
    on-time rate; `conflicts_with` names other targets that say otherwise of the same figure."""

    target: Target
    state: str
    figure: Figure | None = None
    open_overdue: Figure | None = None
    conflicts_with: str | None = None

    @property
    def verdict(self) -> str:
        return WORDS[self.state]

    @property
    def wanted(self) -> str:
        return wording.target(self.target.comparator, self.target.value)

    @property
    def gap(self) -> str:
        figure = self.figure
        if figure is None or figure.numerator is None or not figure.denominator:
            return ""
        return wording.gap(figure.numerator, figure.denominator, self.target.value)

    @property
    def place(self) -> str:
        return f"{self.target.document}, dòng {self.target.source_line}"

    @property
    def notes(self) -> str:
        parts = [wording.flags(self.figure.flags)] if self.figure else []
        if self.conflicts_with:
            parts.append(f"kế hoạch mâu thuẫn, {self.conflicts_with}")
        if self.target.ambiguity_note:
            parts.append(
                f"cách hiểu mục tiêu ({self.target.target_id}): {wording.vietnamese(self.target.ambiguity_note)}"
            )
        return "; ".join(part for part in parts if part)


def assess(targets: Sequence[Target], rows: Mapping[str, Mapping[str, Any]], period: Period) -> list[Assessment]:
    """Targets in their order; `rows` as `figures.target_rows` gives them."""
    return [_assessed(target, rows.get(target.target_id), period) for target in targets]


def _assessed(target: Target, row: Mapping[str, Any] | None, period: Period) -> Assessment:
    if target.metric_id is None or row is None:  # no row: of no unit of its own
        return Assessment(target=target, state=UNMEASURED)
    conflict = row["conflicts_with"]
    if not row["valid_from"] <= period.end <= row["valid_to"]:
        return Assessment(target=target, state=OUT_OF_PERIOD, conflicts_with=conflict)
    if not row["has_figure"]:
        return Assessment(target=target, state=NOTHING if row["is_zero"] else NOT_TOLD, conflicts_with=conflict)
    figure = Figure(numerator=row["numerator"], denominator=row["denominator"], flags=tuple(row["flags"]))
    late = Figure(numerator=row["overdue_open"], denominator=row["in_progress"])
    return Assessment(
        target=target,
        state=_state(figure, row["met"]),
        figure=figure,
        open_overdue=late if target.metric_id == ON_TIME[0] else None,
        conflicts_with=conflict,
    )


def _state(figure: Figure, met: bool | None) -> str:
    if figure.numerator is None:
        return WITHHELD
    if not figure.denominator:
        return NOTHING
    return INCOMPARABLE if met is None else MET if met else MISSED
