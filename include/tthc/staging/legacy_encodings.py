"""TCVN3 (ABC) and VNI-Windows text as Python codecs, used only where a layout declares them.

Tables: TCVN 5712:1993, whose accented small letters the TCVN3 fonts share; VNI-Windows writes a letter and a mark of
Latin-1. Text set in a TCVN3 capital font is stored as small letters and stays small.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

# TCVN 5712:1993, code → letter, from the lowest code on; "·" where the code is no Vietnamese letter of its own.
_TCVN3 = {
    0x01: "ÚỤ", 0x04: "ỪỬỮ", 0x11: "ỨỰỲỶỸÝỴ",
    0x80: "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ",
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđẰ", 0xB5: "àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ",
}  # fmt: skip
TCVN3 = {code + place: letter for code, letters in _TCVN3.items() for place, letter in enumerate(letters)}

_MARKS = {"\u0300": "ø", "\u0301": "ù", "\u0309": "û", "\u0303": "õ", "\u0323": "ï"}
_BREVE = {"": "ê", "\u0300": "è", "\u0301": "é", "\u0309": "ú", "\u0303": "ü", "\u0323": "ë"}
_CIRCUMFLEX = {"": "â", "\u0300": "à", "\u0301": "á", "\u0309": "å", "\u0303": "ã", "\u0323": "ä"}
_ALONE = {"ơ": "ô", "ư": "ö", "đ": "ñ", "ì": "ì", "í": "í", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î"}
LETTERS = "".join(sorted(TCVN3.values()))


def _vni(letter: str) -> str:
    """How VNI-Windows writes one Vietnamese letter, in characters of Latin-1."""
    small = letter.lower()
    if small in _ALONE:
        written = _ALONE[small]
    else:
        base, *marks = list(unicodedata.normalize("NFD", small))
        tone = next((mark for mark in marks if mark in _MARKS), "")
        if "\u0306" in marks:
            written = base + _BREVE[tone]
        elif "\u0302" in marks:
            written = base + _CIRCUMFLEX[tone]
        else:
            horned = _ALONE["ơ" if base == "o" else "ư"] if "\u031b" in marks else base
            written = horned + _MARKS.get(tone, "")
    return written.upper() if letter != small else written


VNI = {_vni(letter): letter for letter in LETTERS}
_VNI_PARTS = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)) + r"|[\x00-\x7f\xa0]")


def _decode_tcvn3(data: bytes, errors: str = "strict") -> tuple[str, int]:
    del errors
    for place, code in enumerate(data):
        if code >= 0x80 and code not in TCVN3 and code != 0xA0:
            raise UnicodeDecodeError("tcvn3", bytes(data), place, place + 1, "no letter of TCVN3")
    return "".join(TCVN3.get(code, chr(code)) for code in data), len(data)


def _encode_tcvn3(text: str, errors: str = "strict") -> tuple[bytes, int]:
    del errors
    codes = {letter: code for code, letter in TCVN3.items()}
    for place, letter in enumerate(text):
        if ord(letter) >= 0x80 and letter not in codes and letter != "\xa0":
            raise UnicodeEncodeError("tcvn3", text, place, place + 1, "no letter of TCVN3")
    return bytes(codes.get(letter, ord(letter)) for letter in text), len(text)


def _decode_vni(data: bytes, errors: str = "strict") -> tuple[str, int]:
    del errors
    text, place, parts = bytes(data).decode("latin-1"), 0, []
    for match in _VNI_PARTS.finditer(text):
        if match.start() != place:
            break
        parts.append(VNI.get(match.group(), match.group()))
        place = match.end()
    if place != len(text):
        raise UnicodeDecodeError("vni", bytes(data), place, place + 1, "no letter of VNI-Windows")
    return "".join(parts), len(data)


def _encode_vni(text: str, errors: str = "strict") -> tuple[bytes, int]:
    del errors
    return "".join(_vni(letter) if letter in LETTERS else letter for letter in text).encode("latin-1"), len(text)


def register() -> None:
    """Make "tcvn3" and "vni" known to `bytes.decode` and `str.encode`."""
    known = {"tcvn3": (_encode_tcvn3, _decode_tcvn3), "vni": (_encode_vni, _decode_vni)}
    codecs.register(lambda name: codecs.CodecInfo(*known[name], name=name) if name in known else None)  # type: ignore[arg-type]  # a codec without streams
