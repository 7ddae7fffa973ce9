"""Pages of a list on disk, complete ones only, until they are one file."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from tthc.reference.portals import Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is remembered of a page: `digest` of its records, what it said of the whole, where it was asked for."""

    digest: str
    count: int
    total: int | None
    pages: int | None
    asked: str
    following: str


class PageStore:
    """The pages of one delivery on disk, complete ones only. `stamp` tells of which question they are the answer."""

    def __init__(self, directory: Path, stamp: str) -> None:
        self.directory = directory
        self._stamp = stamp
        self.pages: list[Page] = []
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            told = json.loads((directory / "journal.json").read_text(encoding="utf-8"))
            pages = [Page(**page) for page in told["pages"]] if told["stamp"] == stamp else []
        except (OSError, ValueError, TypeError, KeyError):
            pages = []
        for number, page in enumerate(pages):
            if digest_of(self._kept(number)) != page.digest:
                break
            self.pages.append(page)

    def records(self, number: int) -> list[str]:
        """The records of a page, counted from 0."""
        return self._kept(number) or []

    def add(self, page: Page, records: list[str]) -> None:
        """Keep a complete page: on disk before it is in the journal."""
        _write(self.directory / f"{len(self.pages):06}.json", json.dumps(records, ensure_ascii=False))
        self.pages.append(page)
        told = {"stamp": self._stamp, "pages": [asdict(page) for page in self.pages]}
        _write(self.directory / "journal.json", json.dumps(told))

    def clear(self) -> None:
        """Forget all pages."""
        self.pages = []
        for path in self.directory.glob("*.json"):
            path.unlink()

    def assemble(self) -> Path:
        """One JSON array of all records, each as the portal wrote it: the same records give the same bytes."""
        path = self.directory / "assembled"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write("[")
            for number in range(len(self.pages)):
                for place, record in enumerate(self.records(number)):
                    file.write(",\n" if number or place else "\n")
                    file.write(record)
            file.write("\n]\n")
        return path

    def _kept(self, number: int) -> list[str] | None:
        try:
            kept = json.loads((self.directory / f"{number:06}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept if isinstance(kept, list) else None


def digest_of(records: list[str] | None) -> str:
    """A hash of records as they were written; empty for records that are not there."""
    if records is None:
        return ""
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.encode() + b"\0")
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also when the machine stops."""
    arriving = path.with_suffix(".part")
    with arriving.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(arriving, path)


def stamp_of(paging: Paging, base: str, target: str, body: str) -> str:
    """Of which question pages are the answer."""
    return hashlib.sha256(repr((asdict(paging), base, target, body)).encode()).hexdigest()
