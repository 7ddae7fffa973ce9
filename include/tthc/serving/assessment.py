"""What became of a plan's target in a period: met, missed, nothing occurred, or why it was not assessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tthc.reference.lists import Target
from tthc.serving import wording
from tthc.serving.figures import Figure, Period

MET, MISSED, NOTHING, WITHHELD = "met", "missed", "nothing", "withheld"
OUT_OF_PERIOD, UNMEASURED, INCOMPARABLE = "out_of_period", "unmeasured", "incomparable"
WORDS = {
    MET: "Đạt",
    MISSED: "Không đạt",
    NOTHING: "Không phát sinh",
    WITHHELD: "Tạm giữ",
    OUT_OF_PERIOD: "Ngoài thời gian của kế hoạch",
    UNMEASURED: "Không đo được từ hồ sơ",
    INCOMPARABLE: "Không so sánh được",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A target beside the figure that measures it. `figure` is None where none does."""

    target: Target
    state: str
    figure: Figure | None = None

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
        if self.target.ambiguity_note:
            parts.append(f"cách hiểu mục tiêu: xem targets.csv, {self.target.target_id}")
        return "; ".join(part for part in parts if part)


def assess(targets: Sequence[Target], rows: Mapping[str, Mapping[str, Any]], period: Period) -> list[Assessment]:
    """Targets in their order; `rows` as `figures.target_rows` gives them."""
    return [_assessed(target, rows.get(target.target_id), period) for target in targets]


def _assessed(target: Target, row: Mapping[str, Any] | None, period: Period) -> Assessment:
    if target.metric_id is None:
        return Assessment(target=target, state=UNMEASURED)
    if not target.period_from <= period.end <= target.period_to:
        return Assessment(target=target, state=OUT_OF_PERIOD)
    if row is None:
        return Assessment(target=target, state=NOTHING)
    figure = Figure(numerator=row["numerator"], denominator=row["denominator"], flags=tuple(row["flags"]))
    if row["numerator"] is None:
        return Assessment(target=target, state=WITHHELD, figure=figure)
    if row["met"] is None:
        return Assessment(target=target, state=INCOMPARABLE if row["denominator"] else NOTHING, figure=figure)
    return Assessment(target=target, state=MET if row["met"] else MISSED, figure=figure)
