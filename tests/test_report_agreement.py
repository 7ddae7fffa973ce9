"""Identities I1 to I7 of reports: each seeded error is found, by the rule that names it and by no other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from exports import counts, csv_list, dossier, form_06a
from reports import Q1_DAYS, unit_counts, unit_summary
from tthc.alerts.incidents import REPORT_RULES
from tthc.staging import expectations
from tthc.warehouse.connect import transaction
from warehouses import Warehouse

NIGHT = date(2026, 6, 20)
Q2 = "Quý II/2026 (từ ngày 15/3/2026 đến ngày 14/6/2026)"
Q1 = "Quý I/2026 (từ ngày 15/12/2025 đến ngày 14/3/2026)"
SOUND = counts(online=3, direct=4, early=2, on_time=1, late=1, in_time=3, over=2)  # 2 carried over, 5 in progress


@pytest.fixture
def place(module_warehouse: Warehouse) -> Warehouse:
    """The module's warehouse, emptied."""
    module_warehouse.empty()
    return module_warehouse


def spoilt(**more: int) -> dict[str, int]:
    return {**SOUND, **{name: SOUND[name] + by for name, by in more.items()}}


def summary(**cells: Any) -> bytes:
    """The unit summary of one commune, a cell replaced by its place."""
    row = ["1", "xã Tiên Điền", *unit_counts(online=3, early=2, late=1)]
    return unit_summary([[cells.get(f"at_{place}", cell) for place, cell in enumerate(row)]])


def paused(stopped: int) -> bytes:
    counted = unit_counts(online=3, early=1, in_time=1, paused=1)
    return unit_summary([["1", "xã Tiên Điền", *counted[:-1], stopped]], paused=True)


FORM, REPORT = "tong_hop_06a_xlsx/bieu.xlsx", "bao_cao_tong_hop_xlsx/bao-cao.xlsx"
# Identity → a file that keeps every other one, its rule.
WITHIN_ONE = {
    "I1": (FORM, form_06a([("Hộ tịch", spoilt(received_online=1))]), "IDENTITY"),
    "I2": (FORM, form_06a([("Hộ tịch", spoilt(resolved_early=1))]), "IDENTITY"),
    "I3": (FORM, form_06a([("Hộ tịch", spoilt(in_progress_overdue=1))]), "IDENTITY"),
    "I4": (FORM, form_06a([("Hộ tịch", spoilt(received_total=1, carried_over=1))]), "IDENTITY"),
    "I4'": (REPORT, paused(2), "IDENTITY"),
    "I6": (
        FORM,
        form_06a([("Hộ tịch", SOUND)], total=counts(online=4, direct=4, early=4, in_time=6)),
        "TOTAL_MISMATCH",
    ),
    "I7": (REPORT, summary(at_12="71,5%"), "PERCENT"),
}


def test_an_identity_broken_within_a_report_is_found_by_its_rule_alone(place: Warehouse) -> None:
    """Beside sound forms and reports of the same shapes, of which nothing is said."""
    broken = {
        name.replace(".", f"-{place_}."): content for place_, (name, content, _) in enumerate(WITHIN_ONE.values())
    }
    sound = {
        FORM: form_06a([("Hộ tịch", SOUND)], total=SOUND),
        REPORT: summary(),
        REPORT.replace(".", "-p."): paused(1),
    }
    place.load(NIGHT, {**broken, **sound})
    found = {name: (row["verdict"], (row["reason"] or "").partition(":")[0]) for name, row in place.files().items()}
    assert [found[name.rpartition("/")[2]] for name in broken] == [
        ("rejected", rule) for *_, rule in WITHIN_ONE.values()
    ]
    assert [found[name.rpartition("/")[2]][0] for name in sound] == ["loaded"] * 3
    rules = {row["rule_id"] for row in place.query("select distinct rule_id from alerts.incident")}
    assert rules == {rule for *_, rule in WITHIN_ONE.values()} | {"REPORTS_DISAGREE"}, (
        "the two sound shapes tell otherwise"
    )


# Between two reports.


