"""What became of a file's headings: the fate of each, which known column a new one may be, and the patch that says so.

Names and contents are compared where the file is read; only headings and scores leave, never a cell.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tthc.domain.text import fold
from tthc.reference.layout import Column, Layout
from tthc.reference.layout_faults import SPECIAL_DATES
from tthc.staging.grid import REAL_DATE, Listed, heading_key, keys_of
from tthc.staging.words import Words

SAMPLE = 200
_LIKELY = 0.55
_FLAGS = {"components_digitised", "result_digitised", "result_electronic", "data_reused"}
_YES_NO = {"có", "không", "x", "✓", "✔", "1", "0", "true", "false"}
_NUMBERS = {"supplement_count", "fee_amount"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`heading` may be `column`. `likeness` of the names and `fits`, the share of cells that the column could
    understand (None where any text would do), both 0 to 1; `score` ranks."""

    heading: str
    column: str
    likeness: float
    fits: float | None
    score: float


def fate(heading: str, layout: Layout) -> str:
    """What becomes of a column under this heading."""
    key = heading_key(heading)
    mapped = [c.name for c in layout.columns if key in keys_of(c.headings)]
    if mapped:
        return f"mapped: {', '.join(mapped)}"
    if heading in Listed(layout.personal):
        return "personal: left behind in the reader"
    return "ignored" if heading in Listed(layout.ignored) else "unlisted"


def _alike(heading: str, known: str) -> float:
    return difflib.SequenceMatcher(None, fold(heading), fold(known)).ratio()


def suggest(
    unlisted: Mapping[str, Sequence[str]],
    absent: Sequence[str],
    layout: Layout,
    alike: Callable[[str, str], float] = _alike,
) -> list[Suggestion]:
    """For unlisted headings, given with a sample of their cells, the absent columns they may be, best first. `alike`:
    how much two headings are, from 0 to 1."""
    found = []
    for heading, cells in unlisted.items():
        filled = [cell for cell in cells if cell.strip()][:SAMPLE]
        for name in absent:
            column = layout.column(name)
            if column is None or column.helper or not column.headings:
                continue
            likeness = max(alike(heading, known) for known in column.headings)
            share = _fits(filled, column, layout) if filled else None
            score = likeness if share is None else (likeness + share) / 2
            if score >= 0.5 and (likeness >= 0.4 or (share or 0) >= 0.9):
                rounded = None if share is None else round(share, 2)
                found.append(Suggestion(heading, name, round(likeness, 2), rounded, round(score, 2)))
    return sorted(found, key=lambda each: (-each.score, each.heading, each.column))


def _fits(cells: Sequence[str], column: Column, layout: Layout) -> float | None:
    dates = sum(_is_date(cell, column, layout) for cell in cells) / len(cells)
    if column.name.endswith("_at"):
        return dates
    if column.codes and column.otherwise is None:
        # Portals have words of their own for statuses: of those nobody knows yet, the heading alone tells.
        share = _spoken(cells, column.codes)
        return 0.0 if dates > 0.5 else share or (None if column.name == "status" else share)
    if column.name in _FLAGS:
        words = _YES_NO | {fold(word) for word in (*layout.yes_words, *layout.no_words)}
        return sum(fold(cell) in words for cell in cells) / len(cells)
    if column.name in _NUMBERS or column.measure is not None:
        return sum(re.fullmatch(r"-?\d[\d.,  ]*\D{0,5}", cell.strip()) is not None for cell in cells) / len(cells)
    if column.name == "procedure_code":
        return sum(re.fullmatch(r"\d[.,]\d{1,6}", cell.strip()) is not None for cell in cells) / len(cells)
    if column.name == "dossier_code":
        return 0.0 if dates > 0.5 else len({cell.strip() for cell in cells}) / len(cells)
    return 0.0 if dates > 0.5 else None


def _spoken(cells: Sequence[str], codes: Iterable[str]) -> float | None:
    """The share of words that are among those of a list. Numbers say nothing: they number many things, from 1 on."""
    words, said = Words(dict.fromkeys(codes)), [cell for cell in cells if not cell.strip().isdigit()]
    return sum(cell in words for cell in said) / len(said) if said else None


def _is_date(cell: str, column: Column, layout: Layout) -> bool:
    for form in (*(column.date_formats or layout.date_formats), REAL_DATE):
        if form in SPECIAL_DATES:
            if re.fullmatch(r"[345]\d{4}|\d{9,13}", cell.strip()):
                return True
            continue
        if has_form(" ".join(cell.split()), form):
            return True
    return False


def has_form(text: str, form: str) -> bool:
    """Whether a text has a strptime form; longer fractions of a second and offsets of hours only are read as well."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    text = re.sub(r"(:\d\d(?:\.\d+)?[+-]\d\d)$", r"\1:00", text)
    try:
        datetime.strptime(text, form)  # noqa: DTZ007  (only whether it has the form)
    except ValueError:
        return False
    return True


def chosen(suggestions: Sequence[Suggestion], layout: Layout) -> list[Suggestion]:
    """The best suggestion of each heading and column; what the file cannot do without comes first."""
    required = {column.name for column in layout.columns if column.required}
    taken: set[str] = set()
    picked = []
    for each in sorted(suggestions, key=lambda each: each.column not in required):
        if each.score >= _LIKELY and not {f"heading {each.heading}", f"column {each.column}"} & taken:
            taken |= {f"heading {each.heading}", f"column {each.column}"}
            picked.append(each)
    return picked


def patch_of(header: Sequence[str], suggestions: Sequence[Suggestion], layout: Layout) -> str:
    """A layout file that, saved beside the layout as `<id>_patch.toml`, makes it know the new headings; "" when there
    is nothing to add. What no known column resembles is left to a person, as a comment."""
    likely = chosen(suggestions, layout)
    known = {each.heading for each in likely}
    strange = [heading for heading in header if heading not in known and fate(heading, layout) == "unlisted"]
    if not likely and not strange:
        return ""
    lines = [f"id = {quoted(layout.id)}", f"extends = {quoted(layout.id)}"]
    if strange:
        listed = ", ".join(quoted(heading) for heading in strange)
        lines.append(
            f"# ignored = [{listed}]  # add to the layout's own list, or to `personal` if it tells of a person"
        )
    for each in likely:
        column = layout.column(each.column)
        assert column is not None
        headings = ", ".join(quoted(heading) for heading in (*column.headings, each.heading))
        lines += ["", f"[columns.{each.column}]", f"headings = [{headings}]"]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text as TOML has it."""
    return json.dumps(text, ensure_ascii=False)


def told(header: Sequence[str], suggestions: Sequence[Suggestion], layout: Layout) -> str:
    """The report an incident carries: unlisted headings and what they may be, then the patch."""
    likely = {each.heading: each for each in chosen(suggestions, layout)}
    lines = []
    for heading in header:
        if heading in likely:
            lines.append(f"«{heading}»: có thể là / may be {likely[heading].column} ({likely[heading].score:.0%})")
        elif heading.strip() and fate(heading, layout) == "unlisted":
            lines.append(f"«{heading}»: chưa khai báo / unlisted")
    mapped = sum(fate(heading, layout).startswith("mapped") for heading in header)
    patch = patch_of(header, suggestions, layout)
    lines.append(f"{mapped} cột đã biết / columns known; layouts/{layout.id}_patch.toml:")
    return "\n".join([*lines, patch]) if patch else ""
