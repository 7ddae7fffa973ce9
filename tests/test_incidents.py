"""What becomes of an incident: opened, continued, over; told once to whom it concerns, decided by people, grown graver.

The numbers A01 to A22 are those of the list of alert guarantees the tests were written for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import channels
from channels import Http, http, webhook
from exports import csv_list, dossier
from tthc.alerts import decisions
from tthc.alerts.dispatch import Dispatched, dispatch
from tthc.alerts.incidents import Failure, close, record
from tthc.alerts.rules import Known, known_rules
from tthc.alerts.tending import tend
from tthc.domain.errors import Misconfigured
from tthc.reference.channels import Policy
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

FIRST = date(2026, 3, 10)
DAWN = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)  # 01:30 on the 11th in Việt Nam: the end of the night of the 10th
BAD = dossier("H42-260105-0001", due_at="01/01/2026")
GOOD = dossier("H42-260105-0001", due_at="31/03/2026")
OTHER = dossier("H42-260105-0002", unit_name="UBND xã Cổ Đạm", due_at="31/03/2026")


@pytest.fixture
def hook() -> Iterator[Http]:
    with http() as made:
        yield made


@pytest.fixture
def place(warehouses: Warehouses, hook: Http, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse whose messages go to the webhook."""
    with warehouses.fresh(channels.overlay(tmp_path, webhook(hook.url))) as made:
        yield made


def nth(days: int) -> tuple[date, datetime]:
    """A night and the moment its run ends."""
    return FIRST + timedelta(days=days), DAWN + timedelta(days=days)


def failing(rule_id: str = "DATE_ORDER", *, night: date = FIRST, **words: Any) -> Failure:
    facts = {"source_id": "mot_cua_csv", "severity": "error", "subject": f"{rule_id}: 1 dòng bị cách ly"}
    return Failure(rule_id=rule_id, night=night, **{**facts, **words})


def fail(place: Warehouse, *failures: Failure, now: datetime = DAWN) -> None:
    with transaction(place.settings) as connection:
        record(connection, failures, now)


def end(place: Warehouse, night: date, now: datetime, rule_id: str | None = None) -> None:
    alive = place.query(
        "select incident_id from alerts.incident where state <> 'resolved' and not is_group "
        "and (cast(:rule as text) is null or rule_id = :rule)",
        rule=rule_id,
    )
    with transaction(place.settings) as connection:
        close(connection, dict.fromkeys((row["incident_id"] for row in alive), night), now=now)


def tell(place: Warehouse, days: int = 0, later: timedelta = timedelta()) -> Dispatched:
    """What the end of a night's run does."""
    night, now = nth(days)
    return dispatch(place.settings, now + later, night)


def told(hook: Http, part: str) -> list[str]:
    """Lines of incidents in digests below the heading that begins with `part`."""
    lines, inside = [], False
    for digest in hook.digests():
        for line in digest["text"].split("\n"):
            inside = line.startswith(part) if line and not line.startswith("- ") else inside and bool(line)
            lines += [line] if inside and line.startswith("- ") else []
    return lines


def load(place: Warehouse, days: int, *rows: dict[str, str]) -> None:
    """One night as `tthc load` runs it, up to but without its messages; then those, at the end of that night."""
    from unittest import mock

    from tthc import pipeline

    with mock.patch.object(pipeline, "notify", lambda *_: Dispatched(0, 0, 0)):
        place.load(FIRST + timedelta(days=days), {"mot_cua_csv/a.csv": csv_list(rows)})
    tell(place, days)


def test_three_nights_of_one_fault_are_one_message_and_its_repair_is_one(place: Warehouse, hook: Http) -> None:
    """A02, A03: through the real pipeline; five nights, then the repair, then quiet."""
    for days in range(5):
        load(place, days, BAD, OTHER)
    assert len(hook.digests()) == 1
    assert "DUE_BEFORE_RECEIVED" in hook.digests()[0]["text"]
    assert len(hook.reports()) == 5
    assert all("DUE_BEFORE_RECEIVED" in report["text"] for report in hook.reports())
    load(place, 5, GOOD, OTHER)
    load(place, 6, GOOD, OTHER)
    assert len(hook.digests()) == 2
    assert "Đã hết sau 5 đêm / over after 5 nights" in hook.digests()[1]["text"]
    assert "Không có sự cố nào đang mở" in hook.reports()[-1]["text"]
    history = place.query("select what, count(*) as n from alerts.incident_history group by what order by what")
    assert {row["what"]: row["n"] for row in history} == {"opened": 1, "continued": 4, "resolved": 1}
    assert place.value("select count(*) from alerts.outbox where sent_at is null and withdrawn_at is null") == 0


