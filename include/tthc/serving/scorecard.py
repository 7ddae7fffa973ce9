"""The scorecard of a unit: every figure of a period beside what the plans promise; of a province, its units as well.

A rate is written as text with a decimal comma, because a number would show a point or a comma as the reader's computer
likes; the counts it is made of stand beside it as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from tthc.domain.text import sort_key
from tthc.reference.kpis import Metric
from tthc.reference.manual import Indicator
from tthc.serving import assessment, wording
from tthc.serving.assessment import Assessment
from tthc.serving.figures import (
    DIGITISED,
    IN_PROGRESS,
    ON_TIME,
    ONLINE,
    OVERDUE,
    PAYMENT,
    RECEIVED,
    RESOLVED,
    Figure,
    Period,
    Publication,
    UnitFigures,
)
from tthc.serving.workbooks import Book, writing

TITLE = "PHIẾU ĐIỂM GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH"
_CARD = (
    ("STT", 5), ("Chỉ tiêu", 36), ("Cách tính", 14), ("Tử số", 9), ("Mẫu số", 9), ("Tỷ lệ", 15),
    ("Đang giải quyết đã quá hạn", 14), ("Mục tiêu", 10), ("Đánh giá", 14), ("Chênh lệch (điểm %)", 11),
    ("Ghi chú", 30), ("Căn cứ", 40),
)  # fmt: skip
_TARGETS = (
    ("Đơn vị", 18), ("Chỉ tiêu trong kế hoạch", 44), ("Mục tiêu", 10), ("Tử số", 9), ("Mẫu số", 9), ("Tỷ lệ", 15),
    ("Đánh giá", 16), ("Chênh lệch (điểm %)", 11), ("Đang giải quyết đã quá hạn", 14), ("Kế hoạch, dòng", 32),
    ("Ghi chú", 44),
)  # fmt: skip
_UNITS = (
    ("Mã", 14), ("Đơn vị", 26), ("Tiếp nhận", 9), ("Đã giải quyết", 9), ("Trước và đúng hạn", 9),
    ("Tỷ lệ đúng hạn", 14), ("So với tỉnh", 13), ("Đang giải quyết", 9), ("Trong đó quá hạn", 9),
    ("Nộp trực tuyến", 14), ("Thanh toán trực tuyến", 14), ("Số hóa đầy đủ", 14), ("Có dữ liệu", 9), ("Ghi chú", 22),
)  # fmt: skip
_STATED = (
    ("STT", 5), ("Chỉ tiêu", 44), ("Tử số", 9), ("Mẫu số", 9), ("Tỷ lệ", 15), ("Đơn vị đã nêu", 10), ("Ghi chú", 22),
    ("Tử số là", 40), ("Mẫu số là", 40), ("Căn cứ", 40),
)  # fmt: skip
_DEFINITIONS = (("Chỉ tiêu", 36), ("Cách tính", 16), ("Tử số", 50), ("Mẫu số", 50), ("Căn cứ", 44), ("Giả định", 60))
_STYLE_OF = {assessment.MET: "good", assessment.MISSED: "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Everything a scorecard shows. `members` and `bands` are filled for a province only; `indicators` are those that
    units state themselves and this unit is asked for, or sums up."""

    unit: UnitFigures
    period: Period
    publication: Publication
    definitions: str
    metrics: Sequence[Metric]
    targets: Sequence[Assessment]
    members: Sequence[UnitFigures] = ()
    bands: Mapping[str, str] = field(default_factory=dict)
    indicators: Sequence[Indicator] = ()


def write(target: Path | BytesIO, card: Scorecard) -> None:
    """Write the workbook. Raises OutsideSystemFailed."""
    title = f"{TITLE}, {card.unit.unit_name}, {card.period.label}"
    with writing(target, title=title, made_at=card.publication.published_at) as book:
        _card(book, card)
        if card.members:
            _units(book, card)
        if card.indicators:
            _stated(book, card)
        if card.targets:
            _targets(book, card)
        _definitions(book, card)


