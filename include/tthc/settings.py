"""Where this installation keeps its things: the only place that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

CHECKOUT = Path(__file__).resolve().parents[2]
REFERENCE = CHECKOUT / "include" / "reference"
EXPECTATIONS = CHECKOUT / "expectations"
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation: its state directory, drop folder, warehouse, province, key and reference overlay."""

    home: Path
    drop: Path
    warehouse_url: str | None
    province: str
    hmac_key: str | None
    hmac_key_file: Path | None
    reference_overlay: Path | None

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def out(self) -> Path:
        return self.home / "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalAccess:
    """How this installation reaches and enters one portal; empty where the portal does not ask for it."""

    url: str = ""  # instead of the url in sources.toml
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def portal_access(source_id: str) -> PortalAccess:
    """Read TTHC_PORTAL_<SOURCE>_URL, _USER, _PASSWORD and _TOKEN; <SOURCE> is the source's id in capitals."""
    read = {name: os.environ.get(f"TTHC_PORTAL_{source_id.upper()}_{name.upper()}", "") for name in _ACCESS}
    return PortalAccess(**read)


_ACCESS = ("url", "user", "password", "token")


def settings() -> Settings:
    """Read TTHC_HOME, TTHC_DROP, TTHC_WAREHOUSE_URL, TTHC_PROVINCE, TTHC_HMAC_KEY[_FILE] and TTHC_REFERENCE."""
    env = os.environ
    home = Path(env.get("TTHC_HOME") or CHECKOUT / ".tthc").absolute()
    return Settings(
        home=home,
        drop=Path(env.get("TTHC_DROP") or home / "drop").absolute(),
        warehouse_url=env.get("TTHC_WAREHOUSE_URL") or None,
        province=env.get("TTHC_PROVINCE") or "42",
        hmac_key=env.get("TTHC_HMAC_KEY") or None,
        hmac_key_file=Path(env["TTHC_HMAC_KEY_FILE"]) if env.get("TTHC_HMAC_KEY_FILE") else None,
        reference_overlay=Path(env["TTHC_REFERENCE"]).absolute() if env.get("TTHC_REFERENCE") else None,
    )


def secret(name: str) -> str | None:
    """A secret that a reference file names as `env:NAME`, read when it is used; None when unset or empty."""
    return os.environ.get(name) or None
