"""A first layout for a file nobody knows yet: what its headings and cells say, written down for a person to finish.

Only headings, forms of dates and words of coded columns leave, no cell that may tell of a person.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tthc.domain.errors import FileRefused, Misconfigured
from tthc.domain.text import fold, may_tell_of_a_person, shown
from tthc.reference.layout import Column, Layout
from tthc.reference.layout_faults import CODE_VALUES
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_status_words
from tthc.settings import Settings
from tthc.staging.columns import NO_VALUE
from tthc.staging.draft_report import listed, report_like, report_lines
from tthc.staging.drift import SAMPLE, Suggestion, quoted
from tthc.staging.grid import LEAD, known_headings
from tthc.staging.guess import (
    COUNTED,
    SAID,
    SYNONYMS,
    activity_of,
    code_of,
    forms_of,
    forms_of_columns,
    guess,
    is_of_days,
    month_names_of,
    tells_of_a_person,
    term_of,
    with_english_months,
    words_among_days,
)  # fmt: skip
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool
from tthc.staging.words import Words

_RECORDS = ("", "data", "items", "results", "records", "result.records", "data.items", "value")
_DELIMITERS = (",", ";", "\t", "|")
_MOST_WORDS = 12
# A moment as .NET writes it.
_WRAPPED = re.compile(r"/Date\((\d+)(?:[+-]\d+)?\)/")
_UNIT = re.compile(r"(?:ubnd|ủy ban nhân dân|xã|phường|đặc khu|thị trấn|sở|ban|trung tâm|phòng)\b", re.IGNORECASE)
_UNIT_SHEET = re.compile(rf"{_UNIT.pattern}|[px]\. ?\w", re.IGNORECASE)
_COUNT_BEHIND = r"(?: \(\d+[^)]*\))?"
_UNIT_TITLE = r"^(?:Đơn vị\s*:\s*)?(?:(?:UBND|ỦY BAN NHÂN DÂN)\s+)?((?:xã|phường|đặc khu)\s.+)$"
_LARGEST_LOOKED_INTO = 64 << 20  # bytes
_WITHIN = ("properties", "attributes")  # where records of maps have their fields
_DEEPEST = 4  # objects around the records


@dataclass(frozen=True, slots=True)
class Draft:
    """`text`: a layout file to save as `file`; `source`: the lines for sources.toml."""

    file: str
    text: str
    source: str


def draft_layout(settings: Settings, path: Path, layout_id: str) -> Draft:
    """Raises Misconfigured when the id is none, there is no such file or it cannot be read as a table."""
    if not re.fullmatch(r"[a-z0-9_]+", layout_id):
        raise Misconfigured(f"id {layout_id!r}: small letters, digits and _ are allowed, as in so_theo_doi_csv")
    if not path.is_file():
        raise Misconfigured(f"{path} is not a file")
    with ReaderPool(1) as readers:
        form, reading = _form_of(readers, path, Layout(
            id=layout_id, title=path.stem, feed="dossier", kind=_kind_of(path), columns=(), several_sheets=True,
            header_depth=3, encodings=_encodings_of(path),
        ))  # fmt: skip
        headings = [heading for heading in dict.fromkeys(reading.header) if heading.strip()]
        asked = [Column(name=f"h{at}", headings=(heading,), helper=True) for at, heading in enumerate(headings)]
        whole = readers.read(path, replace(form, columns=tuple(asked)))
        below = whole.detail if isinstance(whole, FileRefused) and whole.reason == "SEVERAL_TABLES" else ""
        if below:  # to look at it, the tables may stand one below the other
            whole = readers.read(path, replace(form, columns=tuple(asked), feed="procedure_catalogue"))
        titles = {} if form.kind in {"json", "ndjson"} else _titles(readers, path, replace(form, columns=tuple(asked)))
    if isinstance(whole, FileRefused):
        raise Misconfigured(f"{path.name}: {whole.reason}: {whole.detail}")
    cells = {heading: _filled(whole, f"h{at}") for at, heading in enumerate(headings)}
    groups = _groups(cells)
    wrapped = {heading for heading, texts in cells.items() if texts and all(map(_WRAPPED.fullmatch, texts))}
    cells |= {heading: [_WRAPPED.sub(r"\1", text) for text in cells[heading]] for heading in wrapped}
    among = {heading: words for heading, texts in cells.items() if (words := words_among_days(texts))}
    for heading, words in among.items():
        null = Words(dict.fromkeys(words))
        cells[heading] = [text for text in cells[heading] if " ".join(text.split()) not in null]
    months = month_names_of(cells)
    cells = with_english_months(cells, months)
    form = replace(form, month_names=months)
    sheets = sorted(set(whole.table["sheet"].to_pylist())) if form.kind in {"xlsx", "xls"} else []
    layouts = read_layouts(settings)
    guessed = guess(cells, _known_columns(layouts), form)
    if report := report_like(cells, guessed, layouts):
        lines = list(report_lines(form, cells, report))
    else:
        more = _More(wrapped, among, groups, titles, nameless=any(text not in headings for text in whole.unlisted))
        lines = list(_Lines(form, cells, guessed, read_status_words(settings), sheets, whole.table.num_rows, more))
    if below:
        lines.insert(1, f'# ??? {below}: or table_ends = ["…"], the row where it begins')
    if whole.ragged:
        lines.insert(1, f"# ??? {len(whole.ragged)} of {whole.rows_read} rows do not line up with the header")
    text = "\n".join(lines) + "\n"
    source = f"[[source]]\nid = {quoted(layout_id)}\ntitle = {quoted(path.stem)}\nlayouts = [{quoted(layout_id)}]\n"
    return Draft(f"layouts/{layout_id}.toml", text, source)


@dataclass(frozen=True, slots=True)
class _More:
    """What else the cells showed: headings of moments within "/Date(…)/", words among days by heading, patterns of rows
    over groups, patterns of titles; whether a column without a heading holds something."""

    wrapped: set[str]
    among: dict[str, list[str]]
    groups: dict[str, str]
    titles: dict[str, str]
    nameless: bool


def _groups(cells: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Column → pattern of rows that name a group, "II. Lĩnh vực …" or "A. UBND phường …", judged by the first columns'
    cells."""
    found: dict[str, str] = {}
    lines = [" ".join(text.split()) for heading in list(cells)[:LEAD] for text in cells[heading]]
    for mark in ("[IVX]+", "[A-H]"):
        named = [match[1] for line in lines if (match := re.fullmatch(rf"{mark}[.)] (.*\w.*)", line))]
        units = [text for text in named if _UNIT.match(text)]
        fields = [text for text in named if not _UNIT.match(text)]
        if len(units) > len(fields):
            found.setdefault("unit_name", rf"^{mark}[.)] (.+)$")
        elif len(fields) > 1:
            found.setdefault("field_name", rf"^{mark}[.)] (?:Lĩnh vực )?(.+?){_COUNT_BEHIND}$")
    if "field_name" not in found and sum(fold(line).startswith("lĩnh vực ") for line in lines) > 1:
        found["field_name"] = rf"^(?:[IVX]+[.)]? )?Lĩnh vực (.+?){_COUNT_BEHIND}$"
    return found