def _sheet(book: Book, name: str, columns: Sequence[tuple[str, float]], titles: Sequence[str]) -> tuple[Any, int]:
    """A sheet with title lines and a head; returns it with the first line below."""
    head = len(titles) + 1
    sheet = book.sheet(name, [width for _, width in columns], repeat=(head, head))
    for line, text in enumerate(titles):
        style, height = ("title", 24) if line == 0 else ("centre", 18)
        book.across(sheet, line, (0, len(columns) - 1), text, style, height)
    sheet.set_row(head - 1, 6)
    book.head(sheet, head, [heading for heading, _ in columns], 34)
    return sheet, head + 1


def _stamp(card: Scorecard) -> list[str]:
    unit, period = card.unit, card.period
    published = f"lần công bố số {card.publication.publication_id}{period.edition}"
    return [
        f"Đơn vị: {unit.unit_name} ({unit.unit_code})",
        f"Kỳ báo cáo: {period.title}",
        f"{unit.status_name}; số liệu tính đến hết ngày {wording.day(period.as_of)}; đơn vị có dữ liệu: "
        f"{unit.coverage}; {published}; định nghĩa {card.definitions}",
    ]


def _card(book: Book, card: Scorecard) -> None:
    sheet, line = _sheet(book, "Phiếu điểm", _CARD, [TITLE, *_stamp(card), _headline(card.unit)])
    of_metric: dict[tuple[str | None, str | None], list[Assessment]] = {}
    for own in card.targets:
        if own.target.unit_code == card.unit.unit_code and own.state != assessment.OUT_OF_PERIOD:
            of_metric.setdefault((own.target.metric_id, own.target.profile), []).append(own)
    for number, metric in enumerate(card.metrics, start=1):
        figure = card.unit.of_metric(metric)
        promised: Sequence[Assessment | None] = of_metric.get((metric.id, metric.profile)) or [None]
        for one in promised:
            late = _late(card.unit.of(OVERDUE)) if metric.id == ON_TIME[0] else ""
            book.put_row(sheet, line, _line(number, metric, figure, late, one))
            line += 1


def _headline(unit: UnitFigures) -> str:
    on_time, overdue = unit.of(ON_TIME), unit.of(OVERDUE)
    return (
        f"Trước và đúng hạn: {on_time.percent} · Đang giải quyết đã quá hạn: {overdue.above}"
        f"{f' trên {overdue.below} hồ sơ' if overdue.below else ''}"
    )


def _line(number: int, metric: Metric, figure: Figure, late: str, one: Assessment | None) -> list[tuple[Any, str]]:
    wanted: list[tuple[Any, str]] = [("", "middle")] * 3
    notes = wording.flags(figure.flags)
    if one is not None:
        wanted = [(one.wanted, "middle"), (one.verdict, _STYLE_OF.get(one.state, "middle")), (one.gap, "rate")]
        notes = one.notes
    cited = metric.citation if one is None else f"{metric.citation}; {one.place}"
    return [
        (number, "middle"),
        (metric.title, "text"),
        (wording.PROFILES.get(metric.profile, metric.profile), "middle"),
        *_counts(figure),
        (figure.percent, "rate"),
        (late, "rate"),
        *wanted,
        (notes, "text"),
        (cited, "text"),
    ]


def _late(figure: Figure) -> str:
    """ "3/120": open dossiers past their due day, of all open ones: what an on-time rate does not tell."""
    return f"{figure.above}/{figure.below}" if figure.below else figure.above


def _counts(figure: Figure) -> list[tuple[Any, str]]:
    if figure.numerator is None or not figure.is_told:
        return [(figure.above, "middle"), ("", "middle")]
    return [(figure.numerator, "count"), ("" if figure.denominator is None else figure.denominator, "count")]


def _units(book: Book, card: Scorecard) -> None:
    titles = ["CÁC ĐƠN VỊ TRONG TỈNH", *_stamp(card)[1:]]
    sheet, line = _sheet(book, "Các đơn vị", _UNITS, titles)
    first = line
    _unit_row(book, sheet, line, card.unit, "", "total_")
    for unit in sorted(card.members, key=lambda unit: (unit.unit_level, sort_key(unit.unit_name))):
        line += 1
        _unit_row(book, sheet, line, unit, card.bands.get(unit.unit_code, ""), "")
    sheet.autofilter(first - 1, 0, line, len(_UNITS) - 1)


