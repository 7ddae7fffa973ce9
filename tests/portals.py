"""A simulated portal with a little data of its own, and one fetch of it, for the tests of fetching."""

from __future__ import annotations

import socketserver
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import exports
from tthc.reference.portals import Limits, Portal, read_portal
from tthc.settings import PortalAccess
from tthc.sources.portal_fetch import Fetched, Known, Portals

NIGHT = date(2026, 3, 12)
UNITS = {"18373": "UBND xã Tiên Điền", "18352": "UBND xã Nghi Xuân", "18394": "UBND xã Cổ Đạm"}
CSV, JSON = "mot_cua_csv", "dvcqg_json"
LIMITS = {
    "connect_seconds": 1,
    "read_seconds": 3,
    "deadline_seconds": 10,
    "min_bytes_per_second": 1000,
    "rate_window_seconds": 0.6,
    "max_megabytes": 2,
    "retries": 2,
    "backoff_seconds": 0.02,
    "retry_after_seconds": 0.05,
}


def rows_of(unit: str, count: int = 30) -> list[exports.Row]:
    """Synthetic dossiers of one commune."""
    return [
        exports.dossier(f"H-{unit}-{n:04}", unit_name=UNITS[unit], **{"Chủ hồ sơ": f"NGƯỜI GIẢ {n}"})
        for n in range(count)
    ]


def write_data(folder: Path, count: int = 30) -> Path:
    """Exports of three communes as CSV and JSON, as `tthc simulate` lays them out."""
    for unit in UNITS:
        rows = rows_of(unit, count)
        for source, name, content in (
            (CSV, f"{unit}.csv", exports.csv_list(rows)),
            (JSON, f"{unit}.json", exports.json_list(rows)),
        ):
            path = folder / NIGHT.isoformat() / source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def files_table(url: str, **settings: Any) -> dict[str, Any]:
    """[source.portal] of a portal that serves a CSV file a commune."""
    limits = LIMITS | settings.pop("limits", {})
    return {
        "url": url,
        "path": f"/files/{CSV}/{{unit}}?night={{night}}",
        "units": list(UNITS),
        "file_name": "{unit}.csv",
        "networks": ["127.0.0.1/32"],
        "limits": limits,
    } | settings


def pages_table(url: str, **settings: Any) -> dict[str, Any]:
    """[source.portal] of a portal that serves JSON records of a commune in pages of seven."""
    limits = LIMITS | settings.pop("limits", {})
    paging = {
        "kind": "page",
        "records_at": "data.items",
        "size": 7,
        "total_at": "data.total",
        "pages_at": "data.pages",
        "page_at": "data.page",
    } | settings.pop("paging", {})
    return {
        "url": url,
        "path": f"/records/{JSON}?night={{night}}&unit={{unit}}&page={{page}}&size={{size}}",
        "units": list(UNITS),
        "ok_at": "code",
        "networks": ["127.0.0.1/32"],
        "paging": {name: value for name, value in paging.items() if value != ""},
        "limits": limits,
    } | settings


def read(table: dict[str, Any]) -> Portal:
    return read_portal(table, "cong_thu", Path())


def limited(portal: Portal, **limits: Any) -> Portal:
    """The same portal with other limits."""
    return replace(portal, limits=Limits(**(LIMITS | limits)))


def fetched(
    table: dict[str, Any],
    spool: Path,
    *,
    access: PortalAccess | None = None,
    known: Mapping[str, Known] | None = None,
) -> dict[str, Fetched]:
    """What became of every unit; it must not take longer than the deadline and a tenth of it."""
    portal = read(table)
    began = time.monotonic()
    portals = Portals(portal, access or PortalAccess(), NIGHT, spool)
    units = portal.units_served([], NIGHT)
    told = {one.unit_code: one for one in portals.fetch(units, known or {})}
    rounds = -(-len(units) // portal.limits.concurrency)
    assert time.monotonic() - began < rounds * portal.limits.deadline_seconds * 1.1 + 1
    return told


def reasons(told: Mapping[str, Fetched]) -> dict[str, str]:
    """Unit → reason of what failed, "" where it did not."""
    return {unit: one.reason for unit, one in told.items()}


class Liar(socketserver.ThreadingTCPServer):
    """Sends what `tell` makes of a request line, byte for byte, and hangs up."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, tell: Callable[[str], bytes], handler: type[LiarHandler] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or LiarHandler)
        self.tell = tell
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is right to."""


class LiarHandler(socketserver.StreamRequestHandler):
    """Reads a question, answers it and, unless a test goes on, hangs up."""

    server: Liar

    def handle(self) -> None:
        """Answer one question."""
        line = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        self.wfile.write(self.server.tell(line))
