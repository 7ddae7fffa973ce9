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
    """How to run a program so that it is not root, and who is to own its files: nobody else, or user `uid`."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()  # a command that changes the user; without one we change to `uid` ourselves

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
        """Whether this account may enter the directory and run the program there."""
        attempt = ["sh", "-c", 'cd "$1" && exec "$2" --version', "sh", str(directory), str(program)]
        try:
            return self._start([*self.prefix, *attempt], "").returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or directory of ours."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def _start(self, command: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        # PGPORT, PGDATA, PGOPTIONS and their kin of the caller's shell are not meant for this server.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
        changes = self.uid is not None and not self.prefix
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            env=env,
            cwd="/",
            user=self.uid if changes else None,
            group=self.gid if changes else None,
            extra_groups=() if changes else None,
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
    """Best first: an account that needs no help, then two that see root's closed directories with the kernel's help."""
    if owner == 0:
        return [UNSHARED]
    known = [entry for entry in pwd.getpwall() if entry.pw_name in SYSTEM_ACCOUNTS]
    known.sort(key=lambda entry: SYSTEM_ACCOUNTS.index(entry.pw_name))
    ids = [(entry.pw_uid, entry.pw_gid) for entry in known] if owner is None else [(owner, _group(owner))]
    plain = [Account(uid=uid, gid=gid) for uid, gid in ids]
    admitted = [_admitted(uid, gid) for uid, gid in ids]
    return [*plain, *([UNSHARED] if owner is None else []), *admitted]


def _admitted(uid: int, gid: int) -> Account:
    # For containers that forbid user namespaces. The bit keeps access(2), by which PostgreSQL looks for its programs,
    # from forgetting the capability.
    capability = ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
    user = ("--reuid", str(uid), "--regid", str(gid), "--clear-groups")
    return Account(uid=uid, gid=gid, prefix=("setpriv", "--securebits", "+no_setuid_fixup", *user, *capability))


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _group(uid: int) -> int:
    return pwd.getpwuid(uid).pw_gid if _has_name(uid) else uid