@pytest.mark.parametrize("rule", known_rules(), ids=lambda rule: f"{rule.rule_id}-{rule.suite}")
def test_each_rule_that_fails_once_is_one_incident(rule: Known) -> None:
    """A01: that every rule of the registry reaches a message is asked at once below; here, that it has a grade."""
    assert rule.severity in {"warning", "error", "critical"}


def test_every_rule_of_the_registry_is_one_incident_and_is_told_once(place: Warehouse, hook: Http) -> None:
    """A01."""
    rules = known_rules()
    failures = [failing(rule.rule_id, source_id=rule.suite or "parse", severity=rule.severity) for rule in rules]
    fail(place, *failures)
    wanted = {(rule.rule_id, rule.suite) for rule in rules}
    assert place.value("select count(*) from alerts.incident") == len(wanted)
    for days in range(2):
        fail(place, *failures)
        tell(place, days)
    (digest,) = hook.digests()
    lines = told(hook, "Sự cố mới")
    assert len(lines) == len(wanted)
    assert all(sum(f" {rule}: " in line for line in lines) == 1 for rule, _ in wanted)
    assert digest["severity"] == "critical"


def test_what_fails_ends_and_fails_again_within_an_hour_is_two_messages(place: Warehouse, hook: Http) -> None:
    """A04: told that it began and that it ended; that it came back is told when it has lasted."""
    minute = timedelta(minutes=1)
    fail(place, failing())
    tell(place)
    end(place, FIRST, DAWN + 20 * minute)
    tell(place, later=21 * minute)
    fail(place, failing(), now=DAWN + 40 * minute)
    tell(place, later=41 * minute)
    assert [len(told(hook, part)) for part in ("Sự cố mới", "Đã hết", "Lại")] == [1, 1, 0]
    end(place, FIRST, DAWN + 50 * minute)
    tell(place, later=51 * minute)
    fail(place, failing(), now=DAWN + 55 * minute)
    tell(place, later=60 * minute)
    assert len(hook.digests()) == 2
    tell(place, later=timedelta(hours=4))
    assert len(told(hook, "Lại")) == 1, "it has lasted"
    end(place, FIRST, DAWN + timedelta(hours=9))
    tell(place, later=timedelta(hours=9))
    assert len(told(hook, "Đã hết")) == 2
    assert place.value("select count(*) from alerts.incident") == 1


def test_the_same_rule_at_three_hundred_communes_is_one_line_of_one_message(place: Warehouse, hook: Http) -> None:
    """A16: the detail stays in the warehouse; the end is told once, when the last commune is repaired."""
    units = [f"{number:05d}" for number in range(300)]
    fail(place, *(failing(unit_code=unit) for unit in units))
    tell(place)
    (digest,) = hook.digests()
    (line,) = told(hook, "Sự cố mới")
    assert "300 đơn vị" in line
    assert len(digest["text"]) < 1000
    assert place.value("select count(*) from alerts.incident where group_id is not null") == 300
    group = place.query("select severity, unit_code, source_id from alerts.incident where is_group")
    assert group == [{"severity": "critical", "unit_code": "42", "source_id": "*"}], "a step graver than its members"
    night, now = nth(1)
    some = place.query("select incident_id from alerts.incident where unit_code < '00299' and not is_group")
    with transaction(place.settings) as connection:
        close(connection, dict.fromkeys((row["incident_id"] for row in some), night), now=now)
    tell(place, 1)
    assert len(hook.digests()) == 1
    end(place, *nth(2))
    tell(place, 2)
    assert len(hook.digests()) == 2
    (over,) = told(hook, "Đã hết")
    assert "đơn vị hoặc nguồn" in over


def test_a_row_each_at_ten_communes_is_no_graver_than_a_row_until_the_rows_are_many(place: Warehouse) -> None:
    """Whole files and portals that fail at many places at once stay a step graver: A16."""
    communes = place.query(
        "select full_name from ref.unit where province_code = '42' and level = 'commune' and valid_to = '9999-12-31' "
        "order by full_name limit 10"
    )
    rows = [
        dossier(f"H42-260105-00{number}", due_at="01/01/2026", unit_name=f"UBND {row['full_name']}")
        for number, row in enumerate(communes, start=10)
    ]
    good = [dossier(f"H42-260105-0{number}") for number in range(100, 140)]
    place.load_only(FIRST, {"mot_cua_csv/a.csv": csv_list(rows + good)})
    tell(place)
    group = "select severity from alerts.incident where is_group"
    assert place.value(group) == "error"
    with transaction(place.settings) as connection:
        tend(connection, Policy(spread_rows=10), "42", *nth(0))
    assert place.value(group) == "critical"


