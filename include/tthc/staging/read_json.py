"""JSON as text: an array of objects whose numbers keep every digit, nested lists reduced as the layout says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Column, Layout
from tthc.staging.drift import SAMPLE
from tthc.staging.grid import Listed, heading_key
from tthc.staging.json_shape import elements_of, flat

Record = dict[str, Any]

# Whole đồng: 50000, 50.000 (a dot and three digits groups thousands), 50000.0 or 50000.00.
_AMOUNT = re.compile(r"(-?[0-9]{1,15}|-?[0-9]{1,3}(?:\.[0-9]{3}){1,4})(?:\.0{1,2})?")
_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATES = re.compile("[\ud800-\udfff]")
_WRONG_SHAPE = "{}"  # no parser takes it for anything, so the row is refused with the column's own rule
_BOOLEANS = {"true": "1", "false": "0"}
_ENDS_WITHIN = 8  # characters before the end at which a literal or an escape may have been cut


class _Repeated(dict[str, Any]):
    """An object that names one field twice: nobody knows which of them is meant."""


class Records:
    """The records of a file, each reduced at once to the columns of its layout: a long file needs little memory.

    `cells`: canonical column → one text a record; `numbers`: the 1-based position of each; `odd`: positions of
    elements that are no records; `fields`: all names of fields met; `samples`: texts of unlisted fields in the first
    records.
    """

    def __init__(self, layout: Layout) -> None:
        told = [column for column in layout.columns if column.headings]  # others are said by the name of the file
        self._columns = [(column, [heading_key(heading) for heading in column.headings]) for column in told]
        self._listed = Listed((*layout.ignored, *layout.personal, *(h for c in layout.columns for h in c.headings)))
        self._spellings: dict[tuple[str, ...], tuple[list[list[str]], dict[str, str]]] = {}
        self._looked_into = _looked_into(layout)
        self.cells: dict[str, list[str]] = {column.name: [] for column in told}
        self.numbers: list[int] = []
        self.odd: list[int] = []
        self.fields: set[str] = set()
        self.samples: dict[str, list[str]] = {}

    def add(self, number: int, element: Any) -> None:
        """Raises FileRefused DUPLICATE_COLUMN when the record names a field twice."""
        if not isinstance(element, dict):
            self.odd.append(number)
            return
        if isinstance(element, _Repeated):
            detail = f"bản ghi {number} có hai trường trùng tên / a record repeats a field name"
            raise FileRefused("DUPLICATE_COLUMN", detail)
        plain = {name: [None] if isinstance(value, _Repeated) else value for name, value in element.items()}
        record = flat(plain, self._listed)
        names = tuple(record)
        if (spelt := self._spellings.get(names)) is None:
            called = [_called(keys, names) for _, keys in self._columns]
            spelt = self._spellings[names] = (called, _as_declared(self._looked_into, names))
            self.fields.update(names)
        called, declared = spelt
        self.numbers.append(number)
        if len(self.numbers) <= SAMPLE:
            for name, value in record.items():
                if isinstance(value, str) and name not in self._listed:
                    self.samples.setdefault(name, []).append(value)
        record |= {ours: record[theirs] for ours, theirs in declared.items()}
        for (column, _), mine in zip(self._columns, called, strict=True):
            self.cells[column.name].append(_SURROGATES.sub("\ufffd", text_of(record, column, mine)))

    def called(self, column: Column) -> list[str]:
        """What the file calls a column, in the order of its headings."""
        return _called([heading_key(heading) for heading in column.headings], sorted(self.fields))


def _called(keys: Sequence[str], names: Sequence[str]) -> list[str]:
    spelt = {heading_key(name): name for name in names}
    return [spelt[key] for key in keys if key in spelt]


def _looked_into(layout: Layout) -> set[str]:
    """The fields of a record in which `take` looks."""
    takes = [column.take for column in layout.columns if column.take is not None]
    tests = [test for take in takes for test in take.any_of]
    return {name for name in (*(take.list for take in takes), *_named(tests, "field"), *_named(tests, "list")) if name}


def _named(tests: Iterable[dict[str, Any]], part: str) -> list[str]:
    return [test.get(part, "") for test in tests]


def _as_declared(names: Iterable[str], spelt: Iterable[str]) -> dict[str, str]:
    """Names as the layout writes them → as a record does, where only case, spaces or tones differ."""
    there = set(spelt)
    folded = {heading_key(name): name for name in there}
    return {name: folded[key] for name in names if name not in there and (key := heading_key(name)) in folded}


def records_of(path: Path, layout: Layout) -> Records:
    """Raises FileRefused: ENCODING, JSON_SHAPE, JSON_DEPTH, JSON_SYNTAX, FILE_TRUNCATED, DUPLICATE_COLUMN."""
    text = _text(path)
    found = Records(layout)
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
    try:
        if layout.kind == "ndjson":
            _lines(text, decoder, found)
        elif layout.records or layout.record_fields:
            for number, element in enumerate(elements_of(decoder.decode(text), layout), start=1):
                found.add(number, element)
        else:
            _elements(text, decoder, found)
    except RecursionError as error:
        raise FileRefused("JSON_DEPTH", "JSON lồng quá sâu / nested too deeply") from error
    except json.JSONDecodeError as error:
        raise _refusal(error) from error
    if found.odd and not found.numbers:
        raise FileRefused("JSON_SHAPE", "mảng không có bản ghi nào / no element of the array is a record")
    return found


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise FileRefused("FILE_TRUNCATED", "tệp JSON bị cắt giữa một chữ / cut within a character") from error
        raise FileRefused("ENCODING", "tệp JSON không phải UTF-8 / not UTF-8") from error


def _lines(text: str, decoder: json.JSONDecoder, found: Records) -> None:
    number = at = 0
    for line in text.split("\n"):
        if line.strip():
            number += 1
            try:
                element = decoder.decode(line)
            except json.JSONDecodeError as error:
                raise json.JSONDecodeError(error.msg, text, at + error.pos) from error
            found.add(number, element)
        at += len(line) + 1


def _elements(text: str, decoder: json.JSONDecoder, found: Records) -> None:
    at = _after_space(text, 0)
    if text[at : at + 1] != "[":
        decoder.raw_decode(text, at)  # what is no JSON at all is told as such
        raise FileRefused("JSON_SHAPE", "cần một mảng các bản ghi / an array of records is needed")
    at = _after_space(text, at + 1)
    number = 0
    more = text[at : at + 1] != "]"
    while more:
        element, at = decoder.raw_decode(text, at)
        number += 1
        found.add(number, element)
        at = _after_space(text, at)
        more = text[at : at + 1] == ","
        if more:
            at = _after_space(text, at + 1)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    if (at := _after_space(text, at + 1)) < len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _refusal(error: json.JSONDecodeError) -> FileRefused:
    text = error.doc.rstrip()
    where = f"dòng {error.lineno}, cột {error.colno}"
    stops = error.msg.startswith("Unterminated string") or error.pos >= len(text) - _ENDS_WITHIN
    if stops and error.msg != "Extra data" and not text.endswith("]"):
        return FileRefused("FILE_TRUNCATED", f"JSON không trọn vẹn, bị cắt ở {where} / the file is not whole")
    return FileRefused("JSON_SYNTAX", f"JSON sai cú pháp ở {where} / not valid JSON")


def _once(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    return record if len(record) == len(pairs) else _Repeated(record)


def text_of(record: Record, column: Column, fields: Sequence[str]) -> str:
    """A canonical value as text; empty when the field is absent or null, `{}` when it has the wrong shape.

    `fields`: what the record calls the column.
    """
    take = column.take
    if take is None:
        return next((_scalar(record[field]) for field in fields if field in record), "")
    try:
        if take.how == "any_of":
            names = (name for test in take.any_of for name in (test.get("field"), test.get("list")) if name)
            present = any(name in record for name in names)
            return ("1" if any([_holds(record, test) for test in take.any_of]) else "0") if present else ""
        items = _items(record, take.list)
    except ValueError:
        return _WRONG_SHAPE
    if items is None:
        return ""
    if take.how == "count":
        return str(len(items))
    if take.how == "first":
        return next((text for item in items if (text := _part(item, take.item))), "")
    if take.how == "sum" and any(item and not _as_spelt(take.item, tuple(item)) for item in items):
        return _WRONG_SHAPE  # an amount under another name is not no amount
    values = [value for item in items if (value := _part(item, take.item))]
    if take.how == "last":  # the greatest text is the last day only where all days are written alike
        return max(values, default="") if len({re.sub(r"\d+", "", value) for value in values}) < 2 else _WRONG_SHAPE
    return _total(values)


def _items(record: Record, name: str) -> list[Record] | None:
    """The objects of a list, None where there is no list; "" and null say nothing as well.

    Raises ValueError where there is something else.
    """
    value = record.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, list) or any(isinstance(i, _Repeated) or not isinstance(i, dict) for i in value):
        raise ValueError(name)
    return value


@lru_cache(maxsize=1024)
def _as_spelt(name: str, names: tuple[str, ...]) -> str:
    """What an object with these names calls a field; "" where it has none."""
    return name if name in names else _as_declared([name], names).get(name, "")


def _part(item: Record, name: str) -> str:
    return _scalar(item.get(name if name in item else _as_spelt(name, tuple(item))))


def _holds(record: Record, test: dict[str, Any]) -> bool:
    wanted = [str(word) for word in test.get("in", ())]
    if "field" in test:
        values = [_scalar(record.get(test["field"]))]
    else:
        values = [_part(item, test["item"]) for item in _items(record, test["list"]) or []]
    if not wanted:
        return any(values)
    values = [_BOOLEANS.get(value, value) for value in values]
    if all(word.isdecimal() for word in wanted) and not all(value.isdecimal() for value in values if value):
        raise ValueError(test)  # a word among numbers: nobody said whether it means yes
    return any(value in wanted for value in values)


def _total(values: list[str]) -> str:
    if not values:
        return ""
    matches = [_AMOUNT.fullmatch(value) for value in values]
    if not all(matches):
        return _WRONG_SHAPE
    amounts = [int(match.group(1).replace(".", "")) for match in matches if match]
    return str(sum(amounts) if min(amounts) >= 0 else min(amounts))  # a negative one is told, not made up for


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else _WRONG_SHAPE