def _unit_row(book: Book, sheet: Any, line: int, unit: UnitFigures, band: str, bold: str) -> None:
    on_time = unit.of(ON_TIME)
    cells: list[tuple[Any, str]] = [
        (unit.unit_code, "middle"),
        (unit.unit_name, "text"),
        (_shown(unit.of(RECEIVED, is_count=True)), "count"),
        (_shown(unit.of(RESOLVED, is_count=True)), "count"),
        (_shown(on_time), "count"),
        (on_time.percent, "rate"),
        (band, "middle"),
        (_shown(unit.of(IN_PROGRESS, is_count=True)), "count"),
        (_shown(unit.of(OVERDUE)), "count"),
        (unit.of(ONLINE).percent, "rate"),
        (unit.of(PAYMENT).percent, "rate"),
        (unit.of(DIGITISED).percent, "rate"),
        (unit.coverage, "middle"),
        (wording.flags(unit.flags), "text"),
    ]
    book.put_row(sheet, line, [(value, bold + style) for value, style in cells])


def _shown(figure: Figure) -> int | str:
    return figure.above if figure.numerator is None or not figure.is_told else figure.numerator


def _targets(book: Book, card: Scorecard) -> None:
    sheet, line = _sheet(book, "Mục tiêu", _TARGETS, ["MỤC TIÊU TRONG CÁC KẾ HOẠCH", *_stamp(card)[1:]])
    names = {unit.unit_code: unit.unit_name for unit in (card.unit, *card.members)}
    for one in card.targets:
        figure = one.figure
        book.put_row(
            sheet,
            line,
            [
                (names.get(one.target.unit_code or "", one.target.unit_code), "text"),
                (one.target.indicator, "text"),
                (one.wanted, "middle"),
                *(_counts(figure) if figure else [("", "count")] * 2),
                (figure.percent if figure else "", "rate"),
                (one.verdict, _STYLE_OF.get(one.state, "middle")),
                (one.gap, "rate"),
                (_late(one.open_overdue) if one.open_overdue else "", "rate"),
                (one.place, "text"),
                (one.notes, "text"),
            ],
        )
        line += 1


def _stated(book: Book, card: Scorecard) -> None:
    """What dossiers cannot tell: the figure, or that nobody has stated it; never a zero in its place."""
    sheet, line = _sheet(book, "Tự nhập", _STATED, ["CHỈ TIÊU ĐƠN VỊ TỰ NHẬP", *_stamp(card)])
    for number, one in enumerate(card.indicators, start=1):
        figure = card.unit.stated(one.id)
        told_by = "/".join(map(str, figure.coverage)) if figure.coverage and one.summed else ""
        cells = [(number, "middle"), (one.title, "text"), *_counts(figure), (figure.percent, "rate")]
        texts = [
            wording.flags([flag for flag in figure.flags if flag != "manual_input"]),
            one.numerator,
            one.denominator,
        ]
        book.put_row(sheet, line, [*cells, (told_by, "middle"), *((text, "text") for text in (*texts, one.source))])
        line += 1


def _definitions(book: Book, card: Scorecard) -> None:
    titles = [f"ĐỊNH NGHĨA CÁC CHỈ TIÊU, PHIÊN BẢN {card.definitions}"]
    sheet, line = _sheet(book, "Định nghĩa", _DEFINITIONS, titles)
    for metric in card.metrics:
        words = (
            metric.title,
            wording.PROFILES.get(metric.profile, metric.profile),
            wording.of_counters(metric.numerator),
            wording.of_counters(metric.denominator) or "không có: đây là số đếm",
            metric.citation,
            wording.vietnamese(metric.assumption or ""),
        )
        book.put_row(sheet, line, [(text, "text") for text in words])
        line += 1
