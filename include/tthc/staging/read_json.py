"""JSON as text: an array of objects whose numbers keep every digit, nested lists reduced as the layout says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Column, Layout
from tthc.staging.grid import Listed
from tthc.staging.json_shape import elements_of, flat

Record = dict[str, Any]

# Whole đồng: 50000, 50.000 (a dot and three digits groups thousands), 50000.0 or 50000.00.
_AMOUNT = re.compile(r"(-?[0-9]{1,15}|-?[0-9]{1,3}(?:\.[0-9]{3}){1,4})(?:\.0{1,2})?")


def records_of(path: Path, layout: Layout) -> tuple[list[Record], list[int]]:
    """Objects of the array, and the 1-based positions of elements that are no objects."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused("ENCODING", "tệp JSON không phải UTF-8 / not UTF-8") from error
    if layout.kind == "ndjson":
        elements = [_loads(line, number) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    else:
        elements = elements_of(_loads(text), layout)
    odd = [position for position, record in enumerate(elements, start=1) if not isinstance(record, dict)]
    listed = Listed((*layout.ignored, *layout.personal, *(h for c in layout.columns for h in c.headings)))
    return [flat(record, listed) for record in elements if isinstance(record, dict)], odd


def _loads(text: str, line: int = 0) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
    except RecursionError as error:
        raise FileRefused("JSON_DEPTH", "JSON lồng quá sâu / nested too deeply") from error
    except json.JSONDecodeError as error:
        where = f"dòng {line or error.lineno}, cột {error.colno}"
        raise FileRefused(
            "FILE_TRUNCATED", f"JSON không trọn vẹn hoặc sai cú pháp ở {where} / not whole JSON"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise FileRefused("DUPLICATE_COLUMN", "một bản ghi có hai trường trùng tên / a record repeats a field name")
    return record


def text_of(record: Record, column: Column, fields: Sequence[str]) -> str:
    """A canonical value as text; empty when the field is absent or null, `{}` when it has the wrong shape.

    `fields`: what the file calls the column, spelt as in its records.
    """
    take = column.take
    if take is None:
        return next((_scalar(record[field]) for field in fields if field in record), "")
    if take.how == "any_of":
        present = any(name in record for test in take.any_of for name in (test.get("field"), test.get("list")) if name)
        return ("1" if any(_holds(record, test) for test in take.any_of) else "0") if present else ""
    items = _items(record, take.list)
    if items is None:
        return ""
    if take.how == "count":
        return str(len(items))
    values = [value for item in items if (value := _scalar(item.get(take.item)))]
    if take.how == "last":
        return max(values, default="")
    return _total(values)


def _items(record: Record, name: str) -> list[Record] | None:
    value = record.get(name)
    if not isinstance(value, list):
        return None
    return [item for item in value if isinstance(item, dict)]


def _holds(record: Record, test: dict[str, Any]) -> bool:
    wanted = test.get("in")
    if "field" in test:
        values = [_scalar(record.get(test["field"]))]
    else:
        values = [_scalar(item.get(test["item"])) for item in _items(record, test["list"]) or []]
    return any(value in wanted if wanted else bool(value) for value in values)


def _total(values: list[str]) -> str:
    if not values:
        return ""
    matches = [_AMOUNT.fullmatch(value) for value in values]
    if not all(matches):
        return "{}"
    return str(sum(int(match.group(1).replace(".", "")) for match in matches if match))


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.strip() if isinstance(value, str) else "{}"
