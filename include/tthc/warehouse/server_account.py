"""As whom PostgreSQL runs: ourselves, or, since it refuses root and the nameless, an account that reaches its files."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tthc.domain.errors import Misconfigured, OutsideSystemFailed

SYSTEM_ACCOUNTS = ("postgres", "nobody")
NOBODY = 65534
LAST_LINES = 6
TIMEOUT_SECONDS = 180


class CommandFailed(OutsideSystemFailed):
    """A PostgreSQL program ended badly; the message ends with its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How to run a program so that it is not root: as is, under another user id, or behind `prefix`."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def run(self, *argv: str | Path | int, stdin: str = "") -> None:
        """Run a program to its end; CommandFailed, or a sentence about a full disk, when it does not succeed."""
        command = [*self.prefix, *map(str, argv)]
        try:
            done = self._start(command, stdin)
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{Path(str(argv[0])).name} did not end within {TIMEOUT_SECONDS} s") from None
        if done.returncode:
            raise failure(f"{Path(str(argv[0])).name} failed", done.stdout + done.stderr)

    def reaches(self, program: Path, directory: Path) -> bool:
        """Whether this account may run the program and enter the directory."""
        try:
            test = [*self.prefix, "sh", "-c", 'test -x "$1" && test -x "$2"', "sh", str(program), str(directory)]
            return self._start(test, "").returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or directory of ours."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def _start(self, command: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        # PGPORT, PGDATA, PGOPTIONS and their kin of the caller's shell are not meant for this server.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            env=env,
            cwd="/",
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else (),
        )


# In a user namespace our own files stay reachable, while PostgreSQL sees the user nobody, whom every system knows.
UNSHARED = Account(prefix=("unshare", "-U", f"--map-user={NOBODY}", "--"))


def account_for(root: Path, data: Path, postgres: Path) -> Account:
    """Choose the account: ourselves, or for root the owner of existing data, else one that reaches the files.

    `root` is the state directory, `postgres` the server program. Misconfigured when there is none.
    """
    if os.geteuid() == 0:
        candidates = _accounts_for_root(data.stat().st_uid if data.exists() else None)
    else:
        candidates = [Account() if _has_name(os.geteuid()) else UNSHARED]
    for account in candidates:
        if account.reaches(postgres, root):
            return account
    if os.geteuid() == 0:
        raise Misconfigured(
            f"PostgreSQL refuses to run as root, and no other account may enter {root} and run {postgres}; call tthc "
            "as a plain user, or keep the checkout and TTHC_HOME in directories that everybody may enter (chmod o+x)"
        )
    raise Misconfigured(
        f"user {os.geteuid()} cannot run {postgres} in {root}; PostgreSQL wants a user with an entry in /etc/passwd "
        "who may run its programs: be one, or set TTHC_WAREHOUSE_URL to a server of your own"
    )


def failure(what: str, words: str) -> OutsideSystemFailed:
    """Turn the last words of a program into the sentence its reader needs."""
    if "No space left on device" in words or "Disk quota exceeded" in words:
        return OutsideSystemFailed(f"{what}: the disk is full; free space, or set TTHC_HOME to another disk")
    last = [line.strip() for line in words.splitlines() if line.strip()][-LAST_LINES:]
    return CommandFailed(f"{what}: " + " | ".join(last or ["it said nothing"]))


def _accounts_for_root(owner: int | None) -> list[Account]:
    if owner is not None:
        return [UNSHARED if owner == 0 else Account(uid=owner, gid=_group(owner))]
    known = []
    for name in SYSTEM_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        known.append(Account(uid=entry.pw_uid, gid=entry.pw_gid))
    return [*known, UNSHARED]


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _group(uid: int) -> int:
    return pwd.getpwuid(uid).pw_gid if _has_name(uid) else uid