def _titles(readers: ReaderPool, path: Path, form: Layout) -> dict[str, str]:
    """The unit above the table, where one of its lines begins with it."""
    titles = {"unit_name": _UNIT_TITLE}
    reading = readers.read(path, replace(form, titles=titles))
    return titles if isinstance(reading, Reading) else {}


def _kind_of(path: Path) -> str:
    with path.open("rb") as handle:
        head = handle.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    first, *rest = head.split(b"\n", 1)
    kinds = {b"PK\x03\x04": "xlsx", b"\xd0\xcf": "xls", b"<": "html", b"[": "json", b"{": "json"}
    kind = next((kind for start, kind in kinds.items() if head.startswith(start)), "csv")
    lines = kind == "json" and first.rstrip().endswith(b"}") and bool(rest) and rest[0].startswith(b"{")
    return "ndjson" if lines else kind


def _encodings_of(path: Path) -> tuple[str, ...]:
    """Text of two bytes a letter has a zero in every other byte, or many of them; a mark before it needs no setting."""
    with path.open("rb") as handle:
        head = handle.read(4096)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head.count(0) * 4 < len(head):
        return ("utf-8", "cp1252")
    return ("utf-16-le",) if head[1::2].count(0) > head[::2].count(0) else ("utf-16-be",)


