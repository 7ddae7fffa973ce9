"""Records of a JSON answer as the very characters the portal sent: no number and no repeated field changes."""

from __future__ import annotations

import json
import re
from typing import Any

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def value_at(answer: Any, path: str) -> Any:
    """What stands at a path such as `data.total`; None where there is nothing. The empty path is the whole."""
    for name in filter(None, path.split(".")):
        if not isinstance(answer, dict):
            return None
        answer = answer.get(name)
    return answer


def records_at(text: str, path: str) -> list[str] | None:
    """The elements of the array at a path, None when no array stands there. `text` must be valid JSON."""
    place = _skip(text, 0)
    for name in filter(None, path.split(".")):
        found = _member(text, place, name)
        if found is None:
            return None
        place = found
    if text[place : place + 1] != "[":
        return None
    records, place = [], _skip(text, place + 1)
    while text[place] != "]":
        _, end = _DECODER.raw_decode(text, place)
        records.append(text[place:end])
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return records


def _member(text: str, place: int, name: str) -> int | None:
    """Where the value of a member of the object at `place` begins; of a repeated name the last, as parsers take it."""
    if text[place : place + 1] != "{":
        return None
    found, place = None, _skip(text, place + 1)
    while text[place] != "}":
        key, end = _DECODER.raw_decode(text, place)
        begin = _skip(text, _skip(text, end) + 1)
        if key == name:
            found = begin
        _, end = _DECODER.raw_decode(text, begin)
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return found


def _skip(text: str, place: int) -> int:
    matched = _SPACE.match(text, place)
    return matched.end() if matched else place
