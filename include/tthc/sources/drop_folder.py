"""A drop folder: DIR/<source_id>/<files>, as a portal's operator or a clerk leaves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tthc.domain.errors import Misconfigured
from tthc.reference.sources import Source


def waiting_files(drop: Path, sources: dict[str, Source]) -> Iterator[tuple[str, str, Path]]:
    """(source_id, file name within the source's folder, path), ordered by name; hidden files are left alone.

    Raises Misconfigured when the folder is missing or names a source that no sources.toml knows.
    """
    if not drop.is_dir():
        raise Misconfigured(
            f"{drop} is not a directory; it should hold one folder a source, such as {drop}/mot_cua_csv/"
        )
    folders = sorted(entry for entry in drop.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    unknown = [folder.name for folder in folders if folder.name not in sources]
    if unknown:
        raise Misconfigured(
            f"{drop} holds folders of sources that sources.toml does not name: {', '.join(unknown)}; "
            f"known are {', '.join(sources)}"
        )
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield folder.name, str(path.relative_to(folder)), path