def _form_of(readers: ReaderPool, path: Path, layout: Layout) -> tuple[Layout, Reading]:
    """The layout with what reading has shown: where the records are, which bytes, and the delimiter that makes most
    headings."""
    forms = [layout]
    if layout.kind == "json":
        found_at = _records_in(path)
        forms = [replace(layout, records=records) for records in ([found_at] if found_at is not None else _RECORDS)]
    if layout.kind == "csv":
        each = itertools.product(layout.encodings, _DELIMITERS)
        forms = [replace(layout, encodings=(encoding,), delimiters=(delimiter,)) for encoding, delimiter in each]
    found: list[tuple[int, Layout, Reading]] = []
    refused: FileRefused | None = None
    for form in forms:
        reading = readers.read(path, form)
        if isinstance(reading, Reading):
            found.append((known_headings(reading.header, layout), form, reading))
            if form.kind != "csv" or form.delimiters == _DELIMITERS[-1:]:
                break
        else:
            refused = refused or reading
            if found and form.delimiters == _DELIMITERS[-1:]:
                break
    if not found:
        assert refused is not None
        raise Misconfigured(f"{path.name}: {refused.reason}: {refused.detail}")
    return max(found, key=lambda one: one[0])[1:]


def _records_in(path: Path) -> str | None:
    """Where the longest array of objects stands in a file of JSON, within at most four objects; None where nobody can
    tell."""
    try:
        whole = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST_LOOKED_INTO else None
    except (ValueError, RecursionError):
        return None
    arrays: dict[str, int] = {}

    def walk(value: object, at: tuple[str, ...]) -> None:
        if isinstance(value, list) and any(isinstance(part, dict) for part in value):
            within = [name for name in _WITHIN if all(isinstance(part, dict) and name in part for part in value)]
            arrays[".".join((*at, *within[:1]))] = len(value)
        elif isinstance(value, dict) and len(at) < _DEEPEST:
            for name, part in value.items():
                walk(part, (*at, name))

    walk(whole, ())
    return max(arrays, key=lambda at: arrays[at]) if arrays else None


def _known_columns(layouts: Mapping[str, Layout]) -> dict[str, tuple[str, ...]]:
    """What each column of a dossier list is called anywhere, the columns of our own layouts before foreign ones."""
    known: dict[str, list[str]] = {}
    for layout in layouts.values():
        for column in layout.columns if layout.feed == "dossier" else ():
            if not column.helper:
                known.setdefault(column.name, []).extend(column.headings)
    for name, words in SYNONYMS.items():
        known.setdefault(name, []).extend(words)
    return {name: tuple(dict.fromkeys(headings)) for name, headings in known.items()}


def _filled(reading: Reading, name: str) -> list[str]:
    texts = reading.table[name].to_pylist() if name in reading.table.column_names else []
    return list(itertools.islice((text for text in texts if text and text.strip()), 25 * SAMPLE))