def test_who_was_told_of_a_commune_alone_hears_of_its_end(place: Warehouse, hook: Http) -> None:
    fail(place, *(failing(unit_code=f"{number:05d}") for number in range(3)))
    tell(place)
    fail(place, *(failing(unit_code=f"{number:05d}", night=nth(1)[0]) for number in range(40)), now=nth(1)[1])
    tell(place, 1)
    end(place, *nth(2))
    tell(place, 2)
    assert [len(told(hook, part)) for part in ("Sự cố mới", "Đã hết")] == [3 + 1, 3 + 1]


def test_thirty_portals_down_are_one_digest(place: Warehouse, hook: Http) -> None:
    fail(place, *(failing("PORTAL_DOWN", source_id=f"cong_{number}") for number in range(30)))
    tell(place)
    assert len(hook.digests()) == 1
    assert len(told(hook, "Sự cố mới")) == 1


def test_a_digest_of_many_small_faults_has_a_line_a_rule_that_occurs_often(place: Warehouse, hook: Http) -> None:
    """Nine rules at six places each: too few places to be a group of the province, too many lines to be read."""
    units = [f"{number:05d}" for number in range(6)]
    rules = [f"RULE_{number}" for number in range(9)]
    fail(place, *(failing(rule, unit_code=unit) for rule in rules for unit in units), failing("ALONE"))
    tell(place)
    lines = told(hook, "Sự cố mới")
    assert len(lines) == len(rules) + 1
    assert all(sum(f" {rule}: 6 sự cố / incidents" in line for line in lines) == 1 for rule in rules)
    assert "55 sự cố mới" in hook.digests()[0]["subject"]
    assert sum("ALONE: 1 dòng" in line for line in lines) == 1


def test_an_owner_hears_of_his_own_unit_and_of_nothing_else(warehouses: Warehouses, hook: Http, tmp_path: Path) -> None:
    """One digest an owner, though the province gets one line for all."""
    more = '[[recipient]]\nid = "xa"\nunits = ["18373"]\nchannels = [{ channel = "hook", to = ["xa"] }]'
    with warehouses.fresh(channels.overlay(tmp_path, webhook(hook.url, more=more))) as place:
        units = ["18373", *(f"{number:05d}" for number in range(20))]
        fail(place, *(failing(rule, unit_code=unit) for unit in units for rule in ("DATE_ORDER", "DATE_RANGE")))
        tell(place)
        mine = [digest for digest in hook.digests() if digest["to"] == ["xa"]]
        assert len(mine) == 1
        assert mine[0]["text"].count("\n- ") == 2
        assert len(hook.digests()) == 2


def test_only_the_grave_reaches_whoever_asks_for_the_grave(warehouses: Warehouses, hook: Http, tmp_path: Path) -> None:
    """A21: routing by severity, and growing grave with age reaches whom it did not concern before, once."""
    more = '[[recipient]]\nid = "on_call"\nleast_severity = "critical"\nchannels = [{ channel = "hook", to = ["on_call"] }]'
    text = webhook(hook.url, more=more, policy="escalate_after_nights = 2")
    with warehouses.fresh(channels.overlay(tmp_path, text)) as place:
        for days in range(6):
            night, now = nth(days)
            fail(place, failing("CODE_DATE", severity="warning", night=night), now=now)
            tell(place, days)
            severity = place.value("select severity from alerts.incident")
            assert severity == ("warning", "warning", "error", "error", "critical", "critical")[days]
        grave = [digest for digest in hook.digests() if digest["to"] == ["on_call"]]
        assert len(grave) == 1
        assert grave[0]["night"] == str(nth(4)[0])
        assert len(hook.digests()) == 2, "operations were told when it began"
        end(place, *nth(6))
        tell(place, 6)
        assert len(hook.digests()) == 4, "both hear of the end"


def test_what_goes_on_is_told_again_after_the_interval_and_not_before(place: Warehouse, hook: Http) -> None:
    for days in range(16):
        night, now = nth(days)
        fail(place, failing(night=night), now=now)
        tell(place, days)
        assert len(hook.digests()) == 1 + days // 7
    assert len(told(hook, "Chưa hết")) == 2


def one(place: Warehouse) -> int:
    return int(place.value("select incident_id from alerts.incident where not is_group"))


