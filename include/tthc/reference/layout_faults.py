"""What is wrong with a layout file: every fault names the file and the setting, before any export is opened."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from tthc.domain.errors import ReferenceFault
from tthc.domain.period import PeriodCalendar
from tthc.reference.layout import CANONICAL, FEEDS, KINDS, SUMMARIES, Column, Condition, Derivation, Layout, Taken

TAKES = ("first", "last", "count", "sum", "any_of")
SPECIAL_DATES = ("epoch", "epoch_ms", "excel_serial")
CODE_VALUES = {
    "status": {str(code) for code in range(1, 11)},
    "channel": {"1", "2", "3"},
    "service_level": {"toan_trinh", "mot_phan", "thong_tin"},
    "payment_method": {"online", "cash", "transfer"},
    **{flag: {"1", "0"} for flag in ("components_digitised", "result_digitised", "result_electronic", "data_reused")},
}
OWN_ENCODINGS = ("tcvn3", "vni")
_EARLIEST = date(1900, 1, 1)  # before which no cell of Excel is a date
_DIRECTIVES = re.compile(r"%(.)")


def check_layout_settings(layout: Layout, measures: set[str]) -> None:
    """Raises ReferenceFault for the first setting that cannot be meant. `measures`: ids of measures.csv."""
    for setting, fault in _faults(layout, measures):
        raise ReferenceFault(f"{layout.path}, {setting}: {fault}")


def _faults(layout: Layout, measures: set[str]) -> Iterator[tuple[str, str]]:
    if layout.feed not in FEEDS or layout.kind not in KINDS:
        yield "feed, kind", f"feed must be one of {FEEDS} and kind one of {KINDS}"
        return
    if not layout.columns:
        yield "columns", "at least one table [columns.<name>] is needed"
    canonical = CANONICAL[layout.feed] | (measures if layout.feed == "summary" else set())
    helpers = {column.name for column in layout.columns if column.helper}
    known = canonical | helpers
    for name in (*(column.name for column in layout.columns), *layout.constants, *layout.derived):
        if name not in known:
            yield name, f"is no column of feed {layout.feed}; known are {', '.join(sorted(canonical))}"
    yield from _faults_of_rows(layout, known)
    if layout.feed in (*SUMMARIES, "manual_input"):
        yield from _faults_of_summary(layout)
    yield from _faults_of_texts(layout)
    for column in layout.columns:
        for setting, fault in _faults_of_column(column, layout, known):
            yield f"[columns.{column.name}], {setting}", fault


def _faults_of_rows(layout: Layout, known: set[str]) -> Iterator[tuple[str, str]]:
    if layout.several_rows not in {"", "latest", "events"}:
        yield "several_rows", 'must be "latest" or "events"'
    for condition in layout.only_rows:
        yield from _faults_of_condition("only_rows", condition, layout, known)
    for setting, names in (("code_parts", layout.code_parts), ("unit_from", layout.unit_from)):
        special = {"agency_prefix", "sheet"} if setting == "unit_from" else set()
        for name in set(names) - known - special if layout.feed == "dossier" else ():
            yield setting, f"{name!r} is no column" + (", nor agency_prefix, nor sheet" if special else "")
    for name in set(layout.code_parts) & set(layout.derived):
        yield "code_parts", f"{name!r} follows from other columns; name those"
    for name, derivation in layout.derived.items():
        yield from ((f"derived.{name}", fault) for fault in _faults_of_derivation(name, derivation, layout, known))
    for name in layout.sections:
        if name not in known | {"dropped"}:
            yield f"sections.{name}", "must be a column or `dropped`"
    if layout.record_fields and not layout.records:
        yield "record_fields", "needs `records`"


def _unsaid(names: Iterable[str], layout: Layout) -> Iterator[str]:
    """What is read of columns that nothing in the layout says would be empty in every row."""
    said = {column.name for column in layout.columns} | layout.constants.keys() | layout.derived.keys()
    said |= layout.titles.keys() | layout.file_name.keys() | layout.sections.keys()
    for name in names:
        if name not in said:
            yield f"{name!r} is empty in every row: no column, constant, derivation, title, file_name, section gives it"


def _faults_of_derivation(name: str, derivation: Derivation, layout: Layout, known: set[str]) -> Iterator[str]:
    if layout.feed != "dossier":
        yield "is for lists of dossiers only"
    if name == "dossier_code":
        yield "a code of several columns is said by `code_parts`"
    if any(column.name == name for column in layout.columns):
        yield f"[columns.{name}] says what this column is, and it cannot be both"
    for column in derivation.columns:
        if column not in known:
            yield f"{column!r} is no column; one read for this only needs helper = true"
    yield from _unsaid((column for column in derivation.columns if column in known), layout)
    if derivation.after:
        if not name.endswith("_at") or not derivation.after.endswith("_at"):
            yield "`after` counts from a day to a day: both names end with _at"
        if not derivation.days:
            yield "`after` needs `days`, a number or the column that says how many"
        if isinstance(layout.derived.get(derivation.after), Derivation) and layout.derived[derivation.after].after:
            yield f"{derivation.after!r} is counted itself"
    elif derivation.days or derivation.working:
        yield "`days` and `working` belong to `after`"


def _faults_of_summary(layout: Layout) -> Iterator[tuple[str, str]]:
    """A report says whose figures it tells and of which period."""
    columns = {column.name for column in layout.columns}
    told = {*columns, *layout.titles, *layout.file_name}
    if "period" not in told or not told & {"unit_name", "unit_code"}:
        yield "titles", "a report takes its period and its unit from columns, titles or file_name"
    if layout.period_calendar and layout.period_calendar not in set(PeriodCalendar):
        yield "period_calendar", f"must be one of {[str(name) for name in PeriodCalendar]}"
    if strange := {name for identity in layout.identities for name in identity.names} - columns:
        yield "identities", f"name {sorted(strange)}, which are no columns of this layout"


def _faults_of_texts(layout: Layout) -> Iterator[tuple[str, str]]:
    patterns = {
        **{f"titles.{name}": [text] for name, text in layout.titles.items()},
        **{f"file_name.{name}": [text] for name, text in layout.file_name.items()},
        **{f"sections.{name}": [text] for name, text in layout.sections.items()},
        "footers": layout.footers,
        "table_ends": layout.table_ends,
        **{
            name: [text[1:-1] for text in texts if is_pattern(text)]
            for name, texts in (
                ("ignored", layout.ignored),
                ("personal", layout.personal),
                ("sheet", [layout.sheet]),
                ("null_words", layout.null_words),
            )
        },
    }
    for setting, texts in patterns.items():
        for text in texts:
            try:
                compiled = re.compile(text)
            except re.error as error:
                yield setting, f"{text!r} is no regular expression: {error}"
                continue
            if (
                setting.startswith(("titles.", "file_name.", "sections."))
                and setting != "sections.dropped"
                and not compiled.groups
            ):
                yield setting, f"{text!r} needs a group (…) around what is meant"
    for encoding in layout.encodings:
        try:
            if encoding not in OWN_ENCODINGS:
                codecs.lookup(encoding)
        except LookupError:
            yield "encodings", f"{encoding!r} is no encoding"
    for setting, zone in (("time_zone", layout.time_zone), ("source_zone", layout.source_zone)):
        try:
            if zone:
                ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            yield setting, f"{zone!r} is no IANA time zone, such as Asia/Ho_Chi_Minh"
    if layout.source_zone and not layout.time_zone:
        yield "source_zone", "needs `time_zone`, the zone whose days count"
    if layout.month_names and len(layout.month_names) != 12:
        yield "month_names", "needs twelve names, from January on"
    yield from ((("date_formats", fault)) for fault in _faults_of_dates(layout.date_formats, layout))
    if any(len(delimiter) != 1 for delimiter in layout.delimiters):
        yield "delimiters", "each is one character"
    if min(layout.header_within, layout.header_depth) < 1:
        yield "header_within, header_depth", "must be at least 1"
    if layout.earliest < _EARLIEST:
        yield "earliest", f"lies before {_EARLIEST}"
    if layout.valid_from and layout.valid_to and layout.valid_to < layout.valid_from:
        yield "valid_to", "lies before valid_from"


def _faults_of_dates(formats: tuple[str, ...], layout: Layout) -> Iterator[str]:
    for form in formats:
        if form in SPECIAL_DATES:
            if form != "excel_serial" and not layout.time_zone:
                yield f"{form!r} counts from 1970 in UTC and needs `time_zone`"
        elif not set("dmbByYs") & set(_DIRECTIVES.findall(form)):
            yield f"{form!r} names no day; strptime forms such as %d/%m/%Y are known, and {', '.join(SPECIAL_DATES)}"
        elif set(_DIRECTIVES.findall(form)) - set("dmyYbBHIMSfpzZjaAeUW%"):
            yield f"{form!r} holds a sign that strptime does not know"
        elif "%z" in form and not layout.time_zone:
            yield f"{form!r} reads an offset and needs `time_zone`"


def _faults_of_column(column: Column, layout: Layout, known: set[str]) -> Iterator[tuple[str, str]]:
    said_elsewhere = {*layout.titles, *layout.file_name, *layout.sections}
    if not column.headings and column.name not in said_elsewhere:
        yield "headings", "must name at least one heading, unless titles, file_name or sections say this column"
    if not column.headings and column.required:
        yield "required", "asks for a heading, and there is none"
    if column.pick not in {"first", "last"}:
        yield "pick", 'must be "first" or "last"'
    if column.pick == "first" and layout.several_rows != "events":
        yield "pick", 'has a meaning only where the layout says several_rows = "events"'
    if column.when:
        yield from _faults_of_condition("when", column.when, layout, known)
    yield from _faults_of_patterns(column)
    if column.take:
        yield from (("take", fault) for fault in _faults_of_take(column.take, layout))
    if not isinstance(column.decimals, int) or not 0 <= column.decimals <= 6:
        yield "decimals", "must be a number from 0 to 6"
    allowed = CODE_VALUES.get(column.name)
    words = {*column.codes.values(), *([] if column.otherwise is None else [column.otherwise])} - {""}
    if allowed and words - allowed:
        yield "codes", f"{sorted(words - allowed)} is no code of {column.name}; known are {sorted(allowed)}"
    if column.otherwise is not None and not column.codes:
        yield "otherwise", "says what words beside those of `codes` mean, and there are no `codes`"
    yield from ((("date_formats", fault)) for fault in _faults_of_dates(column.date_formats, layout))


def _faults_of_take(take: Taken, layout: Layout) -> Iterator[str]:
    if layout.kind not in {"json", "ndjson"}:
        yield "is for JSON only"
    if take.how not in TAKES:
        yield f"how = {take.how!r} is none of {', '.join(TAKES)}"
    elif take.how == "any_of":
        if not take.any_of:
            yield '`any_of` needs tests, such as [{ field = "F", in = ["1"] }]'
    elif not take.list or (take.how != "count" and not take.item):
        yield f"{take.how!r} needs `list`" + ("" if take.how == "count" else " and `item`")


def _faults_of_patterns(column: Column) -> Iterator[tuple[str, str]]:
    patterns = [("part", column.part)] if column.part else []
    patterns += [("codes", word[1:-1]) for word in column.codes if is_pattern(word)]
    patterns += [("null_words", word[1:-1]) for word in column.null_words if is_pattern(word)]
    for setting, pattern in patterns:
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            yield setting, f"{pattern!r} is no regular expression: {error}"
            continue
        if setting == "part" and not compiled.groups:
            yield setting, f"{pattern!r} needs a group (…) around what is meant"


def _faults_of_condition(
    setting: str, condition: Condition, layout: Layout, known: set[str]
) -> Iterator[tuple[str, str]]:
    if condition.column not in known:
        yield setting, f"{condition.column!r} is no column; one read for conditions only needs helper = true"
    else:
        yield from ((setting, fault) for fault in _unsaid([condition.column], layout))
    for word in condition.words:
        try:
            re.compile(word[1:-1] if is_pattern(word) else "")
        except re.error as error:
            yield setting, f"{word!r} is no regular expression: {error}"


def is_pattern(text: str) -> bool:
    """Whether a listed text is a regular expression: it stands between slashes."""
    return len(text) > 2 and text.startswith("/") and text.endswith("/")
