"""`tthc incidents …` and `tthc messages …`: what a person on duty sees and decides, and what is refused with a reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tthc.alerts.incidents import Failure, record
from tthc.cli import app
from tthc.domain.errors import Misconfigured
from tthc.settings import LOCAL
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

NIGHT = datetime.now(LOCAL).date()  # commands take no moment: they decide now
SIGNED = ["--by", "Kiểm thử", "--reason", "đã gọi điện"]


@pytest.fixture
def place(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A warehouse with one incident that was told."""
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    failure = Failure(
        rule_id="DATE_ORDER", source_id="mot_cua_csv", unit_code="18373", severity="error", night=NIGHT,
        subject="DATE_ORDER, mot_cua_csv, Xã Tiên Điền: 2 dòng bị cách ly", detail="ngày kết thúc trước ngày tiếp nhận",
    )  # fmt: skip
    with transaction(warehouse.settings) as connection:
        record(connection, [failure])
    return warehouse


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def listed(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*words, "--json").stdout)
    return found


def state(place: Warehouse) -> str:
    return str(place.value("select state from alerts.incident"))


def test_an_incident_from_its_message_to_its_end(place: Warehouse) -> None:
    assert run("messages", "send").exit_code == 0
    (row,) = listed("incidents", "list")
    number = str(row["incident_id"])
    assert (row["state"], row["nights"]) == ("open", 1)
    assert run("incidents", "ack", number, *SIGNED).exit_code == 0
    until = (datetime.now(LOCAL) + timedelta(days=3)).date()
    assert run("incidents", "snooze", number, *SIGNED, "--until", str(until)).exit_code == 0
    assert state(place) == "snoozed"
    midnight = datetime(until.year, until.month, until.day, tzinfo=LOCAL)
    assert place.value("select snoozed_until from alerts.incident") == midnight, "of Việt Nam"
    assert run("incidents", "resolve", number, *SIGNED).exit_code == 0
    assert listed("incidents", "list") == []
    assert run("incidents", "list").stdout.strip() == "no incident is open"
    assert [row["state"] for row in listed("incidents", "list", "--all")] == ["resolved"]
    shown = json.loads(run("incidents", "show", number, "--json").stdout)
    assert [entry["what"] for entry in shown["history"]] == ["opened", "acknowledged", "snoozed", "resolved"]
    assert {entry["by_whom"] for entry in shown["history"][1:]} == {"Kiểm thử"}
    assert [(told["kind"], told["sent_over"]) for told in shown["messages"]] == [("opened", "file")]
    assert "đã gọi điện" in run("incidents", "show", number).stdout
    run("messages", "send")
    files = sorted((place.settings.out / "messages").glob("*.txt"))
    assert ["Đã hết" in file.read_text(encoding="utf-8") for file in files] == [False, True]
    assert listed("messages", "list") == []
    assert len(listed("messages", "list", "--all")) >= 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ack", "999", *SIGNED], "no incident 999"),
        (["show", "999"], "no incident 999"),
        (["ack", "{id}", "--by", " ", "--reason", "vì"], "--by NAME --reason WHY"),
        (["snooze", "{id}", *SIGNED, "--until", "2020-01-01"], "within 14 days"),
        (["snooze", "{id}", *SIGNED, "--until", "2999-01-01"], "within 14 days"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_reason(place: Warehouse, words: list[str], told: str) -> None:
    number = str(place.value("select incident_id from alerts.incident"))
    result = run("incidents", *(word.replace("{id}", number) for word in words))
    assert isinstance(result.exception, Misconfigured)
    assert told in str(result.exception)
    assert state(place) == "open"


@pytest.mark.parametrize(
    "words",
    [["ack", "1"], ["snooze", "1", *SIGNED], ["snooze", "1", *SIGNED, "--until", "mai"], ["resolve", "một", *SIGNED]],
)
def test_wrong_usage_is_told_as_such(place: Warehouse, words: list[str]) -> None:
    assert run("incidents", *words).exit_code == 2
    assert state(place) == "open"


def test_a_warehouse_of_before_takes_its_incidents_along(warehouses: Warehouses) -> None:
    """The migration: an open one stays open and told, one that nobody was told of is told."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    from tthc import pipeline
    from tthc.alerts.dispatch import dispatch
    from tthc.settings import CHECKOUT

    with warehouses.bare() as place:
        with transaction(place.settings, writing=True) as connection:
            config = Config()
            config.set_main_option("script_location", str(CHECKOUT / "include/tthc/warehouse/migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "0004")
            for number, sent in enumerate(("now()", "null")):
                connection.execute(
                    sa.text(
                        "with one as (insert into alerts.incident (rule_id, source_id, unit_code, severity, state, "
                        "opened_on, last_seen_on, subject, detail) values (:rule, 'a', '*', 'error', 'open', "
                        "'2026-03-10', '2026-03-11', :rule, '') returning incident_id) "
                        f"insert into alerts.outbox (incident_id, kind, body, sent_at) select incident_id, 'opened', :rule, {sent} from one"
                    ),
                    {"rule": f"RULE_{number}"},
                )
        pipeline.init(place.settings)
        dispatch(place.settings, datetime.now(UTC), date(2026, 3, 12))
        (digest,) = place.query("select body from alerts.message where kind = 'digest'")
        assert "RULE_1" in digest["body"]
        assert "RULE_0" not in digest["body"]
        assert place.value("select count(*) from alerts.incident_history where what = 'opened'") == 2
