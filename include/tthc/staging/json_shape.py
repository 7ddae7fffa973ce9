"""Where the records of a JSON file are: in an envelope, as rows of cells with names elsewhere, or as nested objects."""

from __future__ import annotations

from typing import Any

from tthc.domain.errors import FileRefused
from tthc.reference.layout import Layout
from tthc.staging.grid import Listed


def elements_of(whole: Any, layout: Layout) -> list[Any]:
    """The elements `records` leads to; rows of cells become objects with the names `record_fields` leads to.

    Raises FileRefused (JSON_SHAPE) when there is no array, or a row has more or fewer cells than there are names.
    """
    elements = follow(whole, layout.records)
    if not isinstance(elements, list) or (layout.records and elements and not any(elements)):
        detail = f"không có mảng bản ghi «{layout.records}»" if layout.records else "cần một mảng các bản ghi"
        raise FileRefused("JSON_SHAPE", f"{detail} / an array of records is needed")
    if not layout.record_fields:
        return elements
    if layout.record_fields == "first_row":
        names, elements = elements[:1], elements[1:]
        names = names[0] if names else []
    else:
        names = follow(whole, layout.record_fields)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise FileRefused("JSON_SHAPE", f"không có tên cột ở «{layout.record_fields}» / no field names there")
    # A row that does not line up with the names is no record, and is refused by its number.
    return [
        dict(zip(names, row, strict=True)) if isinstance(row, list) and len(row) == len(names) else None
        for row in elements
    ]


def follow(value: Any, path: str) -> Any:
    """What stands at "a.b.c"; through an array the path is followed in each of its elements."""
    for name in path.split(".") if path else ():
        if isinstance(value, list):
            value = [part.get(name) if isinstance(part, dict) else None for part in value]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def flat(record: dict[str, Any], listed: Listed, above: str = "") -> dict[str, Any]:
    """A record whose objects count as their parts, "a.b", unless the layout lists the object itself."""
    if not any(isinstance(value, dict) for value in record.values()):
        return {above + name: value for name, value in record.items()} if above else record
    parts: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and above + name not in listed:
            parts |= flat(value, listed, f"{above}{name}.")
        else:
            parts[above + name] = value
    return parts
