"""A first layout for a file nobody knows yet: what its headings and cells say, written down for a person to finish.

Guesses are ranked as for a form that drifted. Only headings, forms of dates and words of coded columns leave, no cell
that may tell of a person.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tthc.domain.errors import FileRefused, Misconfigured
from tthc.domain.text import fold, may_tell_of_a_person, shown
from tthc.reference.layout import Column, Layout
from tthc.reference.layout_faults import CODE_VALUES
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_status_words
from tthc.settings import Settings
from tthc.staging.drift import SAMPLE, Suggestion, quoted, suggest
from tthc.staging.grid import REAL_DATE
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool

# Tried in turn; of two forms that read every cell, such as 05/03/2026 as 5 March and May 3, the first one counts.
DATE_FORMATS = (
    *(f"{day}{time}" for day in ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d")
      for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H.%M", " %H:%M:%S.%f")),
    *(f"%Y-%m-%d{between}{time}" for between in (" ", "T")
      for time in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S%z", "%H:%M:%S.%f%z")),
    "%Y-%m-%d", "%Y%m%d", "%Y%m%d%H%M%S", "%d/%m/%y", "%H:%M %d/%m/%Y", "%H:%M:%S %d/%m/%Y", "%d-%b-%Y", "%d %b %Y",
)  # fmt: skip
_COUNTED = {"epoch": r"1\d{9}", "epoch_ms": r"1\d{12}"}
_ALL_FORMS = (*DATE_FORMATS, *_COUNTED)
# Headings by which portals outside of Việt Nam call what ours call otherwise.
_FOREIGN = {
    "dossier_code": ("case id", "case:concept:name", "caseid", "request id", "service request number", "permit number",
                     "application number", "reference", "unique key", "case enquiry id", "file number"),
    "received_at": ("created date", "open dt", "opened", "received date", "filed date", "start date", "startdate",
                    "date received", "application date", "requested datetime"),
    "due_at": ("due date", "target date", "sla target dt", "deadline", "enddate planned", "expected datetime"),
    "finished_at": ("closed date", "closed dt", "completed date", "decision date", "enddate", "end date", "closed",
                    "resolution date", "date issued", "issued date"),
    "status": ("status", "case status", "current status", "status description"),
    "channel": ("source", "channel", "origin", "open data channel type", "method received"),
    "unit_name": ("agency name", "department", "municipality", "owner department", "responsible agency", "district"),
    "field_name": ("complaint type", "request type", "category", "type", "service name", "application type"),
    "fee_amount": ("fee", "fee paid", "amount", "total fees"),
    "row_at": ("time:timestamp", "last modified", "updated datetime", "complete timestamp", "timestamp"),
}  # fmt: skip
_PERSONAL = re.compile(
    r"họ (?:và )?tên|người (?:nộp|yêu cầu|liên hệ)|chủ hồ sơ|cccd|cmnd|điện thoại|sđt|địa chỉ|e-?mail|ngày sinh|name of"
    r"|(?:first|last|full|owner|applicant|contact|street)[ _']*(?:s )?name|applicant|address|phone|resource|responsible"
    r"|birth|latitude|longitude"
)
_RECORDS = ("", "data", "items", "results", "records", "result.records", "data.items", "value")
_FEW = 40  # cells that show whether a column holds dates
_LIKELY = 0.7
_MOST_WORDS = 12


@dataclass(frozen=True, slots=True)
class Draft:
    """`text`: a layout file to save as `file`; `source`: the lines for sources.toml."""

    file: str
    text: str
    source: str


def draft_layout(settings: Settings, path: Path, layout_id: str) -> Draft:
    """Raises Misconfigured when there is no such file or it cannot be read as a table."""
    if not path.is_file():
        raise Misconfigured(f"{path} is not a file")
    known = _known_columns(settings)
    with ReaderPool(1) as readers:
        form, reading = _form_of(readers, path, Layout(
            id=layout_id, title=path.stem, feed="dossier", kind=_kind_of(path), columns=(), several_sheets=True,
            header_depth=3, encodings=("utf-8", "cp1252"), delimiters=(",", ";", "\t", "|"),
        ))  # fmt: skip
        headings = [heading for heading in dict.fromkeys(reading.header) if heading.strip()]
        asked = [Column(name=f"h{at}", headings=(heading,), helper=True) for at, heading in enumerate(headings)]
        whole = readers.read(path, replace(form, columns=tuple(asked)))
    if isinstance(whole, FileRefused):
        raise Misconfigured(f"{path.name}: {whole.reason}: {whole.detail}")
    cells = {heading: _filled(whole, f"h{at}") for at, heading in enumerate(headings)}
    guessed = _guess(cells, known, form)
    sheets = len(set(whole.table["sheet"].to_pylist())) if form.kind in {"xlsx", "xls"} else 1
    lines = list(_lines(form, cells, guessed, read_status_words(settings), sheets))
    if whole.ragged:
        lines.insert(1, f"# ??? {len(whole.ragged)} of {whole.rows_read} rows do not line up with the header")
    text = "\n".join(lines) + "\n"
    source = f"[[source]]\nid = {quoted(layout_id)}\ntitle = {quoted(path.stem)}\nlayouts = [{quoted(layout_id)}]\n"
    return Draft(f"layouts/{layout_id}.toml", text, source)


def _kind_of(path: Path) -> str:
    with path.open("rb") as handle:
        head = handle.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    first, *rest = head.split(b"\n", 1)
    kinds = {b"PK\x03\x04": "xlsx", b"\xd0\xcf": "xls", b"<": "html", b"[": "json", b"{": "json"}
    kind = next((kind for start, kind in kinds.items() if head.startswith(start)), "csv")
    lines = kind == "json" and first.rstrip().endswith(b"}") and bool(rest) and rest[0].startswith(b"{")
    return "ndjson" if lines else kind


def _form_of(readers: ReaderPool, path: Path, layout: Layout) -> tuple[Layout, Reading]:
    """The layout with what reading has shown: where the records are, and which bytes."""
    forms = [replace(layout, records=records) for records in _RECORDS] if layout.kind == "json" else [layout]
    refused: FileRefused | None = None
    for form in forms:
        for encoding in form.encodings if form.kind == "csv" else ("utf-8",):
            tried = replace(form, encodings=(encoding,))
            reading = readers.read(path, tried)
            if isinstance(reading, Reading):
                return tried, reading
            refused = reading
    assert refused is not None
    raise Misconfigured(f"{path.name}: {refused.reason}: {refused.detail}")


def _known_columns(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What each column of a dossier list is called anywhere, the columns of our own layouts before foreign ones."""
    known: dict[str, list[str]] = {}
    for layout in read_layouts(settings).values():
        for column in layout.columns if layout.feed == "dossier" else ():
            if not column.helper:
                known.setdefault(column.name, []).extend(column.headings)
    for name, words in _FOREIGN.items():
        known.setdefault(name, []).extend(words)
    return {name: tuple(dict.fromkeys(headings)) for name, headings in known.items()}


