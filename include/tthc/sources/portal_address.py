"""Which machine may be asked: the host must be listed and every address of it public, or allowed for this source."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tthc.domain.errors import PortalFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Entry = tuple[Any, ...]  # family, type, protocol, name, (address, port, …)

_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$")
_NEVER = [
    ipaddress.ip_network(text) for text in ("169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "224.0.0.0/3", "ff00::/8")
]
_CARRIERS = [ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")]


def refused(detail: str, *, everywhere: bool = False) -> PortalFailed:
    """The failure every forbidden address ends in."""
    return PortalFailed("PORTAL_ADDRESS", f"địa chỉ không được phép hỏi / {detail}", everywhere=everywhere)


def permitted(url: str, hosts: Sequence[str], networks: Sequence[str]) -> SplitResult:
    """The parts of a URL whose scheme, host and form are allowed. Raises PortalFailed PORTAL_ADDRESS.

    Host names are compared as written: a number in any other notation than a plain address is no host.
    """
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise refused("not a URL") from None
    if "@" in parts.netloc or "\\" in url or any(letter <= " " for letter in url):
        raise refused("a URL with credentials or stray characters")
    if host not in hosts:
        raise refused("this host is not among the hosts of the source")
    literal = _literal(host)
    if literal is None and not _NAME.match(host):
        raise refused("the host is neither a name nor a plain address")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback_only(networks)):
        raise refused("https is needed")
    return parts


def pinned(host: str, port: int, networks: Sequence[str], seconds: float) -> list[str]:
    """The addresses of a host, to be tried in this order. Raises PortalFailed: no such host, or a forbidden address;
    TimeoutError when the directory of names has not answered after so many seconds."""
    found = _looked_up(host, port, seconds)
    if found is None:
        raise PortalFailed(
            "PORTAL_UNREACHABLE", "không tìm thấy máy chủ / the host has no address", passing=True, everywhere=True
        )
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    for text in addresses:
        if not allowed(ipaddress.ip_address(text), networks):
            raise refused("the host has an address that is not public", everywhere=True)
    return list(dict.fromkeys(addresses))


def _looked_up(host: str, port: int, seconds: float) -> list[_Entry] | None:
    """What the system says of a host. It cannot be told to hurry, so a thread waits for it and may be left behind."""
    answers: SimpleQueue[list[_Entry] | None] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError):
            answers.put(None)

    Thread(target=ask, name="looks up a host", daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None


def allowed(address: Address, networks: Sequence[str]) -> bool:
    """Whether an address is public, or in a network this source may use; never link-local, multicast or none."""
    address = _inner(address)
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    listed = [ipaddress.ip_network(text) for text in networks]
    if any(address in network for network in listed if network.version == address.version):
        return True
    return address.is_global and not address.is_reserved and not address.is_multicast


def _inner(address: Address) -> Address:
    """The IPv4 address an IPv6 one carries, where it carries one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if address != ipaddress.IPv6Address("::1") and any(address in network for network in _CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback_only(networks: Sequence[str]) -> bool:
    return bool(networks) and all(ipaddress.ip_network(text).is_loopback for text in networks)
