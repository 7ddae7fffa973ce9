"""A person releases or refuses held files through Airflow: the DAG as Airflow reads it, and what its tasks do.

That a task waits for an answer and goes on with it is Airflow's; here stands what is asked and what an answer does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exports import csv_list, dossier
from tthc import pipeline
from tthc.domain.errors import Misconfigured
from tthc.settings import CHECKOUT
from warehouses import Warehouse

NIGHT = date(2026, 3, 20)
ROW = csv_list([dossier("H42-260105-0001")])
HEADER_ONLY = ROW.splitlines(keepends=True)[0]


@pytest.fixture(scope="module")
def dag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "false")
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=CHECKOUT / "dags")
        assert bag.import_errors == {}
        assert not bag.captured_warnings
        yield bag.dags["held_files"]


@pytest.fixture
def place(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """Two held files, in the warehouse that the tasks' environment names."""
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    files = {"mot_cua_csv/a.csv": HEADER_ONLY, "mot_cua_csv/H42-260105-0009.csv": HEADER_ONLY + b"\n"}
    assert warehouse.load_only(NIGHT, files).files == {"held": 2}
    with warehouse.kept():
        yield warehouse


def answer(chosen: str, reason: str | None = "đã gọi điện", person: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "chosen_options": [chosen],
        "params_input": {} if reason is None else {"reason": reason},
        "responded_at": datetime(2026, 3, 21, 1, tzinfo=UTC),
        "responded_by_user": person or {"id": "7", "name": "trực ban"},
    }


def verdicts(place: Warehouse) -> list[str]:
    return [row["verdict"] for row in place.query("select verdict from core.delivery order by delivery_id")]


def decisions(place: Warehouse) -> list[tuple[Any, ...]]:
    rows = place.query("select delivery_id, decision, decided_by, reason from core.decision order by delivery_id")
    return [tuple(row.values()) for row in rows]


def test_each_file_is_asked_about_decided_and_published_by_itself(dag: Any) -> None:
    waiting, ask, decide, publish = (dag.get_task(t) for t in ("waiting", "file.ask", "file.decide", "file.publish"))
    assert set(dag.task_ids) == {"waiting", "file.ask", "file.decide", "file.publish"}
    assert type(ask).__name__ == "HITLOperator"
    assert decide.upstream_task_ids == {"waiting", "file.ask"}
    assert publish.upstream_task_ids == {"file.decide"}
    groups = {task.task_id: task.get_closest_mapped_task_group() for task in (waiting, ask, decide, publish)}
    assert groups.pop("waiting") is None
    assert {group.group_id for group in groups.values()} == {"file"}
    assert [outlet.name for outlet in publish.outlets] == ["mart.kpi"]


def test_nobody_has_to_answer_and_the_question_asks_for_a_reason(dag: Any) -> None:
    from tthc_airflow.held_files import LATER, OPTIONS

    ask = dag.get_task("file.ask")
    assert ask.options == OPTIONS
    assert ask.defaults == [LATER]
    assert ask.response_timeout < timedelta(days=1), "the next morning asks again"
    assert ask.execution_timeout is None, "waiting is no execution"
    assert list(ask.params) == ["reason"]


def test_the_dag_is_documented_retried_serialisable_and_runs_once_at_a_time(dag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    assert len(dag.doc_md.splitlines()) > 5
    assert (dag.tags, dag.catchup, dag.max_active_runs) == ({"tthc"}, False, 1)
    assert all(task.retries >= 2 and task.retry_exponential_backoff == 2.0 for task in dag.tasks)
    assert all(task.execution_timeout for task in dag.tasks if task.task_id != "file.ask")
    assert set(DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).task_ids) == set(dag.task_ids)


def test_what_is_asked_names_the_file_and_no_dossier(place: Warehouse) -> None:
    from tthc_airflow import held_files

    asked = held_files.waiting()
    assert sorted(one["delivery_id"] for one in asked) == [1, 2]
    assert all(set(one) == {"delivery_id", "subject", "body"} for one in asked)
    assert any("ZERO_ROWS, mot_cua_csv, a.csv" in one["subject"] for one in asked)
    assert all("20/03/2026" in one["body"] for one in asked)
    assert "260105-0009" not in str(asked)


def test_an_answer_does_what_the_command_does_under_the_name_of_who_gave_it(place: Warehouse) -> None:
    from tthc_airflow import held_files

    held_files.decide(1, answer(held_files.RELEASE))
    held_files.decide(2, answer(held_files.REFUSE, "  gửi nhầm ", {"id": "9", "name": ""}))
    assert decisions(place) == [(1, "release", "trực ban", "đã gọi điện"), (2, "refuse", "9", "gửi nhầm")]
    assert verdicts(place) == ["loaded", "rejected"]
    assert held_files.waiting() == []


def test_the_answer_as_airflow_hands_it_on_is_understood(place: Warehouse, dag: Any) -> None:
    """From the row in which Airflow keeps an answer, through the operator and the store between tasks."""
    from airflow.models.hitl import HITLDetail
    from airflow.sdk.serde import deserialize, serialize

    from tthc_airflow import held_files

    kept = HITLDetail(
        chosen_options=[held_files.RELEASE],
        params_input={"reason": "đã gọi điện"},
        responded_at=datetime(2026, 3, 21, 1, tzinfo=UTC),
        responded_by={"id": "7", "name": "trực ban"},
    )
    handed_on = dag.get_task("file.ask").execute_complete({}, kept.as_resume_event_payload())
    held_files.decide(1, deserialize(serialize(handed_on)))
    assert decisions(place) == [(1, "release", "trực ban", "đã gọi điện")]


@pytest.mark.parametrize("late", [False, True])
def test_what_is_left_for_later_or_not_answered_stays_held(place: Warehouse, late: bool) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from tthc_airflow import held_files

    given = answer(held_files.LATER, None) | ({"responded_by_user": None} if late else {})
    with pytest.raises(AirflowSkipException):
        held_files.decide(1, given)
    assert verdicts(place) == ["held", "held"]


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_a_decision_without_a_reason_fails_at_once_and_changes_nothing(place: Warehouse, reason: str | None) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from tthc_airflow import held_files

    with pytest.raises(AirflowFailException, match="needs a reason") as failed:
        held_files.decide(1, answer(held_files.RELEASE, reason))
    assert isinstance(failed.value.__cause__, Misconfigured)
    assert verdicts(place) == ["held", "held"]


def test_a_second_try_or_a_decision_made_elsewhere_is_left_as_it_is(place: Warehouse) -> None:
    from tthc_airflow import held_files

    pipeline.decide(place.settings, 1, release=False, by="người khác", reason="gửi nhầm")
    assert "decided already" in held_files.decide(1, answer(held_files.RELEASE))
    assert [row[1:] for row in decisions(place)] == [("refuse", "người khác", "gửi nhầm")]
