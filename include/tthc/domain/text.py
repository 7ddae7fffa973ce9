"""When two Vietnamese texts are the same: NFC, one spelling of tones, folded case, spaces and dashes."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"[\s\u00a0\u200b\u200c\u200d\ufeff\u2060]+")
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHOWN = 120
# Codes of dossiers, and numbers as long as those of phones and papers. Hashes are longer words and are neither.
DOSSIER_CODE = re.compile(r"(?<![0-9A-Za-z])[A-Z]{1,4}\d{1,3}(?:\.\d+)*-\d{6}-\d+(?![0-9A-Za-z])", re.IGNORECASE)
LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?\d(?:[ .\-]?\d){8,}(?![0-9A-Za-z])")
_YEAR, _TIME = r"(?:19|20)\d\d", r"(?:[ T]?\d{1,2}:?\d\d(?::?\d\d)?)?"
_DATE = re.compile(rf"(?:{_YEAR}[-./]?\d{{1,2}}[-./]?\d{{1,2}}|\d{{1,2}}[-./]\d{{1,2}}[-./]{_YEAR}){_TIME}")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u206a-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0000-\U000e0fff]"
)
_DASHES = re.compile(r"\s*[‐‑‒–—−-]\s*")
# One syllable, two lawful spellings (hoà/hòa, khoẻ/khỏe, thuỷ/thủy): the tone moves to the first vowel.
_NEW_TONE = re.compile(r"(?<!q)(?:o[àáảãạèéẻẽẹ]|u[ỳýỷỹỵ])(?!\w)")
_TONES = {"\u0300", "\u0301", "\u0309", "\u0303", "\u0323"}


def clean(text: str) -> str:
    """NFC with every run of space, no-break and zero-width characters as one space, trimmed."""
    if text.isascii():  # most cells are: codes, days, nothing
        return " ".join(text.split())
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def code_key(code: str) -> str:
    """The key under which dossier codes are compared: capitals without spaces, and what looks the same is the same, as
    wide letters, long dashes and characters nobody sees."""
    if not code.isascii():
        code = _DASHES.sub("-", _UNSEEN.sub("", unicodedata.normalize("NFKC", code)))
    return "".join(code.split()).upper()


def shown(text: str) -> str:
    """A heading or name of a file as it may be stored, told and printed: clean, of bounded length, and without
    characters that no database keeps (zeros, half surrogates) or that would change what a reader sees. Names of fields
    may be made of what a record holds, so what could tell of a person is blotted."""
    whole = blotted(clean(_UNPRINTABLE.sub("\ufffd", text[:1_000])))
    return whole if len(whole) <= _SHOWN else whole[: _SHOWN - 1] + "…"


def without_person(text: str) -> str:
    """One line without what could tell of a person, whatever a file name or a heading says."""
    return blotted(" ".join(text.split()))


def may_tell_of_a_person(text: str) -> bool:
    """Whether a text holds a dossier code, or a number as long as that of a phone or a paper; a date is neither."""
    return not _DATE.fullmatch(text) and bool(DOSSIER_CODE.search(text) or LONG_NUMBER.search(text))


def blotted(text: str) -> str:
    """A text without dossier codes and without numbers as long as those of phones and papers."""
    return LONG_NUMBER.sub("…", DOSSIER_CODE.sub("…", text))


def _old_tone(match: re.Match[str]) -> str:
    first, second = tuple(match.group())
    decomposed = unicodedata.normalize("NFD", second)
    tone = next(mark for mark in decomposed if mark in _TONES)
    return unicodedata.normalize("NFC", first + tone + decomposed.replace(tone, ""))


def fold(text: str) -> str:
    """The key under which headings, names and code words are compared; never shown, never unaccented."""
    text = clean(text)
    if text.isascii():
        return _DASHES.sub("-", text.lower()) if "-" in text else text.lower()
    return _NEW_TONE.sub(_old_tone, _DASHES.sub("-", text.replace("Ð", "Đ").replace("Ɖ", "Đ").casefold()))


def sort_key(name: str) -> str:
    """A key that sorts Vietnamese names in alphabet order under any collation (a ă â b … d đ e ê …, then tone)."""
    base, tones = [], []
    for letter in unicodedata.normalize("NFC", name.casefold()):
        decomposed = unicodedata.normalize("NFD", letter)
        tone = "".join(mark for mark in decomposed if mark in _TONES)
        base.append(
            _ALPHABET.get(unicodedata.normalize("NFC", "".join(c for c in decomposed if c not in _TONES)), letter)
        )
        tones.append(_TONE_ORDER.get(tone, "0"))
    return "".join(base) + " " + "".join(tones)


_ALPHABET = {
    letter: f"{letter_base}{rank}"
    for letter_base, letters in {"a": "aăâ", "d": "dđ", "e": "eê", "o": "oôơ", "u": "uư"}.items()
    for rank, letter in enumerate(letters)
}
_TONE_ORDER = {"": "0", "\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
