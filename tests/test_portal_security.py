"""Whom a portal client talks to, what it tells whom, and what it never does: addresses, TLS, credentials, surroundings."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import trustme

import portals
from portals import UNITS, fetched, files_table, pages_table, reasons
from tthc.domain.errors import Misconfigured, PortalFailed, ReferenceFault
from tthc.settings import PortalAccess, portal_access
from tthc.simulation.portal import PASSWORD, USER, PortalSimulator
from tthc.sources.portal_address import allowed, permitted, pinned

CANARY = "canary-3f9a-bi-mat"
ACCESS = PortalAccess(user=USER, password=PASSWORD)
HOST = "cong.vi-du.vn"
PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return portals.write_data(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def portal(data: Path) -> Iterator[PortalSimulator]:
    with PortalSimulator(data) as simulator:
        yield simulator


def only(told: dict[str, Any]) -> str:
    """The one reason all deliveries ended with."""
    (reason,) = set(reasons(told).values())
    return reason


# Addresses.

FORBIDDEN = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::", "::127.0.0.1", "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not allowed(ipaddress.ip_address(address), ())
    monkeypatch.setattr(socket, "getaddrinfo", _resolver([PUBLIC, address]))
    with pytest.raises(PortalFailed, match="PORTAL_ADDRESS"):
        pinned(HOST, 443, (), 60.0)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_a_public_address_may_be_asked(address: str) -> None:
    assert allowed(ipaddress.ip_address(address), ())


def test_a_private_network_may_be_asked_by_its_own_source_only_and_link_local_never() -> None:
    assert allowed(ipaddress.ip_address("10.20.1.1"), ["10.20.0.0/16"])
    assert allowed(ipaddress.ip_address("::ffff:10.20.1.1"), ["10.20.0.0/16"])
    assert not allowed(ipaddress.ip_address("10.21.1.1"), ["10.20.0.0/16"])
    assert not allowed(ipaddress.ip_address("169.254.169.254"), ["169.254.0.0/16", "0.0.0.0/0"])


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/", f"ftp://{HOST}/", "file:///etc/hostname", f"gopher://{HOST}/", f"//{HOST}/", HOST,
        "https://evil.vi-du.vn/", f"https://{HOST}.evil.vn/", f"https://{HOST}@evil.vn/", f"https://evil.vn#{HOST}",
        f"https://evil.vn\\@{HOST}/", f"https://evil.vn?{HOST}", f"https://user:pass@{HOST}/", f"https:///{HOST}",
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://127.0.0.1/", "https://169.254.169.254/latest/",
        "https://localhost/", f"https://{HOST}:99999/", f"https://{HOST} .evil.vn/", f"https://{HOST}\r\nHost: evil/",
    ],
)  # fmt: skip
def test_a_url_that_is_not_the_portal_s_own_is_refused(url: str) -> None:
    with pytest.raises(PortalFailed, match="PORTAL_ADDRESS"):
        permitted(url, [HOST], ())


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0x7f.1", "017700000001"])
def test_a_number_in_another_notation_is_no_host_even_when_listed(host: str) -> None:
    with pytest.raises(PortalFailed, match="PORTAL_ADDRESS"):
        permitted(f"https://{host}/", [host], ("127.0.0.0/8",))


def _resolver(answers: list[str]) -> Callable[..., Any]:
    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in answers
        ]

    return getaddrinfo


def test_p17_dns_rebinding(portal: PortalSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to loopback, and one asked a second time: neither reaches what listens there."""
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["127.0.0.1"]))
    table = files_table(f"https://{HOST}:{portal.server_port}", networks=[], limits={"retries": 0})
    assert only(fetched(table, tmp_path)) == "PORTAL_ADDRESS"
    assert portal.asked == []


def test_p17_the_address_that_was_judged_is_the_one_connected_to(
    portal: PortalSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        return _resolver(["127.0.0.1" if len(asked) == 1 else "169.254.169.254"])(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    table = pages_table(f"http://{HOST}:{portal.server_port}", units=["18373"])
    assert only(fetched(table, tmp_path)) == ""
    assert len(portal.asked) > 3
    assert asked == [HOST], "looked up once a delivery, then kept"


def test_a_directory_of_names_that_never_answers_ends_with_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait()])
    table = files_table(f"https://{HOST}", networks=[], limits={"retries": 0, "deadline_seconds": 1})
    try:
        assert only(fetched(table, tmp_path)) == "PORTAL_TIMEOUT"
    finally:
        over.set()


