"""Under which name a file is known outside the landing store: its own, without what could tell of a person.

Names order the files of a night and say which file corrects which, so a part that is left out is replaced by a keyed
mark: one name gives one mark, and nobody without the key can try numbers until a mark comes out.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial

from tthc.domain.text import DOSSIER_CODE

_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")  # a mark is neither a number nor a word
_MARK_BYTES = 5
_TIME = r"(?:[T _.-]?[0-2]\d[-:.]?[0-5]\d(?:[-:.]?[0-5]\d)?)?"
_DAY, _MONTH, _YEAR = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])", r"(?:19|20)\d\d"
# Days and times stay, for names are ordered by them; so do other long numbers, which are running numbers or seconds.
_DATE = rf"(?<!\d)(?:{_YEAR}(?P<a>[-._]?){_MONTH}(?P=a){_DAY}|{_DAY}(?P<b>[-._ ]){_MONTH}(?P=b){_YEAR}){_TIME}(?!\d)"
_PERSON = re.compile(
    rf"(?P<day>{_DATE})"
    rf"|{DOSSIER_CODE.pattern}"
    r"|(?<!\d)0\d{2}[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{3}(?!\d)"  # citizen's identity number
    r"|(?<!\d)(?:\+?84[ .-]?\d{2,3}|0\d{2,3})[ .-]?\d{3}[ .-]?\d{3,4}(?!\d)"  # telephone
    r"|(?<!\d)\d{3}[ .-]?\d{3}[ .-]?\d{3}(?!\d)",  # the older identity number
    re.IGNORECASE,
)


def known_name(delivered_as: str, key: bytes) -> str:
    """The name of a delivered file as manifest, logs, pages and messages hold it; `key`: that of the dossier codes.

    Dossier codes, telephone and identity numbers are marked; the name of a person cannot be told from other words.
    """
    return _PERSON.sub(partial(_marked, key), delivered_as)


def _marked(key: bytes, found: re.Match[str]) -> str:
    if found["day"]:
        return found.group()
    digest = hashlib.blake2b(found.group().encode(), key=key[:64], digest_size=_MARK_BYTES)
    return "…" + digest.hexdigest().translate(_LETTERS)
