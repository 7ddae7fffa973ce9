"""How reference files are read: the shipped ones, with the files of TTHC_REFERENCE laid over them by key."""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Sequence
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.domain.text import clean
from tthc.settings import REFERENCE, Settings

Row = dict[str, str]


def directories(settings: Settings) -> list[Path]:
    """The shipped directory, then the overlay if one is set."""
    overlay = settings.reference_overlay
    if overlay is None:
        return [REFERENCE]
    if not overlay.is_dir():
        raise ReferenceFault(f"TTHC_REFERENCE names {overlay}, which is not a directory")
    return [REFERENCE, overlay]


def fingerprint(settings: Settings) -> str:
    """A hash of every reference file in force, of the province they are read for and of the holidays they rest on."""
    digest = hashlib.sha256(f"{settings.province} {metadata.version('tthc')} {metadata.version('holidays')}".encode())
    for directory in directories(settings):
        for path in sorted(path for path in directory.rglob("*") if path.suffix in {".csv", ".toml"}):
            digest.update(str(path.relative_to(directory)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def read_rows(settings: Settings, name: str, *, columns: Sequence[str], key: Sequence[str]) -> list[Row]:
    """Rows of a CSV file, overlay rows replacing shipped rows of the same key; text is NFC and trimmed."""
    merged: dict[tuple[str, ...], Row] = {}
    for directory in directories(settings):
        path = directory / name
        if not path.exists():
            continue
        seen: set[tuple[str, ...]] = set()
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, strict=True)
            if reader.fieldnames is None or set(columns) - set(reader.fieldnames):
                missing = sorted(set(columns) - set(reader.fieldnames or []))
                raise ReferenceFault(f"{path}: columns {missing} are missing; the file needs {list(columns)}")
            for line, raw in enumerate(reader, start=2):
                row = {column: clean(raw[column] or "") for column in columns}
                row_key = tuple(row[column] for column in key)
                if row_key in seen:
                    raise ReferenceFault(f"{path}, line {line}: {dict(zip(key, row_key, strict=True))} occurs twice")
                seen.add(row_key)
                merged[row_key] = row
    return list(merged.values())


def read_toml(path: Path) -> dict[str, Any]:
    """One TOML file as a table."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReferenceFault(f"{path} cannot be read: {error}") from error


def day(text: str, *, where: str) -> date | None:
    """An ISO date, None when empty."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ReferenceFault(f"{where}: {text!r} is not a date of the form yyyy-mm-dd") from error


def truth(text: str, *, where: str) -> bool | None:
    """true, false or empty (unknown)."""
    if text not in {"true", "false", ""}:
        raise ReferenceFault(f"{where}: {text!r} must be true, false or empty")
    return {"true": True, "false": False, "": None}[text]