@pytest.mark.parametrize(
    "link", ["http://169.254.169.254/x", "//evil.vn/x", "http://127.0.0.1:1/x", "file:///etc/hostname"]
)
def test_a_next_link_that_leads_elsewhere_is_not_followed(
    portal: PortalSimulator, link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tthc.sources.page_told import Told

    monkeypatch.setattr(Told, "next_link", lambda _: link)
    told = fetched(pages_table(portal.url, paging=LINKED), tmp_path)
    assert only(told) == "PORTAL_ADDRESS"
    assert len(portal.asked) == len(UNITS)


LINKED = {"kind": "link", "next_at": "header:Link", "pages_at": "", "page_at": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://cong.vi-du.vn", "networks": []}, {"url": "http://cong.vi-du.vn", "networks": ["10.0.0.0/8"]},
        {"url": "https://u:p@cong.vi-du.vn"}, {"networks": ["127.0.0.1/33"]}, {"verify": False},
        {"login": {"kind": "bearer", "token": CANARY}}, {"path": "files"}, {"units": []}, {"proof": []},
        {"proof": ["hope"]}, {"method": "PUT"}, {"path": "/files/{unit}?x={secret}"}, {"file_name": "one.csv"},
    ],
)  # fmt: skip
def test_a_portal_table_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ReferenceFault, PortalFailed)) as told:
        table = files_table("https://cong.vi-du.vn") | wrong
        permitted(portals.read(table).url, ["cong.vi-du.vn"], table["networks"])
    assert CANARY not in str(told.value)


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _server(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _over_tls(data: Path, context: ssl.SSLContext, spool: Path, **settings: Any) -> dict[str, Any]:
    with PortalSimulator(data, tls=context) as portal:
        told = fetched(files_table(portal.url, limits={"retries": 0}, **settings), spool)
        assert bool(portal.asked) == (only(told) == ""), "nothing is said to whom we do not trust"
        return told


def test_a_private_ca_of_the_portal_is_accepted(data: Path, authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = _server(authority.issue_cert("127.0.0.1"))
    told = _over_tls(data, context, tmp_path, ca_file=str(tmp_path / "ca.pem"))
    assert only(told) == ""
    assert told["18373"].path.read_bytes() == (data / "2026-03-12" / portals.CSV / "18373.csv").read_bytes()


def test_p15_an_unknown_ca(data: Path, authority: trustme.CA, tmp_path: Path) -> None:
    assert only(_over_tls(data, _server(authority.issue_cert("127.0.0.1")), tmp_path)) == "PORTAL_TLS"


def test_p15_a_certificate_of_another_ca_than_the_portal_s(data: Path, authority: trustme.CA, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = _server(authority.issue_cert("127.0.0.1"))
    assert only(_over_tls(data, context, tmp_path, ca_file=str(tmp_path / "ca.pem"))) == "PORTAL_TLS"


@pytest.mark.parametrize("name", ["cong-khac.vi-du.vn", "127.0.0.2"])
def test_p15_a_certificate_of_another_host(data: Path, authority: trustme.CA, name: str, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = _server(authority.issue_cert(name))
    assert only(_over_tls(data, context, tmp_path, ca_file=str(tmp_path / "ca.pem"))) == "PORTAL_TLS"


def test_p15_an_expired_certificate(data: Path, authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    expired = authority.issue_cert("127.0.0.1", not_before=past, not_after=past + datetime.timedelta(days=1))
    told = _over_tls(data, _server(expired), tmp_path, ca_file=str(tmp_path / "ca.pem"))
    assert only(told) == "PORTAL_TLS"


def test_p08_a_drip_under_tls_ends_as_well(data: Path, authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = _server(authority.issue_cert("127.0.0.1"))
    with PortalSimulator(data, tls=context, faults={"*": "slow_body"}) as portal:
        table = files_table(portal.url, ca_file=str(tmp_path / "ca.pem"), limits={"retries": 0})
        assert only(fetched(table, tmp_path)) == "PORTAL_SLOW"


def test_a_server_that_never_finishes_its_handshake_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        table = files_table(url, limits={"retries": 0, "connect_seconds": 0.3, "read_seconds": 0.3})
        assert only(fetched(table, tmp_path)) in {"PORTAL_TIMEOUT", "PORTAL_UNREACHABLE"}


# What we carry.


def test_neither_proxy_nor_netrc_nor_ca_bundle_of_the_environment_is_used(
    portal: PortalSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        netrc = tmp_path / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login {USER} password {CANARY}\n", encoding="utf-8")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "no-such-bundle"))
        assert only(fetched(files_table(portal.url), tmp_path / "spool")) == ""
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert portal.seen
    assert not [headers for headers in portal.seen if "Authorization" in headers or "Proxy-Authorization" in headers]


LOGINS = {
    "basic": {"kind": "basic"},
    "json": {"kind": "json", "path": "/login", "token_at": "data.token"},
    "form": {"kind": "form", "path": "/login", "token_at": "data.token"},
    "cookie": {"kind": "json", "path": "/login"},
}


@pytest.mark.parametrize("kind", LOGINS)
def test_a_portal_that_wants_to_know_us_lets_us_in(data: Path, kind: str, tmp_path: Path) -> None:
    with PortalSimulator(data, login="sign-in") as portal:
        for number, table in enumerate((files_table, pages_table)):
            told = fetched(table(portal.url, login=LOGINS[kind]), tmp_path / str(number), access=ACCESS)
            assert only(told) == ""
        assert sum("/login" in line for line in portal.asked) == (0 if kind == "basic" else 2), "once a source"


def test_a_bearer_token_lets_us_in(data: Path, tmp_path: Path) -> None:
    with PortalSimulator(data, login="bearer") as portal:
        access = PortalAccess(token=next(iter(portal.tokens)))
        assert only(fetched(files_table(portal.url, login={"kind": "bearer"}), tmp_path, access=access)) == ""


def test_a_token_that_expires_on_the_way_is_renewed(data: Path, tmp_path: Path) -> None:
    with PortalSimulator(data, login="sign-in") as portal:
        seen = portal.asked.append

        class Expiring(list[str]):
            def append(self, line: str) -> None:
                seen(line)
                super().append(line)
                if len(self) == 4:
                    portal.tokens.clear()

        portal.asked = Expiring()
        told = fetched(pages_table(portal.url, login=LOGINS["json"], units=["18373"]), tmp_path, access=ACCESS)
        assert only(told) == ""
        assert sum("/login" in line for line in portal.asked) == 2


@pytest.mark.parametrize("kind", [*LOGINS, "bearer"])
def test_wrong_credentials_are_told_without_being_shown(
    data: Path, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    access = PortalAccess(user=f"user-{CANARY}", password=CANARY, token=CANARY)
    with PortalSimulator(data, login="sign-in") as portal:
        table = files_table(portal.url, login=LOGINS.get(kind, {"kind": kind}))
        told = fetched(table, tmp_path / "spool", access=access)
    assert only(told) == "PORTAL_LOGIN"
    out, err = capfd.readouterr()
    assert CANARY not in caplog.text + out + err + repr(told) + repr(access).replace(f"user-{CANARY}", "")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


@pytest.mark.parametrize("fault", ["redirect_loopback", "login_redirect"])
def test_credentials_are_sent_to_no_other_host(data: Path, fault: str, tmp_path: Path) -> None:
    with PortalSimulator(data) as other, PortalSimulator(data, login="sign-in", faults={"*": fault}) as portal:
        fetched(files_table(portal.url, login=LOGINS["basic"]), tmp_path, access=ACCESS)
        assert portal.asked
        assert other.asked == []


def test_a_missing_credential_is_a_setting_to_mend(portal: PortalSimulator, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="TTHC_PORTAL_<SOURCE>_USER"):
        fetched(files_table(portal.url, login={"kind": "basic"}), tmp_path)
    assert portal.asked == []


def test_credentials_come_from_the_environment_by_the_name_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    assert portal_access("cong_tinh") == PortalAccess()
    for name in ("URL", "USER", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"TTHC_PORTAL_CONG_TINH_{name}", name.lower())
    assert portal_access("cong_tinh") == PortalAccess(url="url", user="user", password="password", token="token")
    assert portal_access("cong") == PortalAccess()
    assert "'password'" not in repr(portal_access("cong_tinh"))
