"""What may leave the department, as a workbook: the view mart.kpi_public of one period, hidden figures as stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import sqlalchemy as sa

from tthc.domain.errors import Misconfigured
from tthc.domain.text import sort_key
from tthc.serving import figures, wording
from tthc.serving.figures import ON_TIME, ONLINE, RECEIVED, RESOLVED, Publication, statement
from tthc.serving.workbooks import checked_target, writing
from tthc.settings import Settings

TITLE = "SỐ LIỆU GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH ĐỂ CÔNG BỐ"
HIDDEN = "*"
_COLUMNS = (
    ("Mã", 14), ("Đơn vị", 34), ("Tiếp nhận", 12), ("Đã giải quyết", 12), ("Trước và đúng hạn", 12),
    ("Tỷ lệ đúng hạn", 16), ("Nộp trực tuyến", 12), ("Tỷ lệ nộp trực tuyến", 16),
)  # fmt: skip
_LEVELS = ("province", "department", "commune")
Rows = Mapping[tuple[str, str], sa.RowMapping]  # metric, profile → row of the view


def export(settings: Settings, *, label: str, out: Path) -> None:
    """The workbook of one period, as asked for on a command line. Raises Misconfigured, OutsideSystemFailed."""
    target = checked_target(out)
    with figures.as_analyst(settings) as connection:
        write(connection, target, label=label)


def write(connection: sa.Connection, target: Path | BytesIO, *, label: str) -> None:
    """Province, departments and communes with what of them may leave. Raises Misconfigured when nothing may yet."""
    rows = connection.execute(statement("public"), {"label": label}).mappings().all()
    publication = figures.current_publication(connection)
    if not rows or publication is None:
        raise Misconfigured(
            f"nothing of {label!r} may leave: only quarters, halves, nine months and years of VPCP_15_14 that have "
            "ended and for which all units have reported"
        )
    units: dict[tuple[int, str, str], dict[tuple[str, str], sa.RowMapping]] = {}
    for row in rows:
        place = _LEVELS.index(row["unit_level"]), sort_key(row["unit_name"]), row["unit_code"]
        units.setdefault(place, {})[row["metric_id"], row["profile"]] = row
    _write(target, publication, [units[place] for place in sorted(units)], rows[0])


def _write(target: Path | BytesIO, publication: Publication, units: Sequence[Rows], any_row: sa.RowMapping) -> None:
    period = [any_row[name] for name in ("period_kind", "period_label", "period_start", "period_end")]
    title = wording.period_title(*period)
    minimum = any_row["minimum_count"]
    notes = (
        f"Kỳ báo cáo: {title}; lần công bố số {publication.publication_id}; định nghĩa {any_row['definition_version']}",
        f"Dấu {HIDDEN}: không công bố, vì đơn vị có số từ 1 đến {minimum - 1} trong một quý của kỳ, hoặc để số đó "
        "không thể tính ngược ra được",
    )
    last = len(_COLUMNS) - 1
    with writing(target, title=f"{TITLE}, {any_row['period_label']}", made_at=publication.published_at) as book:
        sheet = book.sheet("Số liệu công bố", [width for _, width in _COLUMNS], repeat=(4, 4))
        book.across(sheet, 0, (0, last), TITLE, "title", 24)
        for line, note in enumerate(notes, start=1):
            book.across(sheet, line, (0, last), note, "note", 18)
        book.head(sheet, 4, [heading for heading, _ in _COLUMNS])
        for line, unit in enumerate(units, start=5):
            strong = "total_" if unit[RECEIVED]["unit_level"] == "province" else ""
            book.put_row(sheet, line, [(value, strong + style) for value, style in _cells(unit)])


def _cells(unit: Rows) -> list[tuple[str | int | None, str]]:
    row = unit[RECEIVED]
    cells: list[tuple[str | int | None, str]] = [(row["unit_code"], "text"), (row["unit_name"], "text")]
    if row["suppressed"]:
        return cells + [(HIDDEN, "middle")] * (len(_COLUMNS) - 2)
    cells += [(unit[RECEIVED]["numerator"], "count"), (unit[RESOLVED]["numerator"], "count")]
    for metric in (ON_TIME, ONLINE):
        numerator, denominator = unit[metric]["numerator"], unit[metric]["denominator"]
        cells += [(numerator, "count"), (wording.percent(numerator, denominator), "rate")]
    return cells
