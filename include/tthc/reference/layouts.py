"""Layouts read from `layouts/*.toml`, one per file form a portal writes; CONTRIBUTING.md explains every setting."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.domain.working_days import is_known_place
from tthc.reference.files import directories, read_toml
from tthc.reference.layout import (
    CANONICAL,
    FEEDS,
    KEYED,
    KINDS,
    SUMMARIES,
    Column,
    Condition,
    Derivation,
    Layout,
    Taken,
)
from tthc.reference.layout_faults import check_layout_settings
from tthc.reference.measures import Measure, identity_of, read_measures
from tthc.settings import Settings

__all__ = [
    "CANONICAL", "FEEDS", "KEYED", "KINDS", "SUMMARIES", "Column", "Condition", "Derivation", "Layout", "Taken",
    "read_layouts",
]  # fmt: skip

_LISTS = {f.name for f in fields(Layout) if str(f.type).startswith("tuple")} - {"columns", "identities"}
_COLUMN_LISTS = {f.name for f in fields(Column) if str(f.type).startswith("tuple")}
# How a setting's type is declared → what TOML makes of it, and what to call that.
_TYPES = {
    "str": (str, "a text in quotes"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false, without quotes"),
    "date": (date, "a day without quotes, such as 2026-01-31"),
    "dict[str, str]": (dict, 'a table of texts, such as { "a" = "b" }'),
}


def _check_types(raw: dict[str, Any], kind: type[Layout | Column], where: str) -> None:
    """Lists and settings of several parts are looked at where they are taken apart."""
    for one in fields(kind):
        declared, called = _TYPES.get(str(one.type).removesuffix(" | None"), (object, ""))
        value = raw.get(one.name)
        texts = [*value.values()] if declared is dict and isinstance(value, dict) else []
        wrong = declared is not object and type(value) is not declared
        if one.name in raw and (wrong or any(not isinstance(text, str) for text in texts)):
            raise ReferenceFault(f"{where}, {one.name}: {value!r} is not {called}")


def _condition(raw: Any, where: str) -> Condition:
    known = isinstance(raw, dict) and not set(raw) - {"column", "in", "not_in"}
    if not known or not isinstance(raw.get("column"), str) or ("in" in raw) == ("not_in" in raw):
        raise ReferenceFault(f"{where}: a condition has `column`, and `in` or `not_in` with a list of words")
    words = raw.get("in", raw.get("not_in"))
    return Condition(column=raw["column"], words=_texts(words, where), negated="not_in" in raw)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ReferenceFault(f'{where}: a list of texts is needed, such as ["A", "B"]')
    return tuple(value)


def _column(name: str, raw: dict[str, Any], where: str) -> Column:
    where = f"{where}, [columns.{name}]"
    known = {f.name for f in fields(Column)} - {"name", "measure"}
    if set(raw) - known:
        raise ReferenceFault(
            f"{where}: {sorted(set(raw) - known)} is not a setting of a column; known are {sorted(known)}"
        )
    values: dict[str, Any] = {
        key: _texts(value, f"{where}, {key}") if key in _COLUMN_LISTS else value for key, value in raw.items()
    }
    _check_types({key: value for key, value in raw.items() if key != "codes"}, Column, where)
    values.setdefault("headings", ())
    if "codes" in raw:
        if not isinstance(raw["codes"], dict):
            raise ReferenceFault(f'{where}, codes: a table of words is needed, such as {{ "A" = "1" }}')
        values["codes"] = {str(word): str(code) for word, code in raw["codes"].items()}
    if "when" in raw:
        values["when"] = _condition(raw["when"], f"{where}, when")
    if take := raw.get("take"):
        try:
            values["take"] = Taken(**{**take, "any_of": tuple(take.get("any_of", ()))})
        except TypeError as error:
            raise ReferenceFault(f"{where}, take: needs `how`, and what CONTRIBUTING.md lists for it") from error
    return Column(name=name, **values)


def _derivation(raw: Any, where: str) -> Derivation:
    ways = {
        "when_present": {"then", "otherwise"},
        "first_of": {"otherwise"},
        "join": set(),
        "after": {"days", "working"},
    }
    said = [way for way in ways if isinstance(raw, dict) and way in raw]
    if len(said) != 1 or set(raw) - ways[said[0]] - set(said) or (said == ["when_present"] and len(raw) != 3):
        raise ReferenceFault(
            f"{where}: needs when_present, then and otherwise; or first_of; or join; or after and days"
        )
    values = dict(raw)
    for key, value in raw.items():
        if key in {"first_of", "join"}:
            values[key] = _texts(value, f"{where}, {key}")
        elif key == "days" and type(value) is int and value >= 0:
            values[key] = str(value)
        elif not isinstance(value, bool if key == "working" else str) or value == "":
            raise ReferenceFault(f"{where}, {key}: {value!r} is not what CONTRIBUTING.md lists for it")
    return Derivation(**values)


def _layout(raw: dict[str, Any], where: str, measures: dict[str, Measure]) -> Layout:
    known = {f.name for f in fields(Layout)} - {"path"}
    unknown = set(raw) - known
    if unknown:
        raise ReferenceFault(f"{where}: {sorted(unknown)} is not a setting of a layout; known are {sorted(known)}")
    missing = {"id", "title", "feed", "kind", "columns"} - set(raw)
    if missing:
        raise ReferenceFault(f"{where}: {sorted(missing)} must be filled")
    values: dict[str, Any] = dict(raw)
    for key in _LISTS & set(raw) - {"only_rows"}:
        values[key] = _texts(raw[key], f"{where}, {key}")
    _check_types(raw, Layout, where)
    if not isinstance(only_rows := raw.get("only_rows", []), list):
        raise ReferenceFault(f"{where}, only_rows: a list of conditions is needed")
    values["only_rows"] = tuple(_condition(part, f"{where}, only_rows") for part in only_rows)
    derived = raw.get("derived", {})
    if not isinstance(derived, dict):
        raise ReferenceFault(f"{where}, derived: a table [derived.<name>] for each column is needed")
    values["derived"] = {name: _derivation(one, f"{where}, derived.{name}") for name, one in derived.items()}
    columns = [_column(name, column, where) for name, column in raw["columns"].items()]
    if raw["feed"] in SUMMARIES:
        columns = [replace(column, measure=measures.get(column.name)) for column in columns]
    values["columns"] = tuple(columns)
    identities = _texts(raw.get("identities", []), f"{where}, identities")
    values["identities"] = tuple(identity_of(text, where=where) for text in identities)
    return Layout(**values, path=where)


def read_layouts(settings: Settings) -> dict[str, Layout]:
    """All layouts by id. `extends = "<id>"` starts from another layout's settings and columns; a file that extends its
    own id is a patch, laid over the file of that id read before it.

    Raises ReferenceFault, which names the file and the setting.
    """
    measures = read_measures(settings)
    raws: dict[str, list[tuple[dict[str, Any], Path]]] = {}
    for directory in directories(settings):
        for path in sorted((directory / "layouts").glob("*.toml")):
            raw = {"id": path.stem} | read_toml(path)
            columns = raw.get("columns", {})
            if not isinstance(columns, dict) or not all(isinstance(one, dict) for one in columns.values()):
                raise ReferenceFault(f"{path}, columns: a table [columns.<name>] for each column is needed")
            for key in {"id", "extends"} & raw.keys():
                if not isinstance(raw[key], str):
                    raise ReferenceFault(f"{path}, {key}: the id of a layout in quotes is needed")
            versions = raws.setdefault(raw["id"], [])
            if raw.get("extends") != raw["id"]:
                if any(earlier.parent == path.parent for _, earlier in versions):
                    raise ReferenceFault(f"{path}, id: {versions[-1][1].name} has the id {raw['id']!r} already")
                versions.clear()
            versions.append((raw, path))
    layouts = {}
    for layout_id, versions in raws.items():
        layouts[layout_id] = _layout(_whole(layout_id, raws, ()), str(versions[-1][1]), measures)
        check_layout_settings(layouts[layout_id], set(measures))
        if not is_known_place(country := layouts[layout_id].holidays):
            where = f"{layouts[layout_id].path}, holidays"
            raise ReferenceFault(f"{where}: {country!r} is no country whose holidays are known, such as NL or US-PA")
    return layouts


def _whole(layout_id: str, raws: dict[str, list[tuple[dict[str, Any], Path]]], seen: tuple[str, ...]) -> dict[str, Any]:
    """The settings of a layout with those of the one it extends, and its patches laid over them."""
    if layout_id not in raws or layout_id in seen:
        raise ReferenceFault(f"layout {seen[-1]!r} extends {layout_id!r}, which does not exist or extends it in turn")
    (first, path), *patches = raws[layout_id]
    raw = dict(first)
    if base_id := raw.pop("extends", None):
        if base_id == layout_id:
            raise ReferenceFault(f"{path}, extends: no layout {layout_id!r} was read before this patch of it")
        base = _whole(base_id, raws, (*seen, layout_id))
        raw = base | raw | {"columns": base.get("columns", {}) | raw.get("columns", {})}
    for patch, _ in patches:
        columns = dict(raw.get("columns", {}))
        for name, column in patch.get("columns", {}).items():
            columns[name] = columns.get(name, {}) | column  # a patch names only what it changes
        raw = raw | {key: value for key, value in patch.items() if key != "extends"} | {"columns": columns}
    return raw
