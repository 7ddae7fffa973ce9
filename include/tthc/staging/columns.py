"""Whole columns of text become types: spaces and null words, dates, code words, whole numbers.

Every parser answers with the values and a mask of the cells it could not understand; nothing is guessed beyond what
the layout declares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tthc.domain.text import fold
from tthc.reference.layouts import Layout

_SPACES = r"[\s\x{00a0}\x{200b}\x{200c}\x{200d}\x{feff}\x{2060}\x{202f}]+"


def clean_column(column: pa.ChunkedArray, layout: Layout) -> pd.Series:
    """Spaces collapsed and trimmed, null words and empty text as None."""
    tidy = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, _SPACES, " "))
    nothing = pc.is_in(tidy, value_set=pa.array(["", *layout.null_words], pa.string()))
    texts: pd.Series = pc.if_else(nothing, pa.scalar(None, pa.string()), tidy).to_pandas().astype(object)
    return texts.where(texts.notna(), None)


def parse_dates(cells: pd.Series, layout: Layout) -> tuple[pd.Series, pd.Series, pd.Series]:
    """(days, moments where a time of day is named, mask of unreadable cells), by the layout's formats in turn.

    A format with an offset is brought to the layout's time zone first; midnight counts as a day.
    """
    moments = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[us]")
    rest = cells.notna()
    for form in layout.date_formats:
        if not rest.any():
            break
        found = pd.to_datetime(cells[rest].astype("str"), format=form, errors="coerce", utc="%z" in form)
        if "%z" in form:
            found = found.dt.tz_convert(layout.time_zone).dt.tz_localize(None)
        found = found.astype("datetime64[us]").dropna()
        moments.loc[found.index] = found
        rest.loc[found.index] = False
    if layout.kind == "xlsx" and rest.any():
        # A date cell whose number format was lost arrives as Excel's serial day.
        number = cells[rest].astype("str").str.replace(layout.decimal, ".", regex=False)
        serial = number[number.str.fullmatch(r"[345]\d{4}(?:\.\d+)?")].astype(float)
        found = pd.to_datetime(serial, unit="D", origin="1899-12-30").dt.round("s").astype("datetime64[us]")
        moments.loc[found.index] = found
        rest.loc[found.index] = False
    days = moments.dt.normalize()
    return days, moments.where(moments != days), rest


def parse_codes(cells: pd.Series, words: Mapping[str, object], *, required: bool) -> tuple[pd.Series, pd.Series]:
    """(codes, mask of words not in the list); a word for "nothing" is mapped to "" and becomes None."""
    folded = {fold(word): code for word, code in words.items()}
    known = {word: folded.get(fold(word), ...) for word in cells.dropna().unique()}
    bad = cells.map({word: code is ... for word, code in known.items()}).astype("boolean").fillna(required).astype(bool)
    values = {word: None if code in (..., "") else code for word, code in known.items()}
    return cells.map(values).astype(object).where(lambda s: s.notna(), None), bad


def parse_whole_numbers(cells: pd.Series, layout: Layout) -> tuple[pd.Series, pd.Series]:
    """(whole numbers, mask of unreadable cells) with the layout's separators: "1.234" is 1234, "12.0" is 12."""
    thousands, decimal = re.escape(layout.thousands), re.escape(layout.decimal)
    form = rf"^(-?(?:\d+|\d{{1,3}}(?:{thousands}\d{{3}})+))(?:{decimal}0+|\.0{{1,2}})?(?: ?(?:đồng|đ|VNĐ|VND))?$"
    known = {}
    for word in cells.dropna().unique():
        match = re.fullmatch(form, str(word), re.IGNORECASE | re.ASCII)
        digits = match.group(1).replace(layout.thousands, "") if match else ""
        known[word] = int(digits) if digits and len(digits) < 16 else None
    numbers = cells.map(known).astype("Int64")
    return numbers, cells.notna() & numbers.isna()
