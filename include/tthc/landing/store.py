"""The landing store: every received file once, under its SHA-256, never edited; the only place with personal data."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tthc.domain.errors import FileRefused, OutsideSystemFailed
from tthc.settings import LOCAL, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One delivery: these bytes, under this name, from this source, for this night."""

    source_id: str
    night: date
    file_name: str
    sha256: str


def path_of(settings: Settings, sha256: str) -> Path:
    """Where the bytes lie."""
    return settings.landing / sha256[:2] / sha256


def land(settings: Settings, path: Path, *, source_id: str, file_name: str, night: date) -> Receipt:
    """Copy a file into the store (once) and note its receipt in the ledger.

    Raises FileRefused NOT_STABLE when the file changed while it was read, OutsideSystemFailed when it cannot be kept.
    """
    try:
        settings.landing.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.landing.chmod(0o700)
        before = path.stat()
        sha256 = _copy(settings.landing, path)
        after = path.stat()
    except OSError as error:
        raise OutsideSystemFailed(f"{path} could not be landed in {settings.landing}: {error.strerror}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileRefused("NOT_STABLE", "tệp còn đang được ghi; sẽ nhận lại lần sau / the file is still growing")
    receipt = Receipt(source_id=source_id, night=night, file_name=file_name, sha256=sha256)
    _note(settings, receipt)
    return receipt


def _copy(landing: Path, path: Path) -> str:
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=landing, prefix=".incoming-", delete=False) as copy:
        try:
            with path.open("rb") as original:
                while block := original.read(1 << 20):
                    digest.update(block)
                    copy.write(block)
            copy.flush()
            sha256 = digest.hexdigest()
            target = landing / sha256[:2] / sha256
            if target.exists():
                Path(copy.name).unlink()
            else:
                os.fsync(copy.fileno())
                target.parent.mkdir(exist_ok=True, mode=0o700)
                os.rename(copy.name, target)
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise
    return sha256


def _note(settings: Settings, receipt: Receipt) -> None:
    line = json.dumps(
        {
            "source_id": receipt.source_id,
            "night": receipt.night.isoformat(),
            "file_name": receipt.file_name,
            "sha256": receipt.sha256,
            "landed_at": datetime.now(LOCAL).isoformat(timespec="seconds"),
        },
        ensure_ascii=False,
    )
    with (settings.landing / "ledger.jsonl").open("a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")
