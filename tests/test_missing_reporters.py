"""Who has not reported is told once a source, by name, after the last day for it, and its end once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

import channels
from channels import Http, http, webhook
from exports import counts, csv_list, dossier, form_06a
from tthc import pipeline
from tthc.alerts.dispatch import Dispatched, dispatch
from tthc.alerts.reporters import resolve_reported
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

THURSDAY = date(2026, 3, 12)
DAY = timedelta(days=1)
UNITS = {"a": "UBND xã Tiên Điền", "b": "UBND xã Cổ Đạm", "c": "UBND phường Thành Sen"}
FILES = {
    name: csv_list([dossier(f"H42-260105-000{number}", unit_name=unit, due_at="31/03/2026")])
    for number, (name, unit) in enumerate(UNITS.items(), start=1)
}


@pytest.fixture
def hook() -> Iterator[Http]:
    with http() as made:
        yield made


@pytest.fixture
def place(warehouses: Warehouses, hook: Http, tmp_path: Path) -> Iterator[Warehouse]:
    with warehouses.fresh(channels.overlay(tmp_path, webhook(hook.url))) as made:
        yield made


def night_ends(place: Warehouse, night: date, names: str, now: datetime | None = None) -> None:
    """The run of a night that brought these files, and its messages at 01:30 of the day after."""
    files = {f"mot_cua_csv/{name}{night}.csv": FILES[name] + b"\n" * (night - THURSDAY).days for name in names}
    with (
        mock.patch.object(pipeline, "notify", lambda *_: Dispatched(0, 0, 0)),
        mock.patch.object(pipeline, "resolve_reported", lambda *_: None),  # it asks today's clock
    ):
        place.load(night, files)
    dispatch(place.settings, now or datetime(night.year, night.month, night.day, 18, 30, tzinfo=UTC), night)


def incidents(place: Warehouse) -> list[tuple[str, str, str, str]]:
    rows = place.query(
        "select source_id, severity, state, subject || '. ' || detail as told from alerts.incident "
        "where rule_id = 'REPORTER_MISSING' order by incident_id"
    )
    return [(row["source_id"], row["severity"], row["state"], row["told"]) for row in rows]


def test_one_incident_names_who_is_missing_and_ends_once_when_all_have_reported(place: Warehouse, hook: Http) -> None:
    night_ends(place, THURSDAY, "abc")
    night_ends(place, THURSDAY + DAY, "")  # Friday: due by the end of Monday
    night_ends(place, THURSDAY + 2 * DAY, "")
    night_ends(place, THURSDAY + 3 * DAY, "")
    assert incidents(place) == [], "the last day has not passed"
    assert "3 phải báo cáo / expected, 0 đã nhận / received, 3 chưa nhận" in hook.reports()[-1]["text"]
    night_ends(place, THURSDAY + 4 * DAY, "")
    ((source, severity, state, told),) = incidents(place)
    assert (source, severity, state) == ("mot_cua_csv", "error", "open")
    assert "3/3 đơn vị chưa báo cáo" in told
    assert "Đêm 15/03/2026, hạn 16/03/2026: " in told
    assert all(name in told for name in ("Tiên Điền", "Cổ Đạm", "Thành Sen"))
    (digest,) = hook.digests()
    assert all(name in digest["text"] for name in ("Tiên Điền", "Cổ Đạm", "Thành Sen"))
    night_ends(place, THURSDAY + 5 * DAY, "ab")
    ((_, _, state, told),) = incidents(place)
    assert state == "open"
    assert "1/3 đơn vị" in told
    assert "Thành Sen" in told
    assert "Tiên Điền" not in told
    assert len(hook.digests()) == 1, "continued, not told again"
    night_ends(place, THURSDAY + 6 * DAY, "c")
    assert [one[2] for one in incidents(place)] == ["resolved"]
    assert len(hook.digests()) == 2
    assert "Đã hết sau" in hook.digests()[1]["text"]


def test_a_late_night_that_arrives_ends_it_at_the_next_publication(place: Warehouse, hook: Http) -> None:
    night_ends(place, THURSDAY, "abc")
    monday = THURSDAY + 4 * DAY
    night_ends(place, monday, "ab")
    night_ends(place, monday + DAY, "", datetime(2026, 3, 17, 18, 30, tzinfo=UTC))
    ((_, severity, state, told),) = incidents(place)
    assert (severity, state) == ("warning", "open")
    assert "1/3 đơn vị" in told
    place.load_only(monday, {"mot_cua_csv/late.csv": FILES["c"] + b"\n\n\n\n\n"})
    morning = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
    with mock.patch.object(pipeline, "resolve_reported", partial(resolve_reported, now=morning)):
        place.publish()
    assert [one[2] for one in incidents(place)] == ["resolved"]
    assert place.value("select count(*) from alerts.outbox where kind = 'resolved'") == 1


def test_more_than_twenty_names_are_counted(warehouses: Warehouses, hook: Http, tmp_path: Path) -> None:
    overlay = channels.overlay(tmp_path, webhook(hook.url))
    (overlay / "reporting.toml").write_text('[expected.mot_cua_csv]\nunits = "communes"\n', encoding="utf-8")
    with warehouses.fresh(overlay) as place:
        night_ends(place, THURSDAY, "a", datetime(2026, 3, 14, 18, 30, tzinfo=UTC))
        ((_, severity, _, told),) = incidents(place)
        assert severity == "warning"
        assert "68/69 đơn vị" in told
        assert ", và 48 đơn vị khác / and 48 others" in told
        assert "Tiên Điền" not in told
        assert "và 48 đơn vị khác" in hook.digests()[0]["text"]


def test_a_unit_that_has_ceased_to_exist_owes_nothing(place: Warehouse) -> None:
    """Its old dossiers are still told of, under its name of then."""
    old = place.query(
        "select unit_code, full_name from ref.unit where level = 'commune' and province_code = '42' "
        "and valid_to between '2025-01-01' and '2026-01-01' and not exists (select from ref.unit as later "
        "where later.unit_code = unit.unit_code and later.valid_to > unit.valid_to) order by unit_code limit 1"
    )
    assert old, "the reference has communes that were merged in 2025"
    code = old[0]["unit_code"]
    night_ends(place, THURSDAY, "a")
    with transaction(place.settings) as connection:
        connection.exec_driver_sql(
            "insert into core.delivery_unit (delivery_id, unit_code, row_count) "
            "select max(delivery_id), %s, 1 from core.delivery", (code,)
        )  # fmt: skip
    assert place.value("select count(*) from mart.coverage where unit_code = :code", code=code) == 0
    assert place.value("select count(*) from mart.coverage where unit_code = '18373'") > 0


def test_a_form_is_missing_after_its_quarter(place: Warehouse) -> None:
    """Periods too: of two units that have filled forms, one owes that of the next quarter."""
    forms = [form_06a([("Hộ tịch", counts(direct=1, in_time=1))], unit=unit) for unit in list(UNITS.values())[:2]]
    with mock.patch.object(pipeline, "notify", lambda *_: Dispatched(0, 0, 0)):
        place.load(date(2026, 3, 15), {f"tong_hop_06a_xlsx/{n}.xlsx": form for n, form in enumerate(forms)})
        place.load(date(2026, 6, 16), {"mot_cua_csv/a.csv": FILES["a"]})
    night = date(2026, 6, 16)
    dispatch(place.settings, datetime(2026, 6, 16, 16, 59, tzinfo=UTC), night)
    assert [one for one in incidents(place) if one[0] == "tong_hop_06a_xlsx"] == []
    dispatch(place.settings, datetime(2026, 6, 16, 17, 0, tzinfo=UTC), night)
    (form,) = [one for one in incidents(place) if one[0] == "tong_hop_06a_xlsx"]
    assert "Đêm 14/06/2026, hạn 16/06/2026" in form[3]
    assert "2/2 đơn vị" in form[3]
