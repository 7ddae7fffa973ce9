"""The landing store: every received file once, under its SHA-256, never edited; the only place with personal data."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tthc.domain.errors import FileRefused, OutsideSystemFailed
from tthc.settings import LOCAL, Settings

_GROWING = "tệp còn đang được ghi; sẽ nhận lại lần sau / the file is still growing"


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


def size_of(settings: Settings, receipt: Receipt) -> int:
    """Bytes of a landed file. Raises OutsideSystemFailed when the store has lost it."""
    path = path_of(settings, receipt.sha256)
    try:
        return path.stat().st_size
    except OSError as error:
        raise OutsideSystemFailed(f"{path}, landed as {receipt.file_name}, is gone: {error.strerror}") from error


def sound_path(settings: Settings, receipt: Receipt) -> Path:
    """Where the bytes lie, to be read: they are those that were received. Raises OutsideSystemFailed when the store has
    lost or changed them."""
    size_of(settings, receipt)
    path = path_of(settings, receipt.sha256)
    if not _is_whole(path, receipt.sha256):
        what = f"{path}, landed as {receipt.file_name}, is no longer what was received"
        raise OutsideSystemFailed(f"{what}: restore it, or have the file delivered again")
    return path


def is_sound(settings: Settings, sha256: str) -> bool:
    """Whether the store still has what was received under a hash."""
    path = path_of(settings, sha256)
    return path.exists() and _is_whole(path, sha256)


def _is_whole(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


Look = tuple[int, int] | None


def look(path: Path) -> Look:
    """Size and time of change of a file, None when it is gone: two looks that differ mean it is still being written."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return seen.st_size, seen.st_mtime_ns


def land(
    settings: Settings,
    path: Path,
    *,
    source_id: str,
    file_name: str,
    night: date,
    delivered_as: str | None = None,
    first_look: Look = None,
) -> Receipt:
    """Copy a file into the store (once) and note its receipt in the ledger, with its own name if that is another.

    `first_look`: what `look` told when the folder was listed. Raises FileRefused NOT_STABLE when the file has
    changed since or somebody still writes it, OutsideSystemFailed when it cannot be kept.
    """
    before = first_look or look(path)
    try:
        settings.landing.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.landing.chmod(0o700)
        if before is None or before != look(path) or _is_being_written(path):
            raise FileRefused("NOT_STABLE", _GROWING)
        sha256 = _copy(settings.landing, path)
        if before != look(path):
            raise FileRefused("NOT_STABLE", _GROWING)
    except OSError as error:
        raise OutsideSystemFailed(
            f"{source_id}/{file_name} could not be landed in {settings.landing}: {error.strerror}"
        ) from error
    receipt = Receipt(source_id=source_id, night=night, file_name=file_name, sha256=sha256)
    _note(settings, receipt, delivered_as)
    return receipt


def _is_being_written(path: Path) -> bool:
    """Whether any process of this machine holds the file open for writing: then the kernel grants no read lease.

    Where leases are not to be had (another's file, a network drive), the looks alone decide.
    """
    with path.open("rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


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
            if target.exists() and _is_whole(target, sha256):
                Path(copy.name).unlink()
            else:
                os.fsync(copy.fileno())
                target.parent.mkdir(exist_ok=True, mode=0o700)
                os.rename(copy.name, target)
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise
    return sha256


def names_of(settings: Settings, receipt: Receipt) -> set[str]:
    """Every name under which these bytes came from the source for the night, as the ledger tells."""
    names = {receipt.file_name}
    ledger = settings.landing / "ledger.jsonl"
    if ledger.exists():
        wanted = (receipt.source_id, receipt.night.isoformat(), receipt.sha256)
        with ledger.open(encoding="utf-8") as lines:
            for line in lines:
                # A line without its end is one a kill has cut off.
                if receipt.sha256 in line and line.endswith("}\n"):
                    told = json.loads(line)
                    if (told["source_id"], told["night"], told["sha256"]) == wanted:
                        names.add(told["file_name"])
    return names


def _note(settings: Settings, receipt: Receipt, delivered_as: str | None) -> None:
    other_name = {"delivered_as": delivered_as} if delivered_as not in {None, receipt.file_name} else {}
    line = json.dumps(
        {
            "source_id": receipt.source_id,
            "night": receipt.night.isoformat(),
            "file_name": receipt.file_name,
            **other_name,
            "sha256": receipt.sha256,
            "landed_at": datetime.now(LOCAL).isoformat(timespec="seconds"),
        },
        ensure_ascii=False,
    )
    with (settings.landing / "ledger.jsonl").open("a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")
