"""A first layout for a report of counts nobody knows yet, by what it shares with those that are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tthc.reference.layout import SUMMARIES, Layout
from tthc.staging.drift import Suggestion, quoted
from tthc.staging.grid import heading_key
from tthc.staging.guess import forms_of_columns

_PERIOD = r"""'''^(?:(?:Kỳ báo cáo|Thời gian)\s*:\s*)?(\(?(?:từ ngày|quý|tháng|năm|6 tháng|9 tháng)\b.+)$'''"""


def report_like(
    cells: Mapping[str, Sequence[str]], guessed: Mapping[str, Suggestion], layouts: Mapping[str, Layout]
) -> list[Layout]:
    """The reports of counts, those first whose headings this file shares most; none where the file has days or codes of
    dossiers, or few columns of numbers."""
    numbers = [texts for texts in cells.values() if texts and all(re.fullmatch(r"[\d.,]+ ?%?", text) for text in texts)]
    days = "received_at" in {one.column for one in guessed.values()}
    if days or len(numbers) * 2 < len(cells) or forms_of_columns(cells):
        return []
    reports = [layout for layout in layouts.values() if layout.feed in SUMMARIES]
    return sorted(reports, key=lambda layout: -len(_shared(cells, [layout])))


def _shared(headings: Iterable[str], reports: Sequence[Layout]) -> dict[str, str]:
    """Heading → what the first report with a column of that name counts there; each measure once."""
    found: dict[str, str] = {}
    for report in reports:
        named = {_bare(known): column.name for column in report.columns for known in column.headings}
        for heading in headings:
            name = named.get(_bare(heading))
            if name and heading not in found and name not in found.values():
                found[heading] = name
    return found


def _bare(heading: str) -> tuple[frozenset[str], ...]:
    """The words of a heading of a report, level by level, without "số hồ sơ", which all of them count."""
    parts = [re.sub(r"\b(?:số lượng|số|hồ sơ|cộng)\b|[,.:()%]", " ", part) for part in heading_key(heading).split("|")]
    return tuple(frozenset(part.split()) for part in parts)


def report_lines(form: Layout, cells: Mapping[str, Sequence[str]], reports: Sequence[Layout]) -> Iterator[str]:
    """A report is said as what it has in common with those that are known."""
    like = reports[0]
    yield f"# A draft made from one file, which resembles the report {like.id}. Read it, finish what is marked ???."
    yield f'id = {quoted(form.id)}\ntitle = {quoted(form.title)}\nfeed = "summary"\nkind = {quoted(form.kind)}'
    if any(" | " in heading for heading in cells):
        yield f"header_depth = {max(heading.count(' | ') for heading in cells) + 1}"
    mine = _shared(cells, reports)
    rest = [heading for heading in cells if heading not in mine]
    yield f"ignored = {listed(rest)}  # ??? give the counts among them a column of measures.csv, and the unit unit_name"
    yield f"# ??? identities: how the counts add up, as in {like.id}"
    yield '# period_calendar = "VPCP_15_14"  # ??? the calendar of a period that is told by its name only'
    yield f"\n[titles]\nperiod = {_PERIOD}"
    for heading, name in mine.items():
        needed = "" if name == "row_mark" else "\nrequired = true"
        yield f"\n[columns.{name}]\nheadings = [{quoted(heading)}]{needed}"


def listed(headings: Sequence[str] | dict[str, None]) -> str:
    """Texts as TOML lists them."""
    return f"[{', '.join(map(quoted, headings))}]"