def open_rules(place: Warehouse) -> dict[str, set[str]]:
    """Rule → units of the incidents that are alive."""
    found: dict[str, set[str]] = {}
    for row in place.query("select rule_id, unit_code from alerts.incident where state <> 'resolved'"):
        found.setdefault(row["rule_id"], set()).add(row["unit_code"])
    return found


def q1(**more: int) -> bytes:
    return form_06a([("Hộ tịch", {**counts(direct=9, early=7, in_time=2), **more})], period=Q1)


def q2(counted: dict[str, int] = SOUND, unit: str = "UBND xã Tiên Điền") -> bytes:
    return form_06a([("Hộ tịch", counted)], period=Q2, unit=unit)


def test_what_is_carried_over_is_what_the_report_before_had_in_progress(place: Warehouse) -> None:
    """I5. Found when the second form comes, over with the corrected one."""
    wrong = counts(direct=9, early=6, in_time=3)
    place.load(NIGHT, {"tong_hop_06a_xlsx/q1.xlsx": q1(**wrong), "tong_hop_06a_xlsx/q2.xlsx": q2()})
    assert open_rules(place) == {"REPORT_CHAIN": {"18373"}}
    (incident,) = place.query("select severity, detail from alerts.incident")
    assert incident["severity"] == "warning"
    assert "«Số hồ sơ từ kỳ trước chuyển sang»: 2 (tệp q2.xlsx) và 3 (kỳ 2026-Q1 (tệp q1.xlsx))" in incident["detail"]
    place.load(NIGHT + timedelta(days=1), {"tong_hop_06a_xlsx/q2.xlsx": q2()})
    assert open_rules(place) == {"REPORT_CHAIN": {"18373"}}, "the source delivered again, and they still differ"
    place.load(NIGHT + timedelta(days=2), {"tong_hop_06a_xlsx/q1.xlsx": q1()})
    assert open_rules(place) == {}


def test_reports_that_need_not_chain_are_not_asked(place: Warehouse) -> None:
    """They agree; they are of two units; a period apart; made before the period ended; of other bounds since 1 July 2025."""
    three = counts(direct=9, early=6, in_time=3)

    def form(name: str, unit: str, counted: dict[str, int], period: str) -> dict[str, bytes]:
        return {f"tong_hop_06a_xlsx/{name}.xlsx": form_06a([("Hộ tịch", counted)], unit=unit, period=period)}

    place.load(date(2026, 3, 10), form("early", "UBND xã Can Lộc", three, Q1))
    files = {"tong_hop_06a_xlsx/agree.xlsx": q1(), **form("agrees", "UBND xã Tiên Điền", SOUND, Q2)}
    files |= form("other unit", "UBND xã Cổ Đạm", SOUND, Q2) | form("late", "UBND xã Can Lộc", SOUND, Q2)
    files |= form("apart", "UBND xã Cổ Đạm", three, "Quý IV/2025 (từ ngày 15/9/2025 đến ngày 14/12/2025)")
    files |= form("old", "Xã Sơn Lĩnh", three, "Quý II/2025 (từ ngày 15/3/2025 đến ngày 14/6/2025)")
    files |= form("new", "Xã Sơn Hồng", SOUND, "Quý III/2025 (từ ngày 15/6/2025 đến ngày 14/9/2025)")
    place.load(NIGHT, files)
    assert {row["verdict"] for row in place.files().values()} == {"loaded"}
    assert {row["unit_code"] for row in place.query("select unit_code from core.reported")} >= {"18160"}
    assert set(open_rules(place)) & set(REPORT_RULES) == set()


def test_where_dossiers_tell_which_report_is_wrong_only_they_are_asked(place: Warehouse) -> None:
    """Both quarters have dossiers: the wrong form differs from them, and that is one incident, not two."""
    ended = {"finished_at": "09/01/2026", "status": "Đã xử lý xong"}
    rows = [dossier("H42-260105-0001", **ended), dossier("H42-260320-0002", received_at="20/03/2026", due_at="")]
    forms = {
        "tong_hop_06a_xlsx/q1.xlsx": form_06a([("Hộ tịch", counts(direct=2, early=1, in_time=1))], period=Q1),
        "tong_hop_06a_xlsx/q2.xlsx": form_06a([("Hộ tịch", counts(direct=1, in_time=1))], period=Q2),
    }
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows), **forms})
    assert open_rules(place) == {"SUMMARY_DIFFERS": {"18373"}}


