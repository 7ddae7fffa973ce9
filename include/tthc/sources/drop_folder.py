"""A drop folder: DIR/<source_id>/<files>, as a portal's operator or a clerk leaves them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tthc.domain.errors import Misconfigured
from tthc.reference.sources import Source

_NO_EXPORT = re.compile(r"~\$.*|thumbs\.db|desktop\.ini", re.IGNORECASE)  # ~$a.xlsx says that someone has a.xlsx open


def waiting_files(drop: Path, sources: dict[str, Source], only: str | None) -> Iterator[tuple[str, str, Path]]:
    """(source_id, file name within the source's folder, path), ordered by name. Hidden files and what Excel and Windows
    leave beside files are left alone.

    `only` looks into one source's folder and needs nothing of the others. Raises Misconfigured when the drop folder is
    missing or holds a folder of a source that no sources.toml names.
    """
    if not drop.is_dir():
        raise Misconfigured(
            f"{drop} is not a directory; it should hold one folder a source, such as {drop}/mot_cua_csv/"
        )
    if only is not None:
        folders = [drop / only] if (drop / only).is_dir() else []
    else:
        folders = sorted(entry for entry in drop.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    unknown = [folder.name for folder in folders if folder.name not in sources]
    if unknown:
        raise Misconfigured(
            f"{drop} holds folders of sources that sources.toml does not name: {', '.join(unknown)}; "
            f"known are {', '.join(sources)}. If they are nights, load one: {drop / unknown[0]}"
        )
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.is_file() and not hidden and not _NO_EXPORT.fullmatch(path.name):
                yield folder.name, _readable(str(path.relative_to(folder))), path


def _readable(name: str) -> str:
    """A name whose bytes are no UTF-8 shows its odd bytes as U+FFFD: it is only told, never used to open the file."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