def test_who_acknowledges_hears_no_reminder_but_hears_of_the_end(place: Warehouse, hook: Http) -> None:
    fail(place, failing())
    tell(place)
    with transaction(place.settings) as connection:
        decisions.acknowledge(connection, one(place), by="Kiểm thử", reason="đang sửa", now=DAWN)
    for days in range(1, 12):
        fail(place, failing(night=nth(days)[0]), now=nth(days)[1])
        tell(place, days)
    assert len(hook.digests()) == 1
    end(place, *nth(12))
    tell(place, 12)
    assert len(told(hook, "Đã hết")) == 1
    history = place.query("select what, by_whom, reason from alerts.incident_history where by_whom <> 'tthc'")
    assert history == [{"what": "acknowledged", "by_whom": "Kiểm thử", "reason": "đang sửa"}]


def test_a_silence_has_an_owner_a_reason_and_an_end_after_which_it_is_told(place: Warehouse, hook: Http) -> None:
    """A17."""
    fail(place, failing())
    tell(place)
    until = DAWN + timedelta(days=14)
    with transaction(place.settings) as connection:
        decisions.snooze(connection, one(place), by="Kiểm thử", reason="chờ cổng", until=until, now=DAWN)
    for days in range(1, 14):
        fail(place, failing(night=nth(days)[0]), now=nth(days)[1])
        tell(place, days)
    assert len(hook.digests()) == 1
    weekly = [report for report in hook.reports() if "chờ cổng" in report["text"]]
    assert len(weekly) == 2, "on Mondays"
    assert all("Kiểm thử" in report["text"] for report in weekly)
    tell(place, 14)
    assert len(told(hook, "Hết hạn tắt báo")) == 1
    assert place.value("select state from alerts.incident") == "open"
    tell(place, 15)
    assert len(hook.digests()) == 2


@pytest.mark.parametrize("until", [DAWN, DAWN - timedelta(days=1), DAWN + timedelta(days=14, seconds=1)])
def test_a_silence_without_end_is_refused(place: Warehouse, until: datetime) -> None:
    fail(place, failing())
    with pytest.raises(Misconfigured, match="14 days"), transaction(place.settings) as connection:
        decisions.snooze(connection, one(place), by="Kiểm thử", reason="vì", until=until, now=DAWN)


def test_a_decision_needs_a_name_a_reason_and_an_incident_that_is_alive(place: Warehouse) -> None:
    fail(place, failing())
    for by, reason in (("", "vì"), ("Kiểm thử", " ")):
        with pytest.raises(Misconfigured, match="--by NAME --reason WHY"), transaction(place.settings) as connection:
            decisions.acknowledge(connection, one(place), by=by, reason=reason)
    with pytest.raises(Misconfigured, match="no incident 999"), transaction(place.settings) as connection:
        decisions.resolve(connection, 999, by="Kiểm thử", reason="vì")
    with transaction(place.settings) as connection:
        decisions.resolve(connection, one(place), by="Kiểm thử", reason="vì", now=DAWN)
    with pytest.raises(Misconfigured, match="is over"), transaction(place.settings) as connection:
        decisions.acknowledge(connection, one(place), by="Kiểm thử", reason="vì")


def test_a_person_may_declare_it_over_and_it_opens_anew_when_it_fails_again(place: Warehouse, hook: Http) -> None:
    fail(place, failing())
    tell(place)
    with transaction(place.settings) as connection:
        decisions.resolve(connection, one(place), by="Kiểm thử", reason="đã gọi điện", now=DAWN)
    tell(place)
    fail(place, failing(night=nth(1)[0]), now=nth(1)[1])
    tell(place, 1)
    assert [len(told(hook, part)) for part in ("Sự cố mới", "Đã hết")] == [2, 1]
    assert place.value("select count(*) from alerts.incident") == 2


def test_an_older_night_loaded_late_rejuvenates_nothing(place: Warehouse) -> None:
    fail(place, failing(night=nth(3)[0], subject="mới"))
    fail(place, failing(night=nth(1)[0], subject="cũ"))
    (row,) = place.query("select subject, opened_on, last_seen_on, nights from alerts.incident")
    assert row == {"subject": "mới", "opened_on": nth(3)[0], "last_seen_on": nth(3)[0], "nights": 1}


def test_what_the_owner_repairs_the_same_night_is_over_the_same_night(place: Warehouse, hook: Http) -> None:
    """A corrected file of the same night: its rows leave quarantine, and the incident with them."""
    load(place, 0, BAD, OTHER)
    assert len(told(hook, "Sự cố mới")) == 1
    load(place, 0, GOOD, OTHER)
    assert len(told(hook, "Đã hết")) == 1
    assert place.value("select count(*) from alerts.incident where state <> 'resolved'") == 0