PROVINCE = "Tỉnh Hà Tĩnh"


def test_a_provinces_form_that_tells_less_than_its_units_is_found(place: Warehouse) -> None:
    """I6 between forms: 14 in the units' forms, 10 in the province's."""
    forms = {
        "tong_hop_06a_xlsx/a.xlsx": q2(counts(direct=9, early=9)),
        "tong_hop_06a_xlsx/b.xlsx": q2(counts(direct=5, early=5), unit="UBND xã Cổ Đạm"),
    }
    whole = {"tong_hop_06a_xlsx/tinh.xlsx": q2(counts(direct=10, early=10), unit=PROVINCE)}
    place.load(NIGHT, {**forms, **whole})
    assert open_rules(place) == {"REPORT_SUM_OF_UNITS": {"42"}}
    assert place.value("select count(*) from mart.coverage where unit_code = '42'") == 0
    assert place.figure("received", unit="42", period="2026-Q2", profile="TT01_06A") == (14, None), (
        "the sum of the units is the figure"
    )
    right = q2(counts(direct=14, early=14), unit="UBND tỉnh Hà Tĩnh")
    place.load(NIGHT + timedelta(days=1), {"tong_hop_06a_xlsx/tinh.xlsx": right})
    assert open_rules(place) == {}


def test_that_the_province_tells_more_is_asked_once_every_unit_has_told(place: Warehouse) -> None:
    with transaction(place.settings) as connection:
        names = connection.execute(
            sa.text(
                "select unit_code, full_name from ref.unit where province_code = '42' and unit_code <> '42' "
                "and valid_from <= '2026-06-14' and valid_to > '2026-06-14' order by unit_code"
            )
        ).all()
    assert len(names) > 69
    every = {
        f"tong_hop_06a_xlsx/{unit.unit_code}.xlsx": q2(counts(direct=1, early=1), unit=unit.full_name) for unit in names
    }
    last = every.popitem()
    whole = {"tong_hop_06a_xlsx/tinh.xlsx": q2(counts(direct=len(names) + 3, early=len(names) + 3), unit=PROVINCE)}
    place.load(NIGHT, {**every, **whole})
    assert open_rules(place) == {}
    place.load(NIGHT + timedelta(days=1), dict([last]))
    assert open_rules(place) == {"REPORT_SUM_OF_UNITS": {"42"}}


def test_one_unit_and_period_handed_in_as_two_exports_of_a_night(place: Warehouse) -> None:
    other = {**SOUND, "received_online": 4, "received_direct": 3}
    place.load(NIGHT, {"tong_hop_06a_xlsx/a.xlsx": q2(), "tong_hop_06a_xlsx/b.xlsx": q2(other)})
    assert open_rules(place) == {"REPORTS_DISAGREE": {"18373"}}
    (incident,) = place.query("select detail from alerts.incident")
    assert "(tệp b.xlsx)" in incident["detail"]
    assert "(tệp a.xlsx)" in incident["detail"]
    place.load(NIGHT + timedelta(days=1), {"tong_hop_06a_xlsx/a.xlsx": q2()})
    assert open_rules(place) == {}, "a later night is a correction, and the newest word of the report"


def test_a_form_and_a_system_report_of_one_unit_and_period_disagree(place: Warehouse) -> None:
    row = ["1", "xã Tiên Điền", *unit_counts(online=3, early=2, late=1)]
    form = form_06a([("Hộ tịch", counts(online=2, direct=1, early=2, late=1))], period=Q1)
    place.load(NIGHT, {FORM: form, REPORT: unit_summary([row], period=Q1_DAYS)})
    assert open_rules(place) == {"REPORTS_DISAGREE": {"18373"}}
    (incident,) = place.query("select source_id, detail from alerts.incident")
    assert "trực tuyến trong kỳ»: 3 (tệp bao-cao.xlsx) và 2 (tong_hop_06a_xlsx (tệp bieu.xlsx))" in incident["detail"]


def test_every_rule_of_the_suite_is_an_incident_of_its_own_and_is_judged() -> None:
    assert {rule.rule_id for rule in expectations.suite("report")} == set(REPORT_RULES)
