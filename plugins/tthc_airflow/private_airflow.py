"""An Airflow of one process for `make run`: its own SQLite file, secrets and log below TTHC_HOME, nothing of another's.

This module imports no Airflow: `settle` decides by the environment which one the first import finds.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.settings import CHECKOUT

DAGS = CHECKOUT / "dags"


def settle(home: Path) -> Path:
    """Create `home/airflow` and point this process and its children at it; the directory.

    Every AIRFLOW variable of the caller is dropped, so that no Airflow of theirs is touched.
    """
    directory = home / "airflow"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    keys = _secrets(directory / "secrets.json")
    os.environ |= {
        "AIRFLOW_HOME": str(directory),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(CHECKOUT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet_key"],
        "AIRFLOW__API__SECRET_KEY": keys["secret_key"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{directory / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(directory / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }
    return directory


def _secrets(path: Path) -> dict[str, str]:
    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        json.dump(
            {
                "fernet_key": fernet_key,
                "secret_key": secrets.token_urlsafe(32),
                "jwt_secret": secrets.token_urlsafe(48),
            },
            file,
        )
    keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return keys


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keep a second `make run` of the same TTHC_HOME out. Raises Misconfigured while another one is at work."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(
                f"another `make run` is at work on {directory.parent}; wait for it, or set another TTHC_HOME"
            ) from None
        yield


@contextmanager
def migrated(directory: Path, log: Path) -> Iterator[None]:
    """Bring the metadata database up to date beside what the caller does meanwhile; it is ready when the block ends.

    Raises OutsideSystemFailed when `airflow db migrate` does.
    """
    stamp, wanted = directory / "migrated", version("apache-airflow-core")
    if stamp.exists() and stamp.read_text() == wanted and (directory / "airflow.db").exists():
        yield
        return
    with log.open("a") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "db", "migrate"], stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
    try:
        yield
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.wait() != 0:
        raise OutsideSystemFailed(f"`airflow db migrate` did not succeed; its words are in {log}")
    stamp.write_text(wanted)


@contextmanager
def printing_to(log: Path) -> Iterator[TextIO]:
    """Send whatever this process and its children print to a new log; yields the terminal for our own lines."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = os.dup(1), os.dup(2)
    with log.open("a", encoding="utf-8") as file, os.fdopen(os.dup(err), "w", encoding="utf-8") as terminal:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.close(out)
            os.close(err)
