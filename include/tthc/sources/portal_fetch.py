"""What a portal delivers for one night: one file, or one a commune; each ends fetched, unchanged, empty or failed.

A failure of one delivery leaves the others alone; only when the portal itself fails several times in a row are the
rest not asked any more.
"""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock

from tthc.domain.errors import OutsideSystemFailed, PortalFailed, TthcError
from tthc.reference.portals import WHOLE, Portal
from tthc.settings import PortalAccess
from tthc.sources.page_store import PageStore, stamp_of
from tthc.sources.portal_body import prove
from tthc.sources.portal_clock import Clock
from tthc.sources.portal_pages import collect
from tthc.sources.portal_talk import Answer, SignIn, Talk

_LOOK_AT_LOCK = 0.1  # seconds between two looks whether another run has ended
_GIVE_UP_AFTER = 3  # deliveries in a row that fail because the portal itself does


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was fetched before and is still in the landing store, with what the portal then said about its age."""

    sha256: str
    file_name: str
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of one delivery. `outcome`: fetched (`path` holds it), unchanged, empty or failed (with a reason)."""

    unit_code: str
    outcome: str
    file_name: str
    path: Path | None = None
    etag: str = ""
    last_modified: str = ""
    reason: str = ""
    detail: str = ""
    passing: bool = False  # asking again may help


