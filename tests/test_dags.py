"""The nightly DAG as Airflow reads it: a light table of contents that retries and names nights by local date."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tthc.alerts.watchdog import watch
from tthc.domain import errors
from tthc.domain.errors import Misconfigured, TthcError
from tthc.reference.sources import read_sources
from tthc.settings import settings
from warehouses import Warehouse

CHECKOUT = Path(__file__).resolve().parents[1]
DAGS = CHECKOUT / "dags"
LOCAL = timezone(timedelta(hours=7))
NEW_PORTAL = """
[[source]]
id = "cong_moi"
title = "Cổng mới (dữ liệu tổng hợp)"
layouts = ["mot_cua_csv"]
"""
OURS = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, TthcError)]


@pytest.fixture(scope="module", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty AIRFLOW_HOME, set before anything here imports Airflow."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "false")
        yield home


def parse() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=DAGS)
    assert bag.import_errors == {}
    assert not bag.captured_warnings
    return bag


@pytest.fixture(scope="module")
def dag(airflow_home: Path) -> Any:
    return parse().dags["load_exports"]


def test_the_bag_holds_the_listed_dags_and_no_other() -> None:
    assert set(parse().dags) == {"load_exports", "held_files"}


def test_every_dag_is_documented_tagged_and_runs_one_night_at_a_time(dag: Any) -> None:
    assert len(dag.doc_md.splitlines()) > 5
    assert dag.tags == {"tthc"}
    assert dag.catchup is False
    assert dag.max_active_runs == 1


def test_every_task_is_retried_with_growing_pauses_and_ends_some_day(dag: Any) -> None:
    for task in dag.tasks:
        assert task.retries >= 2, task.task_id
        assert task.retry_exponential_backoff == 2.0, task.task_id
        assert task.max_retry_delay > task.retry_delay, task.task_id
        assert task.execution_timeout is not None, task.task_id


def test_a_dag_survives_serialisation(dag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    assert set(again.task_ids) == set(dag.task_ids)


def test_each_source_is_received_and_loaded_in_its_own_pool(dag: Any) -> None:
    from tthc_airflow.pools import source_pools

    sources = read_sources(settings())
    assert list(source_pools()) == list(sources)
    assert len(set(source_pools().values())) == len(sources)
    for source, pool in source_pools().items():
        receive, load = (dag.get_task(f"{source}.{step}") for step in ("receive", "load"))
        assert receive.pool == load.pool == pool
        assert load.upstream_task_ids == {receive.task_id}
        assert load.is_mapped


def test_a_portal_added_by_data_alone_gets_its_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources.toml").write_text(NEW_PORTAL, encoding="utf-8")
    monkeypatch.setenv("TTHC_REFERENCE", str(tmp_path))
    added = parse().dags["load_exports"]
    assert {"cong_moi.receive", "cong_moi.load"} <= set(added.task_ids)
    assert added.get_task("cong_moi.load").pool == "source_cong_moi"


def test_figures_and_messages_wait_for_every_source_but_need_none(dag: Any) -> None:
    loads = {f"{source}.load" for source in read_sources(settings())}
    publish, notify, conclude = (dag.get_task(name) for name in ("publish", "notify", "conclude"))
    assert publish.upstream_task_ids == loads
    assert notify.upstream_task_ids == {"prepare", "publish"}, "the night it reports is the one that was prepared"
    assert publish.trigger_rule == notify.trigger_rule == "all_done"
    assert conclude.upstream_task_ids == loads | {"publish", "notify"}
    assert conclude.trigger_rule == "none_failed"
    assert [task.task_id for task in dag.leaves] == ["conclude"], "another leaf could let a failed night end well"


def test_dossiers_and_figures_are_announced_under_one_address_each(dag: Any) -> None:
    announced = {outlet.name: outlet.uri for task in dag.tasks for outlet in task.outlets}
    assert announced == {"core.dossier": "tthc://warehouse/core.dossier", "mart.kpi": "tthc://warehouse/mart.kpi"}


def core_timetable(dag: Any) -> Any:
    from airflow.serialization.encoders import coerce_to_core_timetable

    return coerce_to_core_timetable(dag.timetable)


def test_the_run_after_midnight_is_about_the_day_that_ended(dag: Any) -> None:
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=datetime(2026, 11, 22, tzinfo=LOCAL), latest=None, catchup=True)
    info = core_timetable(dag).next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction)
    assert info.run_after == datetime(2026, 11, 22, 1, tzinfo=LOCAL), "18:00 of the 21st in UTC"
    assert info.partition_key == "2026-11-21"


def test_a_backfill_names_the_nights_asked_for(dag: Any) -> None:
    begin, end = datetime(2026, 9, 1, tzinfo=LOCAL), datetime(2026, 9, 2, 23, 59, tzinfo=LOCAL)
    infos = core_timetable(dag).iter_partition_dagrun_infos(earliest=begin, latest=end)
    assert [info.partition_key for info in infos] == ["2026-09-01", "2026-09-02"]


def run_context(night: str | None = None, key: str | None = None) -> dict[str, Any]:
    late_evening_utc = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
    return {"params": {"night": night}, "dag_run": SimpleNamespace(partition_key=key, run_after=late_evening_utc)}


def test_the_night_is_the_parameter_else_the_key_else_the_local_date() -> None:
    from tthc_airflow.night import night_of

    assert night_of(run_context("2026-06-30", "2026-11-21")) == date(2026, 6, 30)
    assert night_of(run_context(None, "2026-11-21")) == date(2026, 11, 21)
    assert night_of(run_context()) == date(2026, 11, 22)
    with pytest.raises(Misconfigured, match="30/6"):
        night_of(run_context("30/6"))


def test_a_dated_drop_folder_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tthc_airflow.tasks import folder_of

    monkeypatch.setenv("TTHC_DROP", str(tmp_path))
    assert folder_of(settings(), date(2026, 6, 30)) == tmp_path
    (tmp_path / "2026-06-30").mkdir()
    assert folder_of(settings(), date(2026, 6, 30)) == tmp_path / "2026-06-30"
    assert folder_of(settings(), date(2026, 7, 1)) == tmp_path


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_a_dag_file_is_a_table_of_contents(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 60
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Match))]
    assert not re.search(r"(?i)\b(select|insert|update|delete)\b.+\b(from|into|set)\b", text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert roots <= {"airflow", "tthc_airflow"} | sys.stdlib_module_names


def test_parsing_is_light_and_touches_no_database(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        f"assert DagBag(dag_folder={str(DAGS)!r}).import_errors == {{}}\n"
        "heavy = ('pandas', 'pyarrow', 'great_expectations', 'psycopg', 'tthc.pipeline')\n"
        "print('heavy:', *(name for name in heavy if name in sys.modules))\n"
    )
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path), "TTHC_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1].split() == ["heavy:"]
    assert not (tmp_path / "airflow.db").exists()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_an_error_of_ours_is_retried_or_fails_at_once_as_its_class_says(kind: type[TthcError]) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from tthc_airflow.failures import told_to_airflow

    with_reason = kind in {errors.FileRefused, errors.PortalFailed}
    error = kind("REASON", "what is wrong") if with_reason else kind("what is wrong")
    with pytest.raises(Exception, match="what is wrong") as told, told_to_airflow():
        raise error
    if kind.retryable:
        assert told.value is error
    else:
        assert type(told.value) is AirflowFailException
        assert str(told.value) == str(error)
        assert told.value.__cause__ is error


def test_an_error_that_is_not_ours_passes_as_it_is() -> None:
    from tthc_airflow.failures import told_to_airflow

    with pytest.raises(ZeroDivisionError), told_to_airflow():
        raise ZeroDivisionError


def test_airflow_loads_no_module_of_ours_as_a_plugin() -> None:
    from airflow._shared.module_loading.file_discovery import find_path_from_directory

    assert list(find_path_from_directory(str(CHECKOUT / "plugins"), ".airflowignore", "glob")) == []


def test_a_task_leaves_its_beginning_and_its_end_in_the_warehouse(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed, skipped, ended, and killed: the last has no end, which is how the run's end knows of it."""
    from airflow.sdk.exceptions import AirflowSkipException

    from tthc_airflow import steps
    from tthc_airflow.failures import told_to_airflow

    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)

    def within(task_id: str, map_index: int = -1) -> None:
        context = run_context("2026-06-30") | {
            "ti": SimpleNamespace(task_id=task_id, map_index=map_index, try_number=1),
            "dag_run": SimpleNamespace(run_id="manual"),
        }
        monkeypatch.setattr(steps, "get_current_context", lambda: context)

    within("ended")
    with told_to_airflow():
        pass
    within("skipped", 3)
    with pytest.raises(AirflowSkipException), told_to_airflow():
        raise AirflowSkipException
    within("failed")
    with pytest.raises(Exception, match="wrong"), told_to_airflow():
        raise Misconfigured("what is wrong")
    within("killed")
    begun = told_to_airflow()
    begun.__enter__()  # type: ignore[attr-defined]  # a context manager by its decorator; it is never left
    within("notify")
    with told_to_airflow():
        pass
    rows = warehouse.query(
        "select name, ended_at is not null as ended, failed_as, night from alerts.step order by name"
    )
    assert [(row["name"], row["ended"], row["failed_as"]) for row in rows] == [
        ("ended", True, None), ("failed", True, "Misconfigured"), ("killed", False, None), ("skipped[3]", True, None),
    ]  # fmt: skip
    assert {row["night"] for row in rows} == {date(2026, 6, 30)}