class _Lines:
    """The lines of a draft for a list of dossiers, in the order a person reads them."""

    def __init__(
        self,
        form: Layout,
        cells: Mapping[str, Sequence[str]],
        guessed: Mapping[str, Suggestion],
        status_words: Mapping[str, str],
        sheets: Sequence[str],
        rows: int,
        more: _More,
    ) -> None:
        self.more = more
        self.form, self.cells, self.guessed = form, cells, guessed
        self.status_words, self.sheets = status_words, sheets
        self.of_sheets = len(sheets) > 1 and all(map(_UNIT_SHEET.match, sheets))
        self.by_column = {one.column: heading for heading, one in guessed.items()}
        self.code = self.by_column.get("dossier_code") or code_of(cells, guessed, rows)
        codes = [fold(text) for text in cells[self.code]] if self.code else []
        self.repeated = len(set(codes)) < len(codes)
        self.moment = self.by_column.get("row_at") if self.repeated else None
        self.activity = activity_of(cells) if self.moment else None
        self.term = term_of(cells) if "due_at" not in self.by_column else None

    def __iter__(self) -> Iterator[str]:
        yield from self._head()
        yield from self._days()
        yield from self._rows()
        yield from self._headings()
        yield from self._missing()
        for heading, one in self.guessed.items():
            if one.column != "row_at" or self.moment:
                yield from self._column(heading, one)

    def _head(self) -> Iterator[str]:
        form = self.form
        yield "# A draft made from one file. Every line is a guess: read it, finish what is marked ???, then check it."
        yield f'id = {quoted(form.id)}\ntitle = {quoted(form.title)}\nfeed = "dossier"\nkind = {quoted(form.kind)}'
        if form.records:
            yield f"records = {quoted(form.records)}"
        if form.kind == "csv" and form.encodings != ("utf-8",):
            yield f"encodings = {listed(dict.fromkeys(('utf-8', *form.encodings)))}"
        if form.kind == "csv":
            yield f"delimiters = {listed(form.delimiters)}"
        if any(" | " in heading for heading in self.cells):
            yield f"header_depth = {max(heading.count(' | ') for heading in self.cells) + 1}"
        if len(self.sheets) > 1:
            yield "several_sheets = true  # ??? or `sheet`, if only one of them is meant; see also unit_from"
        if self.of_sheets and "unit_name" not in self.by_column:
            yield 'unit_from = ["sheet"]  # ??? each sheet is named by its unit'

    def _days(self) -> Iterator[str]:
        """The forms of every column of days, whether anybody guessed what it means or not."""
        formats = forms_of_columns(self.cells)
        if formats:
            yield f"date_formats = {listed(formats)}"
        if self.form.month_names:
            yield f"month_names = {listed(self.form.month_names)}"
        texts = [text for heading, texts in self.cells.items() if is_of_days(heading, texts) for text in texts]
        if _ambiguous(texts):
            yield "# ??? no day in this file is after the 12th: day and month may be the other way round"
        if any("%z" in text or text in COUNTED for text in formats):
            yield 'time_zone = "Asia/Ho_Chi_Minh"  # ??? the zone whose days count'
        if others := [h for h, texts in self.cells.items() if h not in self.guessed and is_of_days(h, texts)]:
            yield f"# days stand below {', '.join(map(quoted, others))} too: move one to where it belongs"

    def _rows(self) -> Iterator[str]:
        if self.activity:
            yield 'several_rows = "events"'
        elif self.repeated and self.moment:
            yield 'several_rows = "latest"  # ??? or "events", or code_parts: one code stands in several rows'
        elif self.repeated:
            yield '# ??? one code stands in several rows: several_rows = "latest" or "events", or code_parts'

        if "dossier_code" not in self.by_column and not self.code and (parts := self._stand_for_a_code()):
            yield f"code_parts = {listed(parts)}  # ??? no column holds a code: these together stand for one"

    def _headings(self) -> Iterator[str]:
        free = [h for h in self.cells if h not in self.guessed and h not in {self.code, self.activity, self.term}]
        personal = [heading for heading in free if tells_of_a_person(heading)]
        rest = [heading for heading in free if heading not in personal] + [""] * self.more.nameless
        yield f"personal = {listed(personal)}"
        yield f"ignored = {listed(rest)}  # ??? move to `personal` what tells of a person"

    def _missing(self) -> Iterator[str]:
        """What no heading says and no dossier can be without."""
        if self.more.titles and "unit_name" not in {*self.by_column, *self.more.groups}:
            yield f"\n[titles]  # ??? the unit above the table\nunit_name = '{self.more.titles['unit_name']}'"
        if self.more.groups:
            yield "\n[sections]  # ??? rows that name the group below them"
            yield from (f"{name} = '{pattern}'" for name, pattern in self.more.groups.items())
        if not self.of_sheets and "unit_name" not in {*self.by_column, *self.more.titles, *self.more.groups}:
            yield '\n[constants]\nunit_name = "???"  # or a column, unit_from = ["sheet"], sections, titles, file_name'
        if "status" not in self.by_column:
            yield from self._status()
        if "dossier_code" not in self.by_column and (self.code or not self._stand_for_a_code()):
            told = quoted(self.code or "???")
            yield f"\n[columns.dossier_code]  # ??? no heading says so\nheadings = [{told}]\nrequired = true"
        if self.term:
            yield from self._counted_term(self.term)
        if self.activity and self.moment:
            yield f"\n[columns.activity]\nheadings = [{quoted(self.activity)}]\nhelper = true"
        for name in ("received_at", "finished_at"):
            if name in self.by_column or (name == "finished_at" and not self.activity):
                continue
            yield f"\n[columns.{name}]\nheadings = [{quoted(self.moment or '???')}]"
            yield from ["required = true"] if name == "received_at" else []
            yield from ['pick = "first"'] if name == "received_at" and self.activity else []
            if name == "finished_at":
                words = dict.fromkeys(shown(text) for text in self.cells[self.activity or ""])
                ends = [word for word in words if not may_tell_of_a_person(word)][: 3 * _MOST_WORDS]
                yield f'when = {{ column = "activity", in = {listed(ends)} }}  # ??? keep what ends a case'

    def _counted_term(self, heading: str) -> Iterator[str]:
        words = {re.sub(r"^\d+ ", "", fold(" ".join(text.split()))) for text in self.cells[heading]}
        working = all(re.search("làm việc|business|working", word) for word in words)
        yield f"\n[columns.term]\nheadings = [{quoted(heading)}]\nhelper = true"
        yield f"part = '0*(\\d+) (?:{'|'.join(sorted(map(re.escape, words)))})'".replace("\\ ", " ")
        yield '\n[derived.due_at]\nafter = "received_at"\ndays = "term"'
        yield f"working = {str(working).lower()}  # ??? see also `holidays`, for other countries"

    def _status(self) -> Iterator[str]:
        """What the day of an end says, where no column says how a case stands."""
        ended = next((name for name in ("finished_at", "returned_at") if name in self.by_column or self.activity), "")
        yield "\n[derived.status]" + ("" if ended else "  # ??? no column tells how a case stands, nor when it ended")
        code = "10" if ended == "returned_at" else "9"
        yield f'when_present = {quoted(ended or "???")}\nthen = "{code}"\notherwise = "4"'

    def _stand_for_a_code(self) -> list[str]:
        """The columns that together tell one case from another, where none holds a code."""
        known: list[str] = ["received_at", "unit_name", "field_name"]
        parts = [name for name in known if name in self.by_column]
        return parts if "received_at" in parts else []

    def _column(self, heading: str, one: Suggestion) -> Iterator[str]:
        needed = one.column in {"dossier_code", "unit_name", "status", "received_at"}
        yield f"\n[columns.{one.column}]  # {one.score:.0%}\nheadings = [{quoted(heading)}]"
        yield from ["required = true"] if needed else []
        texts, workbook = self.cells[heading], self.form.kind in {"xlsx", "xls"}
        if one.column.endswith("_at") and not workbook and texts and not forms_of(texts[:SAMPLE]):
            yield "# ??? date_formats: no form that was tried reads every cell"
        if heading in self.more.wrapped:
            yield "part = '/date\\((\\d+)(?:[+-]\\d+)?\\)/'"
        if words := [word for word in self.more.among.get(heading, ()) if not may_tell_of_a_person(word)]:
            yield f"null_words = {listed(words)}  # ??? in place of a day"
        if self.form.kind in {"json", "ndjson"} and texts and set(texts) == {NO_VALUE}:
            yield f'take = {{ how = "first", list = {quoted(heading)}, item = "???" }}  # a list of objects stands here'
        if one.column == "status" and texts and all(text.strip().isdigit() for text in texts):
            yield "# ??? these numbers are taken for the statuses 1 to 10 of the national portal; else give `codes`"
        if one.column == "fee_amount":
            yield from _numbers(texts)
        yield from _codes(one.column, texts, self.status_words)


