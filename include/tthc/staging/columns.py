"""Whole columns of text become types: spaces and null words, dates, code words, numbers.

Every parser answers with the values and a mask of the cells it could not understand; nothing is guessed beyond what
the layout declares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tthc.domain.text import fold
from tthc.reference.layout import Column, Condition, Layout
from tthc.reference.layout_faults import SPECIAL_DATES, is_pattern
from tthc.staging.grid import REAL_DATE
from tthc.staging.words import Words

NO_VALUE = "{}"  # how a reader of JSON tells a list or an object where a value should be
_FOREIGN_DIGIT = r"[^\P{Nd}0-9]"
_SPACES = r"[\s\x{00a0}\x{00ad}\x{061c}\x{200b}-\x{200f}\x{feff}\x{2060}\x{202f}]+"
_WORKBOOKS = ("xlsx", "xls")
# Form → what its cells look like, and how many seconds its unit has.
_COUNTED: dict[str, tuple[str, float]] = {
    "excel_serial": (r"[345]\d{4}(?:[.,]\d+)?", 86_400),
    "epoch": (r"\d{9,10}(?:\.\d+)?", 1),
    "epoch_ms": (r"\d{12,13}(?:\.\d+)?", 0.001),
}
# How many digits strptime's numbers have where nothing stands between them and the next.
_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def tidied(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Every run of spaces as one, trimmed."""
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(cells, _SPACES, " "))


def clean_column(cells: pa.ChunkedArray, layout: Layout, column: Column | None = None) -> pd.Series:
    """Spaces collapsed and trimmed, null words (case does not matter; patterns between slashes) and empty text as
    None."""
    tidy = tidied(cells)
    listed = (*layout.null_words, *(column.null_words if column else ()))
    words = {word.lower() for word in listed if not is_pattern(word)}
    nothing = pc.is_in(pc.utf8_lower(tidy), value_set=pa.array(["", *words], pa.string()))
    if patterns := [word for word in listed if is_pattern(word)]:
        null = Words(dict.fromkeys(patterns))
        fitting = [word for word in tidy.unique().to_pylist() if word and word in null]
        nothing = pc.or_(nothing, pc.is_in(tidy, value_set=pa.array(fitting, pa.string())))
    texts: pd.Series = pc.if_else(nothing, pa.scalar(None, pa.string()), tidy).to_pandas().astype(object)
    return texts.where(texts.notna(), None)


def holds(cells: pd.Series, condition: Condition) -> pd.Series:
    """Mask of the rows whose cell is, or is not, one of the condition's words."""
    words = Words(dict.fromkeys(condition.words))
    known = {word: word in words for word in cells.dropna().unique()}
    mask = cells.map(known).astype("boolean").fillna("" in words).astype(bool)
    return ~mask if condition.negated else mask


def part_of(cells: pd.Series, pattern: str) -> pd.Series:
    """What the first group of a pattern finds in whole cells; NO_VALUE, which no parser takes, where it finds none."""
    form = re.compile(pattern, re.IGNORECASE)
    known = {
        word: (match.group(1) or "").strip() or None if (match := form.fullmatch(word)) else NO_VALUE
        for word in cells.dropna().unique()
    }
    found = cells.map(known).astype(object)
    return found.where(found.notna(), None)


