"""The deployment: one set of secrets for every Airflow service, a warehouse apart, nothing secret written down."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import make_url

CHECKOUT = Path(__file__).resolve().parents[1]
COMPOSE = (CHECKOUT / "docker-compose.yaml").read_text(encoding="utf-8")
EXAMPLE = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
DEPLOYMENT: dict[str, Any] = yaml.safe_load(COMPOSE)
SERVICES: dict[str, Any] = DEPLOYMENT["services"]
AIRFLOW = {name: service for name, service in SERVICES.items() if name.startswith("airflow-")}
DATABASES = {name: service for name, service in SERVICES.items() if name not in AIRFLOW}
SECRETS = (
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "TTHC_WAREHOUSE_URL",
    "TTHC_HMAC_KEY",
)


@pytest.fixture(scope="module")
def filled_env() -> dict[str, str]:
    """What the command in .env.example makes of .env.example."""
    command = re.search(r"python3 -c '(.+)' < \.env\.example", EXAMPLE)
    assert command, "no command in .env.example"
    made = subprocess.run(
        [sys.executable, "-c", command.group(1)], input=EXAMPLE, capture_output=True, text=True, check=True
    ).stdout
    return dict(line.split("=", 1) for line in made.splitlines() if line and not line.startswith("#"))


def test_the_services_are_those_of_one_airflow_and_two_databases() -> None:
    assert set(AIRFLOW) == {
        "airflow-init",
        "airflow-apiserver",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
    }
    assert set(DATABASES) == {"postgres", "warehouse"}
    assert "name" not in DEPLOYMENT, "Compose 1.29 refuses a top-level name"


def test_every_airflow_service_shares_image_environment_and_volumes() -> None:
    common = DEPLOYMENT["x-airflow-common"]
    for name, service in AIRFLOW.items():
        for part in ("image", "build", "environment", "volumes", "user", "cap_drop", "security_opt"):
            assert service[part] == common[part], f"{name}: {part}"


def test_secrets_come_from_the_environment_or_compose_stops() -> None:
    environment = DEPLOYMENT["x-airflow-common"]["environment"]
    for name in SECRETS:
        assert re.search(r"\$\{\w+:\?", environment[name]), name
    for name, service in DATABASES.items():
        assert service["environment"]["POSTGRES_PASSWORD"].startswith("${"), name
        assert "trust" not in str(service["environment"])
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-apiserver:8080/execution/"


def test_the_warehouse_is_not_the_metadata_database() -> None:
    postgres, warehouse = SERVICES["postgres"], SERVICES["warehouse"]
    assert postgres["volumes"] != warehouse["volumes"]
    assert postgres["environment"]["POSTGRES_PASSWORD"] != warehouse["environment"]["POSTGRES_PASSWORD"]
    environment = DEPLOYMENT["x-airflow-common"]["environment"]
    hosts = {make_url(re.sub(r"\$\{[^}]+\}", "x", environment[name])).host for name in SECRETS[3:5]}
    assert hosts == {"postgres", "warehouse"}


def test_nothing_starts_before_what_it_needs() -> None:
    healthy = {name: {"condition": "service_healthy"} for name in DATABASES}
    for name, service in AIRFLOW.items():
        first = {} if name == "airflow-init" else {"airflow-init": {"condition": "service_completed_successfully"}}
        assert service["depends_on"] == healthy | first, name


def test_every_service_that_stays_is_watched_and_restarted() -> None:
    for name, service in SERVICES.items():
        if name != "airflow-init":
            assert service["restart"] == "always", name
            assert service["healthcheck"]["test"], name


def test_ports_are_open_on_this_host_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_mounted_volume_is_declared_and_kept() -> None:
    named = {
        mount.split(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", ())
        if not mount.startswith((".", "/", "$"))
    }
    assert named == set(DEPLOYMENT["volumes"])


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    optional = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE))
    assert set(re.findall(r"(?m)^(\w+)=$", EXAMPLE)) == needed
    assert dict(re.findall(r"(?m)^# (\w+)=(\S+)$", EXAMPLE)) == optional
    assert not re.findall(r"(?m)^\w+=.+$", EXAMPLE)


def test_the_command_of_the_example_fills_it(filled_env: dict[str, str]) -> None:
    assert set(filled_env) == set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    assert len(set(filled_env.values())) == len(filled_env)
    assert all(len(value) >= 43 for value in filled_env.values())
    Fernet(filled_env["AIRFLOW_FERNET_KEY"])
    password = filled_env["TTHC_WAREHOUSE_PASSWORD"]
    assert make_url(f"postgresql+psycopg://tthc:{password}@warehouse/tthc").password == password


def test_the_image_is_the_locked_airflow_and_runs_as_nobody_special() -> None:
    base = re.search(r"(?m)^FROM apache/airflow:(\S+)-python(3\.\d+)$", DOCKERFILE)
    locked = re.search(r"(?m)^apache-airflow==(\S+)", (CHECKOUT / "requirements.lock").read_text(encoding="utf-8"))
    assert base
    assert locked
    assert base.group(1) == locked.group(1)
    assert base.group(2) in {"3.11", "3.12", "3.13"}
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert re.findall(r"(?m)^USER (\S+)", DOCKERFILE)[-1] == "airflow"


def test_secrets_and_state_stay_out_of_the_image() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", ".git", ".tthc", ".venv"} <= set(ignored)


def test_compose_itself_accepts_the_file(tmp_path: Path, filled_env: dict[str, str]) -> None:
    compose = compose_command()
    if compose is None:
        pytest.skip("NO DOCKER COMPOSE HERE: docker-compose.yaml was parsed, but not checked by the program itself")
    shutil.copy(CHECKOUT / "docker-compose.yaml", tmp_path)
    command = [*compose, "--project-directory", str(tmp_path), "-f", str(tmp_path / "docker-compose.yaml")]
    for missing in ("", *filled_env):
        lines = (f"{name}={value}\n" for name, value in filled_env.items() if name != missing)
        (tmp_path / ".env").write_text("".join(lines))
        done = subprocess.run(
            [*command, "config", "-q"], capture_output=True, text=True, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}
        )
        assert (done.returncode == 0) == (missing == ""), f"without {missing or 'nothing'}: {done.stderr}"
        assert missing in done.stderr


def compose_command() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return [shutil.which(command[0]) or command[0], *command[1:]]
    return None
