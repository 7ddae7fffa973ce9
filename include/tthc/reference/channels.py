"""Who hears of incidents and over what: the channels, recipients and terms of `channels.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from tthc.domain.errors import Misconfigured, ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.settings import Settings, secret

SEVERITIES = ("warning", "error", "critical")
KINDS = ("email", "webhook", "telegram", "apprise", "file", "console")
_TYPES = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
Declared = TypeVar("Declared", "Channel", "Recipient", "Policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One way a message can leave. A value `env:NAME` is read from the environment when the channel is opened."""

    id: str
    kind: str
    host: str = ""  # email
    port: int = 587
    security: str = "starttls"  # or "tls"; "none" only for a server on this machine
    ca_file: str = ""  # email, webhook, telegram: a private authority
    sender: str = ""
    user: str = ""
    password: str = ""  # env: only
    url: str = ""  # webhook, apprise
    api: str = "https://api.telegram.org"
    token: str = ""  # telegram; env: only
    limit: int = 0  # longest text; 0: what the kind allows
    timeout_seconds: float = 30.0  # for the whole sending, however slowly the other side answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets what, over which channels in turn: the next is taken when the one before keeps failing."""

    id: str
    channels: tuple[tuple[str, tuple[str, ...]], ...]  # (channel id, addresses on it)
    title: str = ""
    units: tuple[str, ...] = ("*",)
    sources: tuple[str, ...] = ("*",)
    least_severity: str = "warning"
    report: bool = False

    def hears(self, source_id: str, unit_code: str, severity: str) -> bool:
        """Whether an incident of this source, unit and severity is theirs."""
        return (
            ("*" in self.units or unit_code in self.units)
            and ("*" in self.sources or source_id in self.sources)
            and SEVERITIES.index(severity) >= SEVERITIES.index(self.least_severity)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When an incident is told again, grows graver or becomes one of the province."""

    web_url: str = ""
    ping_url: str = ""  # called by `tthc watchdog` when all is well; whoever misses the call raises the alarm
    watch_recipient: str = "operations"  # over whose channels the watchdog speaks
    remind_after_nights: int = 7
    escalate_after_nights: int = 14
    spread: int = 10
    spread_rows: int = 100  # from so many refused rows on is a group of rows a step graver than its members
    report_by_hour: int = 7


@dataclass(frozen=True, slots=True)
class Routing:
    """The whole of `channels.toml`."""

    policy: Policy
    channels: dict[str, Channel]
    recipients: tuple[Recipient, ...]


def read_routing(settings: Settings) -> Routing:
    """`channels.toml` with its overlay. Raises ReferenceFault when an incident could find nobody."""
    policy: dict[str, Any] = {}
    channels: dict[str, dict[str, Any]] = {}
    recipients: dict[str, dict[str, Any]] = {}
    for directory in directories(settings):
        path = directory / "channels.toml"
        if path.exists():
            raw = read_toml(path)
            if unknown := sorted(set(raw) - {"policy", "channel", "recipient"}):
                raise ReferenceFault(f"{path}: unknown tables {unknown}")
            policy |= raw.get("policy", {})
            for name, known in (("channel", channels), ("recipient", recipients)):
                for table in raw.get(name, []):
                    if not isinstance(table.get("id"), str):
                        raise ReferenceFault(f"{path}: a {name} without id")
                    known[table["id"]] = table
    opened = {key: _declared(Channel, raw, f"channel {key!r}") for key, raw in channels.items()}
    routing = Routing(
        _declared(Policy, policy, "policy"),
        opened,
        tuple(_recipient(raw, opened) for raw in recipients.values()),
    )
    _check(routing)
    return routing


def _declared(kind: type[Declared], raw: Mapping[str, Any], where: str) -> Declared:
    wanted = {field.name: field.type for field in fields(kind)}
    if unknown := sorted(set(raw) - set(wanted)):
        raise ReferenceFault(f"channels.toml, {where}: unknown settings {unknown}")
    for name, value in raw.items():
        kinds: tuple[type, ...] = _TYPES.get(str(wanted[name]), (object,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and wanted[name] != "bool"):
            raise ReferenceFault(f"channels.toml, {where}: {name} must be {wanted[name]}")
    try:
        return kind(**raw)
    except TypeError as error:
        raise ReferenceFault(f"channels.toml, {where}: {error}") from error


def _recipient(raw: Mapping[str, Any], channels: Mapping[str, Channel]) -> Recipient:
    where = f"recipient {raw['id']!r}"
    ways = []
    for way in raw.get("channels", ()):
        if not isinstance(way, dict) or set(way) - {"channel", "to"} or way.get("channel") not in channels:
            raise ReferenceFault(f'channels.toml, {where}: {way!r} must be {{ channel = "<a known id>", to = [...] }}')
        ways.append((way["channel"], tuple(map(str, way.get("to", ())))))
    if not ways:
        raise ReferenceFault(f"channels.toml, {where}: names no channel")
    lists = {name: tuple(map(str, raw[name])) for name in ("units", "sources") if name in raw}
    recipient = _declared(Recipient, {**raw, "channels": tuple(ways), **lists}, where)
    if recipient.least_severity not in SEVERITIES:
        raise ReferenceFault(f"channels.toml, {where}: least_severity must be one of {SEVERITIES}")
    return recipient


def _check(routing: Routing) -> None:
    for channel in routing.channels.values():
        if channel.kind not in KINDS:
            raise ReferenceFault(f"channels.toml, channel {channel.id!r}: kind must be one of {KINDS}")
        for name in ("password", "token"):
            if (value := getattr(channel, name)) and not value.startswith("env:"):
                raise ReferenceFault(
                    f"channels.toml, channel {channel.id!r}: {name} must be env:NAME, never the secret itself"
                )
        if channel.timeout_seconds <= 0 or channel.limit < 0:
            raise ReferenceFault(f"channels.toml, channel {channel.id!r}: timeout_seconds must be > 0 and limit ≥ 0")
    if not any(r.hears("\0", "\0", "warning") for r in routing.recipients):
        raise ReferenceFault(
            "channels.toml: no recipient takes every unit and source from `warning` on; an incident could find nobody"
        )
    if not any(r.report for r in routing.recipients):
        raise ReferenceFault("channels.toml: no recipient takes the morning report")
    if routing.policy.watch_recipient not in {r.id for r in routing.recipients}:
        raise ReferenceFault("channels.toml, policy: watch_recipient names no recipient")
    positive = ("remind_after_nights", "escalate_after_nights", "spread_rows")
    if any(getattr(routing.policy, name) < 1 for name in positive) or routing.policy.spread < 2:
        raise ReferenceFault("channels.toml, policy: nights and spread_rows must be at least 1, spread at least 2")


def resolved(channel: Channel, name: str) -> str:
    """A value of a channel, from the environment where it says `env:NAME`. Raises Misconfigured when that is unset."""
    return resolved_text(str(getattr(channel, name)), f"channel {channel.id!r}: {name}")


def resolved_text(value: str, where: str) -> str:
    """The same for any value of channels.toml."""
    if not value.startswith("env:"):
        return value
    found = secret(value.removeprefix("env:"))
    if found is None:
        raise Misconfigured(f"{where} is taken from {value.removeprefix('env:')}, which is not set")
    return found