def _numbers(texts: Sequence[str]) -> Iterator[str]:
    """Separators of numbers where they are not ours; two digits behind the last one are the small coin."""
    if any(re.search(r",\d{3}|\.\d{1,2}$", text.strip()) for text in texts):
        yield 'thousands = ","\ndecimal = "."\ndecimals = 2  # ??? counted in the smallest coin'
    elif any(re.search(r",\d{1,2}$", text.strip()) for text in texts):
        yield "decimals = 2  # ??? counted in the smallest coin"


def _codes(name: str, texts: Sequence[str], status_words: Mapping[str, str]) -> Iterator[str]:
    """The words of a coded column, for a person to say what they mean."""
    if name not in CODE_VALUES:
        return
    known = {fold(word): code for word, code in status_words.items()} if name == "status" else {}
    said = SAID.get(name, {})
    words = list(dict.fromkeys(shown(text) for text in texts if fold(text) not in known))
    told = [word for word in words if not may_tell_of_a_person(word) and len(word) <= 60]
    codes = sorted(CODE_VALUES[name], key=lambda code: (len(code), code))
    if told:
        yield f'# ??? each word means one of {", ".join(codes)}, or nothing: ""'
        pairs = ", ".join(f"{quoted(word)} = {quoted(said.get(fold(word), '???'))}" for word in told[:_MOST_WORDS])
        yield f"codes = {{ {pairs} }}"
    if len(words) > _MOST_WORDS:
        yield f"# ??? and {len(words) - _MOST_WORDS} words more; `otherwise` is the code of every word not listed"


def _ambiguous(texts: Sequence[str]) -> bool:
    """Whether days and months could change places: dates such as 05/03/2026, and none that says which is which."""
    parts = [match for text in texts if (match := re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}", text.strip()))]
    return bool(parts) and all(int(part[1]) <= 12 and int(part[2]) <= 12 for part in parts)
