"""`make run` in small: a province of 500 dossiers through the real nightly DAG, failed, mended and repeated.

The three runs share one TTHC_HOME and are ordered: the first publishes the night, in the second one source fails while
something new waits, the third finds everything known.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from canaries import CODES, PAPER, PHONE, leaks, odd_files, persons, sqlite_tables, texts_below, warehouse_tables
from tthc.reference.sources import read_sources
from tthc.settings import settings
from tthc.warehouse import server

NIGHT = "2026-06-30"
DEMO = "from tthc_airflow.demo import main; main()"
DEMO_WITHOUT_ONE_SOURCE = f"""
from tthc import pipeline
from tthc.domain.errors import Misconfigured

received = pipeline.receive

def receive(settings, drop, night, only=None):
    if only == "dvcqg_json":
        raise Misconfigured("the folder is locked")
    return received(settings, drop, night, only)

pipeline.receive = receive
{DEMO}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One TTHC_HOME and what the runs left there."""

    path: Path

    def run(self, script: str = DEMO, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TTHC_")}
        return subprocess.run(
            [sys.executable, "-c", script, "--dossiers", "500"],
            env=environment | {"TTHC_HOME": str(self.path)} | variables,
            capture_output=True,
            text=True,
            timeout=900,
        )

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        url = server.url(self.path).replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def airflow(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path / "airflow" / "airflow.db")) as connection:
            return connection.execute(statement).fetchall()

    def last_run(self) -> dict[str, str]:
        """Task → state of the newest run, and the run's own state under "run"."""
        ((run_id, state),) = self.airflow("select run_id, state from dag_run order by id desc limit 1")
        tasks = self.airflow("select run_id, task_id, state from task_instance")
        return {task: of_task for run, task, of_task in tasks if run == run_id} | {"run": state}


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    made = Home(path=Path(tempfile.mkdtemp(prefix="tthc-demo-")))
    made.path.chmod(0o755)  # the server runs under another account when the tests run as root
    yield made
    server.stop(made.path)
    shutil.rmtree(made.path, ignore_errors=True)


def test_one_run_publishes_the_true_figures(home: Home) -> None:
    done = home.run()
    assert done.returncode == 0, done.stderr
    states = home.last_run()
    assert states["run"] == "success"
    assert states["procedure_catalogue.load"] == "skipped", "nobody delivered a catalogue"
    truth = json.loads((home.path / "sample" / NIGHT / "truth.json").read_text(encoding="utf-8"))
    published = home.query(
        "select period_calendar, period_kind, period_label, unit_code, field_code, metric_id, profile, numerator, "
        "denominator from mart.kpi where basis = 'as_reported'"
    )
    names = ("period_calendar", "period_kind", "period_label", "unit_code", "field_code", "metric_id", "profile")
    true = {
        tuple(row[name] for name in (*names, "numerator", "denominator"))
        for row in (*truth["figures"], *truth["stated"])
    }
    assert truth["figures"] and truth["stated"]
    assert set(published) == true
    assert home.query("select publication_id from mart.publication where is_current") == [(1,)]
    assert home.query("select max(night)::text from core.delivery") == [(NIGHT,)]
    dirty = {f"{row['source_id']} {row['file']} {row['row_no']}" for row in truth["dirt"]}
    assert f"Quarantine: {len(dirty)} rows" in done.stdout


def test_a_source_that_fails_keeps_no_other_from_being_published(home: Home) -> None:
    for name, content in odd_files().items():
        path = home.path / "sample" / NIGHT / name
        if not name.startswith("dvcqg_json/"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    done = home.run(DEMO_WITHOUT_ONE_SOURCE)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "make run: task dvcqg_json.receive failed: the folder is locked; "
        f"the log is {home.path / 'airflow' / 'demo.log'}"
    )
    states = home.last_run()
    assert states["dvcqg_json.receive"] == "failed"
    assert states["dvcqg_json.load"] == "upstream_failed"
    assert states["mot_cua_csv.load"] == states["publish"] == states["notify"] == "success"
    assert states["conclude"] == "upstream_failed"
    assert states["run"] == "failed"
    assert home.airflow("select distinct try_number from task_instance where state = 'failed'") == [(1,)]
    assert home.query("select publication_id from mart.publication where is_current") == [(2,)]


def test_a_repeated_run_says_that_nothing_changed_and_where_everything_is(home: Home) -> None:
    done = home.run()
    shown = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    for expected in ("Xã Tiên Điền", "Tỉnh Hà Tĩnh", "Tỷ lệ giải quyết trước và đúng hạn", "> 95%", "Open incidents: "):
        assert expected in shown
    assert "postgresql://tthc_analyst:" in shown
    assert str(home.path / "out") in shown
    assert "airflow." not in done.stdout + done.stderr, "Airflow's own words belong into its log"
    assert "Nothing new: whatever was delivered is known already." in done.stdout
    assert "The figures are unchanged, those of publication 2." in done.stdout
    assert home.last_run()["publish"] == "skipped"
    assert "simulating" not in done.stderr
    assert home.query("select publication_id, is_current from mart.publication order by 1") == [(1, False), (2, True)]


def test_nothing_of_the_persons_in_the_files_is_anywhere_but_in_the_landing_store(home: Home) -> None:
    """Those of the sample and of the odd files of the second run, in Airflow's database and logs, in the warehouse, and in
    all that lies beside it."""
    files = sorted((home.path / "sample").rglob("dvcqg_json/*.json"))
    records = [record for path in files for record in json.loads(path.read_bytes())][:20]
    told = {record["MaHoSo"] for record in records}
    canaries = {*told, "NGƯỜI GIẢ", PAPER, PHONE, CODES[0][:-3]}
    assert len(told) > 10
    own = [home.path / name for name in ("landing", "sample", "postgres/data")]
    sinks = dict(texts_below(home.path, without=own))
    sinks |= {f"airflow.{name}": text for name, text in sqlite_tables(home.path / "airflow" / "airflow.db")}
    sinks |= {f"warehouse.{name}": text for name, text in warehouse_tables(home.query)}
    assert "sha256" in sinks["airflow.xcom"]
    assert "UNKNOWN_STATUS" in sinks["warehouse.core.quarantine"]
    assert leaks(sinks.items(), canaries) == set()
    landed = "\n".join(text for _, text in texts_below(home.path / "landing"))
    assert persons(landed, canaries) == canaries, "the search finds what is there"


def test_every_source_has_its_pool(home: Home) -> None:
    wanted = {(f"source_{source.id}", source.pool_slots) for source in read_sources(settings()).values()}
    assert wanted <= set(home.airflow("select pool, slots from slot_pool"))


def test_secrets_are_for_their_owner_only(home: Home) -> None:
    assert (home.path / "airflow").stat().st_mode & 0o777 == 0o700
    assert (home.path / "airflow" / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_warehouse_that_does_not_answer_is_one_sentence_and_status_3(tmp_path: Path) -> None:
    done = Home(path=tmp_path).run(TTHC_WAREHOUSE_URL="postgresql://nobody:x@127.0.0.1:1/none", TTHC_HMAC_KEY="k" * 32)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("make run: the warehouse did not answer")
    assert "Traceback" not in done.stderr
