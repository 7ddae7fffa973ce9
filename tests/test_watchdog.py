"""The watchdog sees from outside what nobody inside can tell: a dead dispatcher, a night that never was, a killed task.

The numbers A10 to A12 are those of the list of alert guarantees the tests were written for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import channels
from channels import Http, http, webhook
from loader import Warm
from tthc.alerts import steps
from tthc.alerts.dispatch import dispatch
from tthc.alerts.incidents import Failure, record
from tthc.alerts.watchdog import watch
from tthc.settings import Settings
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 10)
DAWN = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)  # 01:30 on the 11th in Việt Nam
SIX = datetime(2026, 3, 10, 23, 0, tzinfo=UTC)  # 06:00
HOUR = timedelta(hours=1)


@pytest.fixture
def hook() -> Iterator[Http]:
    with http() as made:
        yield made


@pytest.fixture
def place(warehouses: Warehouses, hook: Http, tmp_path: Path) -> Iterator[Warehouse]:
    text = webhook(hook.url, policy=f'ping_url = "{hook.url}/ping"')
    with warehouses.fresh(channels.overlay(tmp_path, text)) as made:
        yield made


def fail(place: Warehouse, now: datetime) -> None:
    failure = Failure(
        rule_id="DATE_ORDER", source_id="mot_cua_csv", severity="error", night=NIGHT, subject="DATE_ORDER: 1"
    )
    with transaction(place.settings) as connection:
        record(connection, [failure], now)


def alarms(hook: Http) -> list[str]:
    return [call.body["text"] for call in hook.calls if call.raw and call.body["kind"] == "watchdog"]


def pings(hook: Http) -> int:
    return sum(call.path == "/ping" for call in hook.calls)


def test_a_night_that_ended_is_well_and_pinged(place: Warehouse, hook: Http) -> None:
    dispatch(place.settings, DAWN, NIGHT)
    assert watch(place.settings, SIX) == []
    assert pings(hook) == 1
    assert alarms(hook) == []
    assert "all is well" in (place.settings.out / "watchdog.txt").read_text(encoding="utf-8")


def test_a_night_that_never_ran_is_told_by_six_once_a_day_and_not_pinged(place: Warehouse, hook: Http) -> None:
    """A11."""
    dispatch(place.settings, DAWN - timedelta(days=1), NIGHT - timedelta(days=1))
    assert watch(place.settings, SIX - HOUR) == [], "the night before is all there can be"
    for later in range(3):
        (problem,) = watch(place.settings, SIX + later * HOUR)
        assert "2026-03-10" in problem
    assert len(alarms(hook)) == 1
    assert "10/03/2026 chưa chạy" in alarms(hook)[0]
    assert "10/03/2026 chưa chạy" in (place.settings.out / "watchdog.txt").read_text(encoding="utf-8")
    assert pings(hook) == 1
    watch(place.settings, SIX + 24 * HOUR)
    assert len(alarms(hook)) == 2


def test_an_outbox_that_does_not_drain_is_told_though_its_channel_is_dead(place: Warehouse, hook: Http) -> None:
    """A10: no channel works, so a file, the status and the missing ping must do."""
    hook.answer = 500
    fail(place, DAWN)
    dispatch(place.settings, DAWN, NIGHT)
    assert [p for p in watch(place.settings, DAWN + HOUR) if "ping" not in p] == []
    problems = watch(place.settings, SIX)
    assert any("messages do not leave" in problem for problem in problems)
    assert any("no channel works: hook: HTTP 500" in problem for problem in problems)
    pinged = pings(hook)
    watch(place.settings, SIX + HOUR)
    assert pings(hook) == pinged


def test_a_dispatcher_nobody_starts_is_told(place: Warehouse, hook: Http) -> None:
    dispatch(place.settings, DAWN, NIGHT)
    fail(place, DAWN + HOUR)
    problems = watch(place.settings, SIX + HOUR)
    assert any("dispatcher does not run" in problem for problem in problems)
    assert len(alarms(hook)) == 1


def test_a_killed_task_is_told_by_the_watchdog_and_at_the_end_of_the_run(place: Warehouse, hook: Http) -> None:
    """A12: Airflow calls nobody when a task is killed."""
    steps.begin(place.settings, NIGHT, "mot_cua_csv.load[0]", "run#1", DAWN - HOUR)
    steps.begin(place.settings, NIGHT, "mot_cua_csv.load[1]", "run#1", DAWN - HOUR)
    steps.begin(place.settings, NIGHT, "mot_cua_csv.load[1]", "run#2", DAWN)
    steps.end(place.settings, NIGHT, "mot_cua_csv.load[1]", "run#2", None, DAWN)
    steps.begin(place.settings, NIGHT, "publish", "run#1", DAWN)
    steps.end(place.settings, NIGHT, "publish", "run#1", "WarehouseRefused", DAWN)
    dispatch(place.settings, DAWN, NIGHT)
    opened = place.query("select rule_id, source_id, detail from alerts.incident order by rule_id")
    assert opened == [
        {"rule_id": "STEP_FAILED", "source_id": "run", "detail": "publish (WarehouseRefused)"},
        {"rule_id": "STEP_KILLED", "source_id": "run", "detail": "mot_cua_csv.load[0]"},
    ]
    problems = watch(place.settings, SIX)
    assert [problem for problem in problems if "load[0]" in problem and "killed" in problem]
    for name in ("mot_cua_csv.load[0]", "publish"):
        steps.begin(place.settings, NIGHT, name, "again#1", SIX)
        steps.end(place.settings, NIGHT, name, "again#1", None, SIX)
    dispatch(place.settings, SIX, NIGHT)
    assert watch(place.settings, SIX) == []
    assert place.value("select count(*) from alerts.incident where state <> 'resolved'") == 0


GONE = {
    "a closed port": "postgresql://tthc@127.0.0.1:1/tthc",
    "no such database": None,
}


@pytest.mark.parametrize("name", GONE)
def test_a_warehouse_that_does_not_answer_is_told(place: Warehouse, hook: Http, name: str) -> None:
    url = GONE[name] or place.url.rsplit("/", 1)[0] + "/no_such_warehouse"
    (problem,) = watch(replace(place.settings, warehouse_url=url), SIX)
    assert "the warehouse does not answer" in problem
    assert len(alarms(hook)) == 1


def test_a_warehouse_never_made_is_told_and_not_started(settings_without_server: Settings) -> None:
    problems = watch(settings_without_server, SIX)
    assert any("never made: tthc init" in problem for problem in problems)
    assert not (settings_without_server.home / "postgres").exists()


@pytest.fixture
def settings_without_server(place: Warehouse, tmp_path: Path) -> Settings:
    return replace(place.settings, warehouse_url=None, home=tmp_path / "home")


def test_the_command_ends_with_its_finding(place: Warehouse, hook: Http, warm: Warm) -> None:
    command = warm.start(["watchdog", "--json"], place.environment(), place.settings.home)
    assert command.wait() == 1
    assert "has not ended" in command.out.read_text(encoding="utf-8")
    broken = place.environment() | {"TTHC_REFERENCE": str(place.settings.home / "nowhere")}
    command = warm.start(["watchdog"], broken, place.settings.home)
    assert command.wait() == 1
    assert "misconfigured" in command.out.read_text(encoding="utf-8")
