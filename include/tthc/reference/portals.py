"""How a source is fetched over HTTP: the table `[source.portal]` of `sources.toml`, checked before it is used."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tthc.domain.errors import ReferenceFault
from tthc.domain.period import PeriodCalendar, PeriodKind, ReportingPeriod, last_closed
from tthc.reference.units import Unit

PARAMETERS = {"from", "to", "night", "period", "unit", "page", "size", "offset", "cursor"}
LOGINS = {"none", "bearer", "basic", "json", "form"}
PAGINGS = {"single", "page", "offset", "link", "cursor"}
PROOFS = {"length", "checksum", "trailer", "second_look"}
ALGORITHMS = {"md5", "sha1", "sha256"}
WHOLE = "*"  # the unit of a portal that does not serve commune by commune
_LEVELS = {"": set[str](), "communes": {"commune"}, "all": {"commune", "department"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How one signs in; user, password and token come from the environment or an Airflow connection."""

    kind: str = "none"
    path: str = ""
    user_field: str = "username"
    password_field: str = "password"
    token_at: str = ""  # where the answer holds a token; empty: the answer sets a cookie


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list is cut into pages, and where an answer says which page it is and how many records there are."""

    kind: str
    records_at: str = ""
    size: int = 500
    first: int = 1
    total_at: str = ""
    pages_at: str = ""
    page_at: str = ""
    next_at: str = ""
    record_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Which reporting periods a portal of reports is asked for: the last one of this kind that had ended."""

    calendar: str
    kind: str

    def before(self, night: date) -> ReportingPeriod:
        """The period to ask for on a night."""
        return last_closed(PeriodCalendar(self.calendar), PeriodKind(self.kind), night)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a portal may cost. Seconds, bytes and counts; `deadline` is for all pages of one delivery."""

    connect_seconds: float = 10
    read_seconds: float = 30
    deadline_seconds: float = 300
    night_seconds: float = 2700
    min_bytes_per_second: int = 1000
    rate_window_seconds: float = 30
    max_megabytes: float = 200
    max_ratio: int = 200
    retries: int = 4
    backoff_seconds: float = 1
    retry_after_seconds: float = 60
    concurrency: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One portal of one source; CONTRIBUTING.md explains each setting."""

    url: str
    path: str
    method: str = "GET"
    body: dict[str, Any] = field(default_factory=dict)
    period_days: int = 90
    date_form: str = "%Y-%m-%d"
    periods: Periods | None = None
    units: str | dict[str, str] = ""
    file_name: str = ""
    login: Login = field(default_factory=Login)
    paging: Paging | None = None
    ok_at: str = ""
    ok_value: str = "OK"
    proof: tuple[str, ...] = ("length",)
    checksum_header: str = ""
    checksum: str = "sha256"
    trailer: str = ""
    conditional: bool = True
    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ca_file: str = ""
    limits: Limits = field(default_factory=Limits)

    def units_served(self, places: Iterable[Unit], night: date) -> dict[str, str]:
        """Our unit code → the portal's, of every delivery it is asked for on a night."""
        if isinstance(self.units, dict):
            return self.units
        if not self.units:
            return {WHOLE: ""}
        served = [
            unit.unit_code
            for unit in places
            if unit.level in _LEVELS[self.units]
            and (unit.valid_from or date.min) <= night <= (unit.valid_to or date.max)
        ]
        return dict(zip(served, served, strict=True))

    def parameters(self, night: date, unit: str) -> dict[str, str]:
        """What stands for {from}, {to}, {night}, {period} and {unit} on a night; `unit` is the portal's own code."""
        days = self._days(night)
        period = {"period": self.periods.before(night).label} if self.periods else {}
        return {name: day.strftime(self.date_form) for name, day in days.items()} | period | {"unit": unit}

    def _days(self, night: date) -> dict[str, date]:
        if self.periods:
            period = self.periods.before(night)
            return {"from": period.start, "to": period.end, "night": night}
        return {"from": night - timedelta(days=self.period_days - 1), "to": night, "night": night}

    def target(self, parameters: dict[str, str]) -> str:
        """The path of a request, every parameter escaped."""
        return self.path.format_map({name: quote(value, safe="") for name, value in parameters.items()})

    def name_of(self, unit: str, night: date) -> str:
        """The name under which a delivery is landed: the same every night, or every night that asks for one period,
        so that a later one is its next state. Days in it are yyyymmdd."""
        if not self.file_name:
            return f"{unit.strip('*') or 'portal'}.json"
        days = {name: day.strftime("%Y%m%d") for name, day in self._days(night).items()}
        return self.file_name.format_map(self.parameters(night, unit) | days)


def filled(template: Any, parameters: dict[str, str]) -> Any:
    """A JSON body with its parameters; a text that is nothing but {page}, {size} or {offset} becomes a number."""
    if isinstance(template, dict):
        return {key: filled(value, parameters) for key, value in template.items()}
    if not isinstance(template, str):
        return template
    if template in {"{page}", "{size}", "{offset}"}:
        return int(parameters[template[1:-1]])
    return template.format_map(parameters)