def _filled(reading: Reading, name: str) -> list[str]:
    texts = reading.table[name].to_pylist() if name in reading.table.column_names else []
    return list(itertools.islice((text for text in texts if text and text.strip()), 25 * SAMPLE))


def _guess(
    cells: Mapping[str, Sequence[str]], known: Mapping[str, tuple[str, ...]], form: Layout
) -> dict[str, Suggestion]:
    """Heading → what it most likely is; each heading and each column once."""
    columns = tuple(Column(name=name, headings=headings) for name, headings in known.items())
    forms = itertools.chain.from_iterable(forms_of(texts[:_FEW]) for texts in cells.values())
    layout = replace(form, columns=columns, date_formats=tuple(dict.fromkeys(forms)))
    named = {
        heading.replace("_", " "): texts for heading, texts in cells.items() if not _PERSONAL.search(fold(heading))
    }
    back = {heading.replace("_", " "): heading for heading in cells}
    guessed: dict[str, Suggestion] = {}
    taken: set[str] = set()
    ranked = sorted(suggest(named, list(known), layout), key=lambda one: (-one.likeness, -one.score))
    for one in ranked:
        heading = back[one.heading]
        if one.likeness >= _LIKELY and one.fits != 0 and one.column not in taken and heading not in guessed:
            guessed[heading] = one
            taken.add(one.column)
    return guessed


def forms_of(texts: Sequence[str]) -> list[str]:
    """The forms that together read every cell, fewest first; [] where some cell has none of them, or all are real
    dates of a workbook."""
    left = [" ".join(text.split()) for text in texts if not _reads(text, REAL_DATE)]
    found: list[str] = []
    while left:
        counts = {form: sum(_reads(text, form) for text in left) for form in _ALL_FORMS if _reads(left[0], form)}
        if not counts:
            return []
        found.append(max(counts, key=lambda form: counts[form]))
        left = [text for text in left if not _reads(text, found[-1])]
    return found


def _reads(text: str, form: str) -> bool:
    if form in _COUNTED:
        return re.fullmatch(_COUNTED[form], text) is not None
    try:
        datetime.strptime(text, form)  # noqa: DTZ007  (only whether it has the form)
    except ValueError:
        return False
    return True


