"""P1 to P20 of a portal, one named test each: bounded time, the right reason, and the other communes unaffected."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import portals
from portals import UNITS, fetched, files_table, pages_table, reasons
from tthc.simulation.portal import PortalSimulator
from tthc.simulation.portal_faults import FAULTS

BAD, *GOOD = UNITS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return portals.write_data(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def portal(data: Path) -> Iterator[PortalSimulator]:
    with PortalSimulator(data) as simulator:
        yield simulator


def ends(told: dict[str, Any], reason: str) -> None:
    """One commune fails for this reason (none: it does not), all others are there."""
    assert reasons(told) == {BAD: reason} | dict.fromkeys(GOOD, "")
    assert all(told[unit].outcome == "fetched" and told[unit].path.stat().st_size > 1000 for unit in GOOD)


def both(portal: PortalSimulator, fault: str, spool: Path, **limits: float) -> list[dict[str, Any]]:
    """The same fault while a file and while pages are fetched."""
    portal.faults = {BAD: fault}
    tables = (files_table(portal.url, limits=limits), pages_table(portal.url, limits=limits))
    return [fetched(table, spool / str(number)) for number, table in enumerate(tables)]


def test_p01_too_many_requests_is_waited_out(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "busy_once", tmp_path):
        ends(told, "")


def test_p02_a_retry_after_of_a_day_is_not_obeyed(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "busy_for_a_day", tmp_path):
        ends(told, "PORTAL_BUSY")


def test_p03_an_error_that_passes(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "error_once", tmp_path):
        ends(told, "")


def test_p04_an_error_that_stays_is_tried_a_few_times(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "error", tmp_path):
        ends(told, "PORTAL_STATUS")
    assert sum(BAD in line for line in portal.asked) == 2 * 3, "two retries each"


def test_p05_a_web_page_with_status_200(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "maintenance", tmp_path):
        ends(told, "PORTAL_HTML")


@pytest.mark.parametrize("fault", ["login_page", "login_redirect", "forbidden"])
def test_p06_a_login_page(portal: PortalSimulator, fault: str, tmp_path: Path) -> None:
    for told in both(portal, fault, tmp_path):
        ends(told, "PORTAL_LOGIN")


def test_p07_nobody_takes_the_connection(tmp_path: Path) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        told = fetched(files_table(f"http://127.0.0.1:{full.getsockname()[1]}"), tmp_path)
        for one in waiting:
            one.close()
    assert set(reasons(told).values()) == {"PORTAL_UNREACHABLE"}


def test_p07_a_closed_port(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert set(reasons(fetched(files_table(url), tmp_path)).values()) == {"PORTAL_UNREACHABLE"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("slow_headers", "PORTAL_SLOW"), ("slow_body", "PORTAL_SLOW"), ("silent", "PORTAL_TIMEOUT")],
)
def test_p08_slow_loris(portal: PortalSimulator, fault: str, reason: str, tmp_path: Path) -> None:
    for told in both(portal, fault, tmp_path, retries=0, read_seconds=0.5):
        ends(told, reason)


@pytest.mark.parametrize("fault", ["slow_headers", "slow_body"])
def test_p08_a_drip_that_keeps_the_minimum_rate_ends_at_the_deadline(
    portal: PortalSimulator, fault: str, tmp_path: Path
) -> None:
    portal.faults = {BAD: fault}
    table = files_table(portal.url, limits={"min_bytes_per_second": 1, "deadline_seconds": 1})
    ends(fetched(table, tmp_path), "PORTAL_TIMEOUT")


def test_p09_fewer_bytes_than_declared(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "short_length", tmp_path):
        ends(told, "PORTAL_TRUNCATED")


def test_p10_chunks_without_an_end(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "cut_chunked", tmp_path):
        ends(told, "PORTAL_TRUNCATED")


def test_p11_a_body_without_a_length_cut_at_a_line(portal: PortalSimulator, tmp_path: Path) -> None:
    files, pages = both(portal, "cut_close", tmp_path)
    ends(files, "PORTAL_UNPROVEN")
    ends(pages, "PORTAL_TRUNCATED")


def test_p12_a_cut_gzip_without_a_length(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "cut_gzip", tmp_path):
        ends(told, "PORTAL_TRUNCATED")


@pytest.mark.parametrize("megabytes", [2, 200])
def test_p13_a_gzip_bomb(portal: PortalSimulator, megabytes: int, tmp_path: Path) -> None:
    portal.faults = {BAD: "gzip_bomb"}
    ends(fetched(files_table(portal.url, limits={"max_megabytes": megabytes}), tmp_path), "PORTAL_TOO_LARGE")


def test_p14_a_body_without_end(portal: PortalSimulator, tmp_path: Path) -> None:
    for told in both(portal, "endless", tmp_path):
        ends(told, "PORTAL_TOO_LARGE")


@pytest.mark.parametrize("fault", ["redirect_metadata", "redirect_loopback", "redirect_file"])
def test_p16_a_redirect_elsewhere(portal: PortalSimulator, fault: str, tmp_path: Path) -> None:
    for told in both(portal, fault, tmp_path):
        ends(told, "PORTAL_REDIRECT")


@pytest.mark.parametrize(
    ("fault", "with_numbers", "blind"),
    [
        ("page_repeated", "PORTAL_PAGE_SKIPPED", "PORTAL_PAGE_REPEATED"),
        ("page_skipped", "PORTAL_PAGE_SKIPPED", "PORTAL_PAGE_MISSING"),
        ("record_lost", "PORTAL_PAGE_MISSING", "PORTAL_PAGE_MISSING"),
        ("rows_shift", "PORTAL_PAGE_SKIPPED", "PORTAL_PAGE_REPEATED"),
        ("total_moves", "PORTAL_DATA_MOVED", "PORTAL_DATA_MOVED"),
    ],
)
def test_p18_pages_that_repeat_or_skip(
    portal: PortalSimulator, fault: str, with_numbers: str, blind: str, tmp_path: Path
) -> None:
    portal.faults = {BAD: fault}
    ends(fetched(pages_table(portal.url), tmp_path / "a"), with_numbers)
    silent = pages_table(portal.url, paging={"page_at": "", "pages_at": ""})
    ends(fetched(silent, tmp_path / "b"), blind)


def test_p18_a_shift_that_keeps_the_total_is_seen_by_the_key_of_a_record(data: Path, tmp_path: Path) -> None:
    """Pages of six of thirty records, each a record too early: five full pages, and the count is right."""
    table = {"paging": {"page_at": "", "pages_at": "", "size": 6, "record_key": "MaHoSo"}}
    with PortalSimulator(data, faults={BAD: "rows_shift"}) as portal:
        ends(fetched(pages_table(portal.url, **table), tmp_path), "PORTAL_PAGE_REPEATED")


def test_p19_a_page_count_that_shrinks(portal: PortalSimulator, tmp_path: Path) -> None:
    portal.faults = {BAD: "pages_shrink"}
    ends(fetched(pages_table(portal.url), tmp_path / "a"), "PORTAL_PAGES_SHRANK")
    portal.counts.clear()
    ends(
        fetched(pages_table(portal.url, paging={"total_at": "", "page_at": ""}), tmp_path / "b"), "PORTAL_PAGES_SHRANK"
    )


def test_a_file_that_grows_between_two_looks(portal: PortalSimulator, tmp_path: Path) -> None:
    portal.faults = {BAD: "growing"}
    ends(fetched(files_table(portal.url), tmp_path / "a"), "PORTAL_GROWING")
    ends(fetched(files_table(portal.url, proof=["second_look"]), tmp_path / "b"), "PORTAL_GROWING")


@pytest.mark.parametrize("failing", [f for n in range(1, 4) for f in itertools.permutations(UNITS, n)])
def test_any_order_of_failing_communes_leaves_the_others_alone(
    portal: PortalSimulator, failing: tuple[str, ...], tmp_path: Path
) -> None:
    faults = dict(zip(failing, ("short_length", "maintenance", "error"), strict=False))
    wanted = {"short_length": "PORTAL_TRUNCATED", "maintenance": "PORTAL_HTML", "error": "PORTAL_STATUS"}
    portal.faults = faults
    told = fetched(files_table(portal.url, units=sorted(UNITS, key=lambda unit: (unit in failing, unit))), tmp_path)
    assert reasons(told) == {unit: wanted.get(faults.get(unit, ""), "") for unit in UNITS}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_rerun_after_any_fault_completes_the_night(portal: PortalSimulator, fault: str, tmp_path: Path) -> None:
    """The fault is over: the second fetch brings what a fetch without a fault brings, from whatever the first left."""
    table = pages_table(portal.url, limits={"retries": 0, "read_seconds": 1})
    sound = {unit: one.path.read_bytes() for unit, one in fetched(table, tmp_path / "sound").items()}
    portal.faults = {BAD: fault}
    fetched(table, tmp_path / "spool")
    portal.faults = {}
    told = fetched(table, tmp_path / "spool")
    assert {unit: one.path.read_bytes() for unit, one in told.items()} == sound
    assert len(json.loads(sound[BAD])) == 30