def read_portal(raw: dict[str, Any], source_id: str, directory: Path) -> Portal:
    """One portal table; a CA file is sought beside the TOML file. Raises ReferenceFault with what is wrong."""
    where = f"sources.toml, portal of {source_id!r}"
    values = dict(_checked(raw, Portal, where))
    for name, kind in (("login", Login), ("paging", Paging), ("limits", Limits), ("periods", Periods)):
        if name in values:
            values[name] = kind(**_checked(values[name], kind, f"{where}, {name}"))
    for name in ("proof", "hosts", "networks"):
        values[name] = tuple(values.get(name, ("length",) if name == "proof" else ()))
    if isinstance(values.get("units"), list):
        values["units"] = {unit: unit for unit in values["units"]}
    if values.get("ca_file"):
        values["ca_file"] = str(directory / values["ca_file"])
    portal = Portal(**values)
    for wrong, told in _faults(portal):
        if wrong:
            raise ReferenceFault(f"{where}: {told}")
    return portal


def _checked(raw: Any, kind: type, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ReferenceFault(f"{where} must be a table")
    known = {f.name: f for f in fields(kind)}
    missing = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING and n not in raw]
    if unknown := sorted(set(raw) - set(known)):
        raise ReferenceFault(f"{where}: {unknown} is not a setting; known are {sorted(known)}")
    if missing:
        raise ReferenceFault(f"{where}: {missing} must be filled")
    return raw


def _faults(portal: Portal) -> list[tuple[bool, str]]:
    login, paging, asked = portal.login, portal.paging, _parameters_in(f"{portal.path}{portal.body or ''}")
    counted = bool(paging and (paging.total_at or paging.pages_at or paging.kind in {"single", "link", "cursor"}))
    following = bool(paging and paging.kind in {"link", "cursor"})
    wrong_networks = [network for network in portal.networks if not _is_network(network)]
    return [
        *_period_faults(portal, asked),
        (urlsplit(portal.url).scheme not in {"https", "http"}, "url must begin with https://"),
        (urlsplit(portal.url).scheme == "http" and not portal.networks, "http is for a simulator on loopback only"),
        (any(not path.startswith("/") for path in (portal.path, login.path or "/")), "paths begin with /"),
        ("@" in portal.url, "url must hold no credentials"),
        (bool(wrong_networks), f"networks holds {wrong_networks}, which are no networks"),
        (portal.method not in {"GET", "POST"}, "method must be GET or POST"),
        (bool(asked - PARAMETERS), f"{sorted(asked - PARAMETERS)} is no parameter; known are {sorted(PARAMETERS)}"),
        (bool(portal.units) and "unit" not in asked, "units are listed, but neither path nor body holds {unit}"),
        (not portal.units and "unit" in asked, "{unit} is asked for, but no units are listed"),
        (isinstance(portal.units, str) and portal.units not in _LEVELS, "units must be communes, all or a list"),
        (bool(portal.units) and bool(portal.file_name) and "{unit}" not in portal.file_name, "file_name needs {unit}"),
        (not paging and not portal.file_name, "a portal without paging needs file_name"),
        (login.kind not in LOGINS, f"login.kind must be one of {sorted(LOGINS)}"),
        (login.kind in {"json", "form"} and not login.path, "login.path must be filled"),
        (bool(set(portal.proof) - PROOFS) or not portal.proof, f"proof must name some of {sorted(PROOFS)}"),
        ("checksum" in portal.proof and not portal.checksum_header, "proof by checksum needs checksum_header"),
        (portal.checksum not in ALGORITHMS, f"checksum must be one of {sorted(ALGORITHMS)}"),
        ("trailer" in portal.proof and not portal.trailer, "proof by trailer needs trailer"),
        (bool(paging) and paging is not None and paging.kind not in PAGINGS, f"paging.kind: {sorted(PAGINGS)}"),
        (following and not (paging and paging.next_at), "paging.next_at must be filled"),
        (paging is not None and paging.kind == "page" and "page" not in asked, "nothing holds {page}"),
        (paging is not None and paging.kind == "offset" and "offset" not in asked, "nothing holds {offset}"),
        (paging is not None and not counted, "paging needs total_at or pages_at, else a missing page is not noticed"),
    ]  # fmt: skip


def _parameters_in(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", text))


def _period_faults(portal: Portal, asked: set[str]) -> list[tuple[bool, str]]:
    periods, named, telling = portal.periods, _parameters_in(portal.file_name), {"period", "from", "to"}
    known = {"unit"} | (telling if periods else set())
    kinds, calendars = [str(kind) for kind in PeriodKind], [str(name) for name in PeriodCalendar]
    return [
        (periods is not None and periods.calendar not in calendars, f"periods.calendar must be one of {calendars}"),
        (periods is not None and periods.kind not in kinds, f"periods.kind must be one of {kinds}"),
        (bool(named - known), f"file_name holds {sorted(named - known)}; here it may hold {sorted(known)}"),
        (
            not periods and "period" in asked,
            "{period} is asked for, but periods does not say which",
        ),
        (
            bool(periods) and not asked & telling,
            "periods: neither path nor body holds {period} or {from}",
        ),
        (bool(periods) and not named & telling, "file_name needs {period}: each one is a file of its own"),
    ]


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
