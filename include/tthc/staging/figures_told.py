"""What a cell of a summary report says: a count, a displayed per cent, or nothing at all; never a guess."""

from __future__ import annotations

import re
from fractions import Fraction

from tthc.reference.layout import Layout
from tthc.staging.words import Words

_LARGEST = 1_000_000_000  # no province has more dossiers than that
_DASHES = {"-", "–", "—"}
_PERCENT = re.compile(r"([0-9]{1,5})(?:[.,]([0-9]{1,20}))?( ?%)?")
_COMPUTED = 12  # so many decimals are those of a computed number, not displayed ones


def is_nothing(text: str, layout: Layout) -> bool:
    """An empty cell, a dash, or a null word of the layout."""
    return not text or text in _DASHES or text in Words(dict.fromkeys(layout.null_words))


def count_of(text: str, layout: Layout) -> int | None:
    """A whole number of 0 or more (nothing is 0), None when the cell is none.

    "1.234" is 1234 where the dot groups thousands; "12,0" and "12.0" are 12; "1,234" is refused there, because
    whoever wrote it may have meant either.
    """
    if is_nothing(text, layout):
        return 0
    grouped = re.escape(layout.thousands)
    form = rf"([0-9]{{1,12}}|[0-9]{{1,3}}(?:{grouped}[0-9]{{3}}){{1,3}})(?:[.,]0{{1,2}})?"
    match = re.fullmatch(form, text)
    number = int(match.group(1).replace(layout.thousands, "")) if match else _LARGEST + 1
    return number if number <= _LARGEST else None


def is_percent(text: str) -> bool:
    """Whether a cell is a displayed per cent such as "99,9%" or 100."""
    return _PERCENT.fullmatch(text) is not None


def shows_percent(text: str, numerator: int, denominator: int) -> bool:
    """Whether a displayed per cent is numerator over denominator within half a unit of its last decimal.

    A cell without the sign may also be the share itself (0,999 or 1), as workbooks keep a per cent.
    """
    match = _PERCENT.fullmatch(text)
    if match is None:
        return False
    whole, decimals, sign = match.groups()
    value, places = Fraction(f"{whole}.{decimals or '0'}"), len(decimals or "")
    share = Fraction(numerator, denominator)
    if not places:
        return abs(value - 100 * share) <= Fraction(1, 2) or (not sign and value == share)
    slack = Fraction(1, 2 * 10**places) if places < _COMPUTED else Fraction(1, 10**9)
    return abs(value - 100 * share) <= slack or (not sign and abs(value - share) <= slack)