def test_the_hint_sends_what_waits_and_hinders_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, dag: Any
) -> None:
    from tthc_airflow.steps import DispatcherHint

    assert any(isinstance(callback, DispatcherHint) for callback in [dag.on_failure_callback])
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    DispatcherHint().notify({})
    assert warehouse.value("select count(*) from alerts.dispatch where night is null") == 1
    monkeypatch.setenv("TTHC_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/none")
    DispatcherHint().notify({})


def test_a_night_that_was_never_prepared_is_not_reported_as_ended(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warehouse was down at one o'clock and is back by now: what waits is sent, and the watchdog misses the night."""
    from tthc_airflow import tasks

    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    tasks.notify(None)
    assert warehouse.query("select night from alerts.dispatch") == [{"night": None}]
    assert any("2026-06-30" in problem for problem in watch(warehouse.settings, datetime(2026, 7, 1, 2, tzinfo=UTC)))
    tasks.notify("2026-06-30")
    assert warehouse.value("select max(night)::text from alerts.dispatch") == "2026-06-30"
    assert watch(warehouse.settings, datetime(2026, 7, 1, 2, tzinfo=UTC)) == []


def test_an_airflow_connection_is_the_access_of_a_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    from tthc.settings import PortalAccess
    from tthc_airflow.portal_access import access_of

    monkeypatch.setenv("TTHC_PORTAL_CONG_A_USER", "from the environment")
    assert access_of("cong_a") == PortalAccess(user="from the environment")
    monkeypatch.setenv(
        "AIRFLOW_CONN_TTHC_PORTAL_CONG_A",
        '{"conn_type": "http", "host": "cong.vi-du.vn", "port": 8443, "login": "u", "password": "p"}',
    )
    assert access_of("cong_a") == PortalAccess(url="https://cong.vi-du.vn:8443", user="u", password="p", token="p")


@pytest.mark.parametrize(
    ("passing", "came", "attempt", "raised"),
    [
        (True, ["receipt"], 1, True),
        (True, ["receipt"], 3, False),
        (True, [], 1, True),
        (True, [], 3, False),
        (False, ["receipt"], 1, False),
        (False, [], 1, False),
    ],
)
def test_a_portal_that_failed_is_tried_again_then_left_out(
    monkeypatch: pytest.MonkeyPatch, passing: bool, came: list[str], attempt: int, raised: bool
) -> None:
    """Its incident is in the warehouse; nobody could mend it in the run, so the task does not fail, come what came."""
    from tthc import pipeline
    from tthc.sources.portal_fetch import Fetched
    from tthc_airflow import tasks

    failed = Fetched(unit_code="18373", outcome="failed", file_name="a", reason="PORTAL_X", passing=passing)
    asked: list[bool] = []

    def fetch(*_: object, again: bool, **__: object) -> tuple[list[str], list[Fetched]]:
        asked.append(again)
        return came, [failed]

    monkeypatch.setattr(pipeline, "fetch", fetch)
    monkeypatch.setattr(tasks, "get_current_context", lambda: {"ti": SimpleNamespace(try_number=attempt, max_tries=2)})
    if raised:
        with pytest.raises(errors.PortalFailed, match="PORTAL_X") as told:
            tasks._fetched(settings(), "cong_a", date(2026, 6, 30))
        assert told.value.retryable
    else:
        assert tasks._fetched(settings(), "cong_a", date(2026, 6, 30)) == came
    assert asked == [attempt == 1]