def parse_dates(
    cells: pd.Series, layout: Layout, column: Column | None = None, *, epoch_1904: pd.Series | None = None
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """(days, moments where a time of day is named, mask of unreadable cells), by the declared formats in turn.

    A moment of another zone is brought to the layout's time zone first; midnight counts as a day. `epoch_1904`: mask of
    cells from workbooks that count their days from 1904.
    """
    moments = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[us]")
    # strptime reads the digits of every script; a layout declares none but our own.
    foreign = pc.fill_null(pc.match_substring_regex(pa.array(cells, pa.string()), _FOREIGN_DIGIT), False).to_pandas()
    foreign = foreign.set_axis(cells.index).astype(bool)
    rest = cells.notna() & ~foreign
    texts = cells
    if layout.month_names:
        words = list(cells.dropna().unique())
        texts = cells.map(dict(zip(words, in_english(words, layout.month_names), strict=True)))
    forms = (column.date_formats if column else ()) or layout.date_formats
    if layout.kind in _WORKBOOKS:
        forms = (REAL_DATE, *forms, "excel_serial")
    for form in forms:
        if not rest.any():
            break
        found = _moments(texts[rest].astype("str"), form, layout)
        if form == "excel_serial" and epoch_1904 is not None:
            found = found.where(~epoch_1904[found.index], found + pd.Timedelta(days=1462))
        moments.loc[found.index] = found
        rest.loc[found.index] = False
    days = moments.dt.normalize()
    return days, moments.where(moments != days), rest | foreign


def _moments(texts: pd.Series, form: str, layout: Layout) -> pd.Series:
    """The cells that have this form, as local moments."""
    if form in SPECIAL_DATES:
        digits, seconds = _COUNTED[form]
        numbers = texts[texts.str.fullmatch(digits)].str.replace(",", ".", regex=False).astype(float)
        start = pd.Timestamp(1899, 12, 30) if form == "excel_serial" else pd.Timestamp(1970, 1, 1)
        found = start + pd.to_timedelta((numbers * seconds).round(), unit="s")
        zone = "" if form == "excel_serial" else "UTC"
    else:
        texts = _of_full_width(texts, form)
        found = pd.to_datetime(texts, format=form, errors="coerce", utc="%z" in form).dropna()
        zone = layout.source_zone if re.search(r"%[HI]", form) else ""
    if found.dt.tz is None and zone:
        found = found.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    if found.dt.tz is not None:
        found = found.dt.tz_convert(layout.time_zone).dt.tz_localize(None)
    return found.astype("datetime64[us]").dropna()


def _of_full_width(texts: pd.Series, form: str) -> pd.Series:
    """Where a form runs its numbers together, strptime would read 202611 as 1 January and 202601050830 as 08:03:00."""
    if not re.search(r"%[A-Za-z]%[A-Za-z]", form):
        return texts
    parts = re.split(r"%([A-Za-z])", form)
    widths = [rf"\d{{{_WIDTHS[part]}}}" if part in _WIDTHS else ".+" for part in parts[1::2]]
    pattern = "".join(re.escape(text) + width for text, width in zip(parts[::2], [*widths, ""], strict=True))
    return texts[texts.str.fullmatch(pattern)]


def in_english(texts: Sequence[str], month_names: Sequence[str]) -> list[str]:
    """Month names of a language, from January on, as those strptime reads under %b."""
    names = {fold(name): english for name, english in zip(month_names, _MONTHS, strict=True)}
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)\.?")
    return [found.sub(lambda match: names[match.group().rstrip(".")], fold(text)) for text in texts]


def translated(cells: pd.Series, column: Column) -> pd.Series:
    """A text column with the words of `codes` replaced, and all others by `otherwise` where the layout gives it."""
    codes = Words(column.codes)
    if "" in codes:
        cells = cells.fillna("")
    known = {}
    for word in cells.dropna().unique():
        known[word] = codes.get(word, word if column.otherwise is None else column.otherwise) or None
    return cells.map(known).astype(object).where(lambda s: s.notna(), None)


def parse_codes(
    cells: pd.Series, words: Mapping[str, object], *, required: bool, otherwise: object = ...
) -> tuple[pd.Series, pd.Series]:
    """(codes, mask of words not in the list); a word for "nothing" is mapped to "" and becomes None.

    `otherwise`: the code of every word that is not in the list, where the layout says there is one. The word "" is the
    empty cell.
    """
    codes = Words(words)
    if "" in codes:
        cells = cells.fillna("")
    known = {word: codes.get(word, otherwise) for word in cells.dropna().unique()}
    bad = cells.map({word: code is ... for word, code in known.items()}).astype("boolean").fillna(required).astype(bool)
    values = {word: None if code in (..., "") else code for word, code in known.items()}
    return cells.map(values).astype(object).where(lambda s: s.notna(), None), bad


def parse_whole_numbers(cells: pd.Series, layout: Layout, column: Column | None = None) -> tuple[pd.Series, pd.Series]:
    """(whole numbers, mask of unreadable cells) with the declared separators: "1.234" is 1234, "12.0" is 12, and
    "50,000" is refused there, because whoever wrote it meant fifty thousand or fifty.

    With `decimals` of the column the number counts its smallest part, cents for 2: "95,5" is 9550.
    """
    thousands = (column.thousands if column else "") or layout.thousands
    decimal = (column.decimal if column else "") or layout.decimal
    decimals = column.decimals if column else 0
    dot = re.escape(decimal)
    parts = rf"{dot}\d{{1,12}}" if decimals else rf"(?:{dot}|\.)0{{1,2}}"
    form = re.compile(
        rf"(-?(?:\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+))({parts})?(?: ?(?:đồng|đ|VNĐ|VND|€|\$))?",
        re.IGNORECASE | re.ASCII,
    )
    known: dict[str, int | None] = {}
    for word in cells.dropna().unique():
        match = form.fullmatch(re.sub(r"^(-?)[€$] ?", r"\1", str(word)))
        digits = match.group(1).replace(thousands, "") if match else ""
        if not match or not digits or len(digits) + decimals >= 16:
            known[word] = None
        elif decimals:
            exact = Decimal(digits + (match.group(2) or "").replace(decimal, "."))
            known[word] = int((exact * 10**decimals).quantize(Decimal(1), ROUND_HALF_UP))
        else:
            known[word] = int(digits)
    numbers = cells.map(known).astype("Int64")
    return numbers, cells.notna() & numbers.isna()