def _lines(
    form: Layout,
    cells: Mapping[str, Sequence[str]],
    guessed: Mapping[str, Suggestion],
    status_words: Mapping[str, str],
    sheets: int,
) -> Iterator[str]:
    by_column = {one.column: heading for heading, one in guessed.items()}
    dates = {name: forms_of(cells[by_column[name]][:SAMPLE]) for name in by_column if name.endswith("_at")}
    formats = list(dict.fromkeys(itertools.chain.from_iterable(dates.values())))
    yield "# A draft made from one file. Every line is a guess: read it, finish what is marked ???, then check it."
    yield f'id = {quoted(form.id)}\ntitle = {quoted(form.title)}\nfeed = "dossier"\nkind = {quoted(form.kind)}'
    if form.records:
        yield f"records = {quoted(form.records)}"
    if form.encodings != ("utf-8",):
        yield f'encodings = ["utf-8", {quoted(form.encodings[0])}]'
    if form.kind == "csv":
        yield 'delimiters = [",", ";", "\\t", "|"]  # ??? keep the one that is meant'
    if any(" | " in heading for heading in cells):
        yield f"header_depth = {max(heading.count(' | ') for heading in cells) + 1}"
    if sheets > 1:
        yield "several_sheets = true  # ??? or `sheet`, if only one of them is meant; see also unit_from"
    if formats:
        yield f"date_formats = [{', '.join(map(quoted, formats))}]"
    if _ambiguous([text for name in dates for text in cells[by_column[name]]]):
        yield "# ??? no day in this file is after the 12th: day and month may be the other way round"
    if any("%z" in text or text in _COUNTED for text in formats):
        yield 'time_zone = "Asia/Ho_Chi_Minh"  # ??? the zone whose days count'
    code = cells[by_column["dossier_code"]] if "dossier_code" in by_column else []
    if len(set(code)) < len(code):
        yield '# ??? one code stands in several rows: several_rows = "latest" or "events", or code_parts'
    personal = [heading for heading in cells if heading not in guessed and _PERSONAL.search(fold(heading))]
    rest = [heading for heading in cells if heading not in guessed and heading not in personal]
    yield f"personal = {_list(personal)}\nignored = {_list(rest)}  # ??? move to `personal` what tells of a person"
    missing = [name for name in ("unit_name", "status", "dossier_code", "received_at") if name not in by_column]
    if "unit_name" in missing:
        yield '\n[constants]\nunit_name = "???"  # or a column, or unit_from = ["sheet"], or a title'
    if "status" in missing:
        yield '\n[derived.status]\nwhen_present = "finished_at"\nthen = "9"\notherwise = "4"'
    for name in ("dossier_code", "received_at"):
        if name in missing:
            yield f'\n[columns.{name}]\nheadings = ["???"]\nrequired = true'
    for heading, one in guessed.items():
        needed = one.column in {"dossier_code", "unit_name", "status", "received_at"}
        yield f"\n[columns.{one.column}]  # {one.score:.0%}\nheadings = [{quoted(heading)}]"
        yield from ["required = true"] if needed else []
        if one.column.endswith("_at") and not dates[one.column] and form.kind not in {"xlsx", "xls"} and cells[heading]:
            yield "# ??? date_formats: no form that was tried reads every cell"
        yield from _codes(one.column, cells[heading], status_words)


def _codes(name: str, texts: Sequence[str], status_words: Mapping[str, str]) -> Iterator[str]:
    """The words of a coded column, for a person to say what they mean."""
    if name not in CODE_VALUES:
        return
    known = {fold(word): code for word, code in status_words.items()} if name == "status" else {}
    words = list(dict.fromkeys(shown(text) for text in texts if fold(text) not in known))
    told = [word for word in words if not may_tell_of_a_person(word) and len(word) <= 60]
    codes = sorted(CODE_VALUES[name], key=lambda code: (len(code), code))
    if told:
        yield f'# ??? each word means one of {", ".join(codes)}, or nothing: ""'
        listed = ", ".join(f"{quoted(word)} = {quoted('???')}" for word in told[:_MOST_WORDS])
        yield f"codes = {{ {listed} }}"
    if len(words) > _MOST_WORDS:
        yield f"# ??? and {len(words) - _MOST_WORDS} words more; `otherwise` is the code of every word not listed"


def _ambiguous(texts: Sequence[str]) -> bool:
    """Whether days and months could change places: dates such as 05/03/2026, and none that says which is which."""
    parts = [match for text in texts if (match := re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}", text.strip()))]
    return bool(parts) and all(int(part[1]) <= 12 and int(part[2]) <= 12 for part in parts)


def _list(headings: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, headings))}]"
