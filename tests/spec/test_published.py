"""What a publication carries beside its numbers: keys, cut-offs, standing, targets, withheld figures, daily views."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from exports import counts, csv_list, dossier, form_06a
from tthc import cli, pipeline
from warehouses import Warehouse, Warehouses

METRICS = {
    ("received", "TT01_06A"), ("resolved", "TT01_06A"), ("in_progress", "TT01_06A"), ("on_time", "TT01_06A"),
    ("on_time", "IDX766"), ("on_time", "DASH"), ("overdue_open", "TT01_06A"), ("online_submission", "*"),
    ("online_submission", "IDX766"), ("online_submission_full", "*"), ("online_submission_offered", "*"), ("online_payment", "*"),
    ("digitised_components", "*"), ("digitised_result", "*"), ("digitised_result_received", "*"),
    ("digitised_full", "*"), ("electronic_result", "*"), ("reuse", "*"),
    ("on_time", "TT01_06A_STRICT"), ("on_time", "IDX766_STRICT"),
    ("withdrawn", "TT01_06A"), ("stopped", "TT01_06A"), ("paused", "TT01_06A"),
}  # fmt: skip
COUNTS = {"received", "resolved", "in_progress", "withdrawn", "stopped", "paused"}
NIGHT = date(2026, 4, 10)
EVERYTHING = {
    "fee_amount": "50.000", "payment_method": "Trực tuyến", "components_digitised": "Có", "result_digitised": "Có",
    "result_electronic": "Có", "data_reused": "Có", "channel": "Trực tuyến", "service_level": "Toàn trình",
}  # fmt: skip
DONE = dossier("H42-260105-0001", finished_at="09/01/2026", status="Đã xử lý xong", **EVERYTHING)
OVERDUE = dossier("H42-260302-0002", received_at="02/03/2026", due_at="10/03/2026")
ENDED_OTHERWISE = [
    dossier("H42-260105-0003", finished_at="09/01/2026", status="Công dân yêu cầu rút hồ sơ"),
    dossier("H42-260105-0004", finished_at="09/01/2026", status="Dừng xử lý"),
    dossier("H42-260105-0005", status="Yêu cầu thực hiện nghĩa vụ tài chính"),
]


@pytest.fixture(scope="module")
def published(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        made.load(date(2026, 3, 14), {"mot_cua_csv/a.csv": csv_list([DONE])})
        made.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([DONE, OVERDUE, *ENDED_OTHERWISE])})
        yield made


def test_every_metric_and_profile_is_computed_in_both_calendars(published: Warehouse) -> None:
    for calendar in ("VPCP_15_14", "CALENDAR"):
        rows = published.query(
            "select distinct metric_id, profile from mart.kpi where period_calendar = :calendar", calendar=calendar
        )
        assert {(row["metric_id"], row["profile"]) for row in rows} == METRICS


def test_counts_have_no_denominator_and_every_rate_is_its_quotient(published: Warehouse) -> None:
    for row in published.query("select * from mart.kpi"):
        if row["metric_id"] in COUNTS:
            assert row["denominator"] is None and row["rate"] is None and row["numerator"] > 0
        else:
            expected = (Decimal(row["numerator"]) / row["denominator"]).quantize(Decimal("0.000001"))
            assert row["rate"] == expected


def test_a_period_is_labelled_and_bounded_by_its_calendar(published: Warehouse) -> None:
    rows = published.query(
        "select distinct period_calendar, period_kind, period_label, period_start, period_end from mart.kpi "
        "where metric_id = 'received' and unit_code = '42'"
    )
    seen = {tuple(row.values()) for row in rows}
    day = date
    assert seen == {
        ("VPCP_15_14", "month", "2026-01", day(2025, 12, 15), day(2026, 1, 14)),
        ("VPCP_15_14", "month", "2026-03", day(2026, 2, 15), day(2026, 3, 14)),
        ("VPCP_15_14", "quarter", "2026-Q1", day(2025, 12, 15), day(2026, 3, 14)),
        ("VPCP_15_14", "half", "2026-H1", day(2025, 12, 15), day(2026, 6, 14)),
        ("VPCP_15_14", "nine_months", "2026-9M", day(2025, 12, 15), day(2026, 9, 14)),
        ("VPCP_15_14", "year", "2026", day(2025, 12, 15), day(2026, 12, 14)),
        ("CALENDAR", "month", "2026-01", day(2026, 1, 1), day(2026, 1, 31)),
        ("CALENDAR", "month", "2026-03", day(2026, 3, 1), day(2026, 3, 31)),
        ("CALENDAR", "quarter", "2026-Q1", day(2026, 1, 1), day(2026, 3, 31)),
        ("CALENDAR", "half", "2026-H1", day(2026, 1, 1), day(2026, 6, 30)),
        ("CALENDAR", "nine_months", "2026-9M", day(2026, 1, 1), day(2026, 9, 30)),
        ("CALENDAR", "year", "2026", day(2026, 1, 1), day(2026, 12, 31)),
    }


def test_the_cut_off_is_the_earlier_of_period_end_and_night_and_an_open_period_is_interim(published: Warehouse) -> None:
    for row in published.query(
        "select distinct period_end, as_of, status, units_expected, units_reported from mart.kpi"
    ):
        assert row["as_of"] == min(row["period_end"], NIGHT)
        assert (row["status"] == "interim") == (row["period_end"] > NIGHT)
        if row["period_end"] <= NIGHT:
            assert row["status"] == ("final" if row["units_reported"] == row["units_expected"] else "provisional")


def test_a_province_without_all_its_units_is_never_final(published: Warehouse) -> None:
    rows = published.query(
        "select distinct unit_code, units_expected, units_reported, status from mart.kpi "
        "where period_calendar = 'VPCP_15_14' and period_label = '2026-Q1'"
    )
    by_unit = {row["unit_code"]: row for row in rows}
    assert (by_unit["18373"]["units_expected"], by_unit["18373"]["units_reported"]) == (1, 1)
    assert by_unit["18373"]["status"] == "final"
    assert by_unit["42"]["units_reported"] == 1 and by_unit["42"]["units_expected"] >= 69
    assert by_unit["42"]["status"] == "provisional"


def test_an_earlier_publication_still_says_what_was_known_then(published: Warehouse) -> None:
    told = published.query(
        "select publication.night, is_current, numerator from mart.kpi_history "
        "join mart.publication using (publication_id) where metric_id = 'received' and unit_code = '18373' "
        "and field_code = '*' and basis = 'as_reported' and period_calendar = 'VPCP_15_14' "
        "and period_label = '2026-Q1' order by publication_id"
    )
    assert [tuple(row.values()) for row in told] == [(date(2026, 3, 14), False, 1), (NIGHT, True, 5)]


def test_nothing_new_is_nothing_published(published: Warehouse) -> None:
    before = published.value("select max(publication_id) from mart.publication")
    assert published.publish() is None
    assert published.value("select max(publication_id) from mart.publication") == before


def test_the_level_of_the_row_beats_the_registry_and_its_silence_does_not(warehouse: Warehouse) -> None:
    full = {"procedure_code": "2.000930", "field_name": "Hòa giải ở cơ sở"}  # toàn trình in the registry
    rows = [
        dossier("H42-260105-0001", **full),
        dossier("H42-260105-0002", **full, service_level="Một phần"),
        dossier("H42-260105-0003", **full, service_level="Toàn trình", channel="Trực tuyến"),
    ]
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows)})
    assert warehouse.figure("online_submission_full", unit="18373", period="2026-Q1") == (1, 2)


def test_a_field_is_one_however_its_name_is_written(warehouse: Warehouse) -> None:
    rows = [
        dossier(f"H42-260105-{number:04d}", procedure_code="9.999999", field_name=name)
        for number, name in enumerate(("Hòa giải ở cơ sở", "HOÀ GIẢI Ở CƠ SỞ", "Hòa  giải ở cơ sở"))
    ]
    rows.append(dossier("H42-260105-0009", procedure_code="2.000930", field_name="Tên khác"))
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows)})
    key = {"unit": "18373", "period": "2026-Q1", "profile": "TT01_06A"}
    assert warehouse.figure("received", field_code="Hòa giải ở cơ sở", **key) == (4, None)
    assert warehouse.figure("received", field_code="Tên khác", **key) is None


def test_a_field_no_registry_knows_is_one_as_well(warehouse: Warehouse) -> None:
    def named(number: int, name: str, **more: str) -> dict[str, str]:
        return dossier(f"H42-260105-{number:04d}", procedure_code="9.000001", field_name=name, **more)

    warehouse.load(
        NIGHT,
        {
            "mot_cua_csv/a.csv": csv_list([named(1, "LĨNH VỰC THỬ"), named(2, "Lĩnh vực thử")]),
            "mot_cua_csv/b.csv": csv_list([named(3, "Lĩnh  vực thử", unit_name="UBND xã Cổ Đạm")]),
            "tong_hop_06a_xlsx/a.xlsx": form_06a(
                [("LĨNH VỰC THỬ", counts(direct=3, in_time=3))], unit="UBND xã Nghi Xuân"
            ),
        },
    )
    told = warehouse.query(
        "select field_code, sum(numerator)::int as received from mart.kpi where metric_id = 'received' and field_code <> '*' "
        "and unit_level = 'commune' and basis = 'as_reported' and period_calendar = 'VPCP_15_14' and period_label = '2026-Q1' "
        "group by 1 order by 1"
    )
    assert told == [{"field_code": "Lĩnh vực thử", "received": 6}]
    rows = warehouse.query(
        "select file_name from mart.explain('received', '18373', '2026-Q1', field_code => 'Lĩnh vực thử')"
    )
    assert [row["file_name"] for row in rows] == ["a.csv", "a.csv"]


TARGETS = """\
target_id,document,unit_code,level_scope,metric_id,profile,field_code,comparator,value,period_from,period_to,source_line,indicator,base_note,ambiguity_note
above,Kế hoạch giả định,18373,own,on_time,TT01_06A,*,>,0.95,2026-01-01,2026-12-31,1,Trên 95 %,,
least,Kế hoạch giả định,18373,own,on_time,TT01_06A,*,>=,0.95,2026-01-01,2026-12-31,2,Tối thiểu 95 %,,
whole,Kế hoạch giả định,18373,own,on_time,TT01_06A,*,=,1,2026-01-01,2026-12-31,3,Đạt 100 %,,
past,Kế hoạch giả định,18373,own,on_time,TT01_06A,*,>=,0.95,2025-01-01,2025-12-31,4,Năm trước,,
"""


# unit → on time, late, and which of its four targets is met; 94,996 % shows as 95,00 %
EXACT = {
    "18373": (95_000, 5_000, {"above": False, "least": True, "whole": False}),
    "18394": (94_996, 5_004, {"above": False, "least": False, "whole": False}),
    "18352": (95_001, 4_999, {"above": True, "least": True, "whole": False}),
    "18406": (99_999, 1, {"above": True, "least": True, "whole": False}),
    "18073": (100_000, 0, {"above": True, "least": True, "whole": True}),
}


def test_a_target_is_met_on_the_exact_fraction_by_its_own_comparator(warehouses: Warehouses, tmp_path: Path) -> None:
    head, *kinds = TARGETS.splitlines()
    lines = [line.replace(",18373,", f",{unit},").replace(",", f" {unit},", 1) for unit in EXACT for line in kinds]
    (tmp_path / "targets.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    forms = {
        f"tong_hop_06a_xlsx/{unit}.xlsx": form_06a(
            [("Hộ tịch", counts(direct=100_000, on_time=on_time, late=late))], unit=unit, as_text=True
        )
        for unit, (on_time, late, _) in EXACT.items()
    }
    with warehouses.fresh(tmp_path) as warehouse:
        warehouse.load(date(2026, 3, 20), forms)
        rows = warehouse.query(
            "select * from mart.kpi_vs_target where source_document = 'Kế hoạch giả định' and basis = 'as_reported'"
        )
    for unit, (_, _, met) in EXACT.items():
        assert {row["target_id"].split()[0]: row["met"] for row in rows if row["unit_code"] == unit} == met, unit
    for row in rows:
        assert row["gap"] == row["rate"] - row["target_value"]


_OF_THE_QUARTER = "field_code = '*' and calendar = 'VPCP_15_14' and label = '2026-Q1'"


@pytest.mark.parametrize(
    ("rules", "mistake", "units", "periods"),
    [
        (
            {"PARTS", "SUM_OF_UNITS", "SUM_OF_PARTS"},
            f"overdue = in_progress + 1 where unit_code = '18373' and {_OF_THE_QUARTER}",
            {"18373", "42"},
            {"2026-Q1"},
        ),
        (
            {"CARRIED_OVER", "CARRIED_OVER_CHAIN", "SUM_OF_PARTS"},
            f"received = received + 5 where {_OF_THE_QUARTER}",
            {"18373", "42"},
            {"2026-Q1", "2026-H1", "2026-9M"},
        ),
        (  # what was open at the end of a quarter is what the next one begins with
            {"SUM_OF_UNITS", "CARRIED_OVER_CHAIN", "SUM_OF_PARTS"},
            f"in_progress = in_progress + 1 where unit_code = '42' and {_OF_THE_QUARTER}",
            {"42"},
            {"2026-Q1", "2026-Q2"},
        ),
    ],
)
def test_figures_that_contradict_each_other_are_withheld_and_no_others_and_open_incidents(
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    rules: set[str],
    mistake: str,
    units: set[str],
    periods: set[str],
) -> None:
    compute = pipeline.build.compute

    def wrong(connection: sa.Connection, **how: Any) -> None:
        compute(connection, **how)
        connection.execute(sa.text(f"update fresh set {mistake}"))

    monkeypatch.setattr(pipeline.build, "compute", wrong)
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([OVERDUE])})
    withheld = warehouse.query(
        "select distinct unit_code, field_code, period_label, period_calendar from mart.kpi "
        "where 'withheld' = any(flags)"
    )
    assert {tuple(row.values()) for row in withheld} == {
        (unit, "*", period, "VPCP_15_14") for unit in units for period in periods
    }
    assert warehouse.value("select count(*) from mart.kpi where numerator is null and not 'withheld' = any(flags)") == 0
    assert warehouse.value("select count(*) from mart.kpi where numerator is not null and 'withheld' = any(flags)") == 0
    key = {"period": "2026-Q1", "profile": "TT01_06A"}
    for unit in ("18373", "42"):
        figure = warehouse.figure("overdue_open", unit=unit, **key)
        assert figure == ((None, None) if unit in units else (1, 1))
    incidents = warehouse.query("select rule_id, severity from alerts.incident where source_id = 'figures'")
    assert {row["rule_id"] for row in incidents} == rules
    assert {row["severity"] for row in incidents} == {"critical"}

    monkeypatch.setattr(pipeline.build, "compute", compute)
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(cli.app, ["load", "--drop", str(warehouse.drop({})), "--as-of", "2026-04-10"])
    assert told.exit_code == 1, told.output


def test_the_daily_views_count_the_day_and_the_night(warehouse: Warehouse) -> None:
    """Friday 10/04/2026: three working days on is Wednesday 15/04."""
    due = {"A": "09/04/2026", "B": "10/04/2026", "C": "15/04/2026", "D": "16/04/2026"}
    open_ = [dossier(f"H42-260105-{name}", due_at=day) for name, day in due.items()]
    paused = dossier(
        "H42-260105-E", due_at="09/04/2026", status="5", supplement_count="1", supplement_requested_at="01/04/2026"
    )
    ended = [
        dossier("H42-260105-F", finished_at="09/01/2026", status="9"),
        dossier("H42-260105-G", finished_at="12/01/2026", status="9"),
        dossier("H42-260105-H", finished_at="13/01/2026", status="9"),
        dossier("H42-260105-I", finished_at="13/01/2026", status="7"),
    ]
    warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list([*open_, paused, *ended])})
    (night,) = warehouse.query("select * from mart.dossier_status_day")
    assert (night["night"], night["unit_code"], night["open"], night["overdue"]) == (NIGHT, "18373", 5, 1)
    assert (night["due_within_3_working_days"], night["paused"]) == (2, 1)
    flow = {
        row["day"]: (row["received"], row["resolved_early"], row["resolved_on_time"], row["resolved_late"])
        for row in warehouse.query("select * from mart.flow_day")
    }
    assert flow == {
        date(2026, 1, 5): (9, 0, 0, 0),
        date(2026, 1, 9): (0, 1, 0, 0),
        date(2026, 1, 12): (0, 0, 1, 0),
        date(2026, 1, 13): (0, 0, 1, 1),
    }