class Portals:
    """One source's portal on one night. `spool` is a directory only its owner may read."""

    def __init__(self, portal: Portal, access: PortalAccess, night: date, spool: Path) -> None:
        self._portal, self._access, self._night, self._spool = portal, access, night, spool
        self._signed = SignIn()
        self._ends_at = time.monotonic() + portal.limits.night_seconds
        self._in_a_row: PortalFailed | None = None
        self._failures = 0
        self._clocks: list[Clock] = []
        self._lock = Lock()

    def fetch(self, units: Mapping[str, str], known: Mapping[str, Known]) -> Generator[Fetched, None, None]:
        """Ask for every unit (our code → the portal's), a few at once; what comes first is told first.

        One run at a time: the next waits, as long as its night lasts. Raises Misconfigured when the portal wants a
        credential we do not have, OutsideSystemFailed when what came cannot be kept.
        """
        with self._alone():
            yield from self._asked(units, known)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = os.open(self._spool, os.O_RDONLY)
        except OSError as error:
            raise self._not_kept("", error) from error
        try:  # a process that dies lets go of it
            while not _locked(folder):
                if time.monotonic() >= self._ends_at:
                    raise OutsideSystemFailed(
                        f"another run is still fetching this source into {self._spool}; "
                        "when it has ended, run the same command again"
                    )
                time.sleep(_LOOK_AT_LOCK)
            yield
        finally:
            os.close(folder)

    def _asked(self, units: Mapping[str, str], known: Mapping[str, Known]) -> Iterator[Fetched]:
        pool = ThreadPoolExecutor(self._portal.limits.concurrency, thread_name_prefix="portal")
        try:
            asked = [pool.submit(self._one, unit, theirs, known.get(unit)) for unit, theirs in units.items()]
            for done in as_completed(asked):
                yield done.result()
        finally:
            for clock in self._clocks:
                clock.ends_at = 0.0  # whoever still waits, when a run is broken off, waits no longer
            pool.shutdown(wait=True, cancel_futures=True)

    def drop(self, fetched: Fetched) -> None:
        """Throw away what was kept of a delivery that has been landed."""
        shutil.rmtree(self._directory(fetched.unit_code), ignore_errors=True)

    def _not_kept(self, what: str, error: OSError) -> OutsideSystemFailed:
        return OutsideSystemFailed(
            f"what a portal sent{what} could not be kept in {self._spool}: {error.strerror or type(error).__name__}; "
            "free space there or give leave to write, then run the same command again"
        )

    def _directory(self, unit: str) -> Path:
        return self._spool / self._night.isoformat() / unit.replace(WHOLE, "all")

    def _one(self, unit: str, theirs: str, known: Known | None) -> Fetched:
        name = self._portal.name_of(unit, self._night)
        try:
            if self._failures >= _GIVE_UP_AFTER and self._in_a_row:
                raise self._in_a_row
            fetched = self._delivery(unit, theirs, name, known)
        except PortalFailed as failed:
            return self._failed(unit, name, failed)
        except OSError as error:
            raise self._not_kept(f" for {name}", error) from error
        except TthcError:
            raise
        except Exception as error:
            detail = f"câu trả lời không xử lý được / an answer nobody foresaw ({type(error).__name__})"
            return self._failed(unit, name, PortalFailed("PORTAL_SHAPE", detail))
        with self._lock:
            self._failures, self._in_a_row = 0, None
        return fetched

    def _failed(self, unit: str, name: str, failed: PortalFailed) -> Fetched:
        with self._lock:
            self._failures = self._failures + 1 if failed.everywhere else 0
            self._in_a_row = failed if failed.everywhere else None
        return Fetched(
            unit_code=unit,
            outcome="failed",
            file_name=name,
            reason=failed.reason,
            detail=failed.detail,
            passing=failed.passing,
        )

    def _delivery(self, unit: str, theirs: str, name: str, known: Known | None) -> Fetched:
        limits = self._portal.limits
        clock = Clock(limits, min(self._ends_at, time.monotonic() + limits.deadline_seconds))
        self._clocks.append(clock)
        talk = Talk(self._portal, self._access, self._signed, clock)
        directory = self._directory(unit)
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            parameters = self._portal.parameters(self._night, theirs)
            if self._portal.paging:
                return self._pages(talk, parameters, directory, unit, name)
            return self._file(talk, parameters, directory, known, unit, name)
        finally:
            talk.close()

    def _pages(self, talk: Talk, parameters: dict[str, str], directory: Path, unit: str, name: str) -> Fetched:
        assert self._portal.paging is not None
        blank = parameters | {"page": "", "size": "", "offset": "", "cursor": ""}
        question = stamp_of(self._portal.paging, talk.base, self._portal.target(blank), repr(self._portal.body))
        store = PageStore(directory, question)
        count = collect(talk, parameters, store)
        if not count:
            return Fetched(unit_code=unit, outcome="empty", file_name=name)
        return Fetched(unit_code=unit, outcome="fetched", file_name=name, path=store.assemble())

    def _file(
        self, talk: Talk, parameters: dict[str, str], directory: Path, known: Known | None, unit: str, name: str
    ) -> Fetched:
        target, into = self._portal.target(parameters), directory / "arriving"
        # what another period's file was like says nothing of this one
        same = known is not None and known.file_name == name
        headers = _conditions(known) if known and same and self._portal.conditional else {}
        answer = talk.ask(target, parameters, into, headers)
        if answer.status == 304 and known:
            return Fetched(
                unit_code=unit,
                outcome="unchanged",
                file_name=known.file_name,
                etag=known.etag,
                last_modified=known.last_modified,
            )
        if answer.body is None:
            return Fetched(unit_code=unit, outcome="empty", file_name=name)
        prove(self._portal, answer.body, answer.headers)
        self._look_again(talk, target, parameters, answer, directory)
        return Fetched(
            unit_code=unit,
            outcome="fetched",
            file_name=name,
            path=into,
            etag=answer.headers.get("ETag", ""),
            last_modified=answer.headers.get("Last-Modified", ""),
        )

    def _look_again(self, talk: Talk, target: str, parameters: dict[str, str], answer: Answer, directory: Path) -> None:
        """A file that is still being written is another one at the second look. Raises PortalFailed PORTAL_GROWING."""
        growing = PortalFailed(
            "PORTAL_GROWING", "tệp trên cổng còn đang được ghi / the file changed while it was fetched"
        )
        assert answer.body is not None
        if "second_look" in self._portal.proof:
            again = talk.ask(target, parameters, directory / "again")
            if again.body is None or not filecmp.cmp(again.body.path, answer.body.path, shallow=False):
                raise growing
            return
        if self._portal.method != "GET":
            return
        told = {
            name: answer.headers[name] for name in ("ETag", "Last-Modified", "Content-Length") if name in answer.headers
        }
        if told:
            looked = talk.ask(target, parameters, None, _conditions_of(told))
            if looked.status != 304 and any(looked.headers.get(name) != value for name, value in told.items()):
                raise growing


def _locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _conditions(known: Known) -> dict[str, str]:
    return _conditions_of({"ETag": known.etag, "Last-Modified": known.last_modified})


def _conditions_of(told: Mapping[str, str]) -> dict[str, str]:
    pairs = (("If-None-Match", told.get("ETag")), ("If-Modified-Since", told.get("Last-Modified")))
    return {name: value for name, value in pairs if value}
