"""A real Airflow for a test: scheduler, DAG processor and API server as processes of their own, on loopback."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tthc.settings import CHECKOUT

ADMIN = "quan.tri"
CLERKS = ("tran.thi.lan", "le.van.binh")  # made up; the role `user` may answer and trigger, and configure nothing
PATIENCE_SECONDS = 900.0  # of a busy machine


@dataclass(slots=True)
class Airflow:
    """A running Airflow; `ask` speaks its public API as one of its users."""

    home: Path
    url: str
    environment: dict[str, str]
    passwords: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, by: str = ADMIN, **body: Any) -> Any:
        if by not in self.tokens:
            user = {"username": by, "password": self.passwords[by]}
            told = requests.post(f"{self.url}/auth/token", json=user, timeout=30)
            told.raise_for_status()
            self.tokens[by] = told.json()["access_token"]
        headers = {"Authorization": f"Bearer {self.tokens[by]}"}
        answer = requests.request(method, f"{self.url}/api/v2/{path}", json=body or None, headers=headers, timeout=30)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json()

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Begin a run; its id."""
        self.ask("PATCH", f"dags/{dag_id}", is_paused=False)
        return str(self.ask("POST", f"dags/{dag_id}/dagRuns", logical_date=None, conf=conf)["dag_run_id"])

    def ended(self, dag_id: str, run_id: str, meanwhile: Callable[[], object] = lambda: None) -> dict[str, str]:
        """Wait for the end of a run: task[map index] → state, the run's own under "run"."""
        states: list[str] = []

        def over() -> bool:
            meanwhile()
            states.append(self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])
            return states[-1] in {"success", "failed"}

        until(over)
        return self.states(dag_id, run_id) | {"run": states[-1]}

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """task[map index] → state."""
        tasks = self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=200")["task_instances"]
        return {
            task["task_id"] + (f"[{task['map_index']}]" if task["map_index"] >= 0 else ""): task["state"]
            for task in tasks
        }

    def questions(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """What waits for an answer."""
        found = self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/hitlDetails?response_received=false")["hitl_details"]
        return [detail for detail in found if detail["task_instance"]["state"] == "awaiting_input"]

    def answer(self, question: dict[str, Any], by: str, option: str, reason: str) -> None:
        """What the page Required Actions sends."""
        task = question["task_instance"]
        place = f"dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
        chosen = {"chosen_options": [option], "params_input": {"reason": reason}}
        self.ask("PATCH", f"dags/{task['dag_id']}/{place}", by, **chosen)

    def change(self, statement: str, *terms: object) -> None:
        """Change a row of Airflow's own database, as time would."""
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=60)) as connection, connection:
            connection.execute(statement, terms)

    def start(self, *command: str) -> None:
        words = [sys.executable, "-m", "airflow", *command]
        with (self.home / f"{command[0]}.log").open("wb") as log:
            made = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(made)

    def run(self, *words: str) -> None:
        """A command that ends; its words are in its log."""
        with (self.home / "commands.log").open("ab") as log:
            command = [sys.executable, "-m", *words]
            subprocess.run(command, env=self.environment, check=True, stdout=log, stderr=log)

    def stop(self) -> None:
        for how in (signal.SIGTERM, signal.SIGKILL):
            for process in reversed(self.processes):
                if process.poll() is None:
                    os.killpg(process.pid, how)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and any(process.poll() is None for process in self.processes):
                time.sleep(0.2)


def until(done: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to an end"
        time.sleep(0.5)


@contextmanager
def airflow(home: Path, variables: dict[str, str], dags: int) -> Iterator[Airflow]:
    """An Airflow with its home there and our DAGs, as many as told; only runs asked for take place, no scheduled ones."""
    port, worker_logs, trigger_logs = _free_ports(3)
    url = f"http://127.0.0.1:{port}"
    passwords = {name: secrets.token_urlsafe(12) for name in (ADMIN, *CLERKS)}
    (home / "passwords.json").write_text(json.dumps(passwords))
    settings = {
        "CORE__DAGS_FOLDER": CHECKOUT / "dags", "CORE__PLUGINS_FOLDER": CHECKOUT / "plugins",
        "CORE__LOAD_EXAMPLES": False, "CORE__EXECUTOR": "LocalExecutor", "CORE__PARALLELISM": 2,
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join([f"{ADMIN}:admin", *(f"{name}:user" for name in CLERKS)]),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "passwords.json",
        "API__HOST": "127.0.0.1", "API__PORT": port, "API__BASE_URL": url, "API__WORKERS": 1,
        "API__SECRET_KEY": secrets.token_urlsafe(32), "API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "LOGGING__BASE_LOG_FOLDER": home / "logs", "LOGGING__WORKER_LOG_SERVER_PORT": worker_logs,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs, "SCHEDULER__USE_JOB_SCHEDULE": False,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "TTHC_"))}
    environment |= {f"AIRFLOW__{name}": str(value) for name, value in settings.items()}
    environment |= {"AIRFLOW_HOME": str(home), "GX_ANALYTICS_ENABLED": "false", **variables}
    made = Airflow(home, url, environment, passwords)
    made.run("airflow", "db", "migrate")
    made.run("tthc_airflow.pools")
    try:
        made.start("api-server", "--host", "127.0.0.1", "--port", str(port))
        made.start("dag-processor")
        made.start("scheduler", "--skip-serve-logs")
        until(lambda: _answers(f"{url}/api/v2/monitor/health"))
        until(lambda: made.ask("GET", "dags")["total_entries"] == dags)
        yield made
    finally:
        made.stop()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        made = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in made:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in made]
