"""Public case logs of cities and workbooks of portals, known by data files only; their figures were counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import sqlalchemy as sa

import onboarded_cities
import onboarded_workbooks
from tthc import pipeline
from tthc.pipeline import Outcome
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(
    warehouse: Warehouse, example: str, province: str, files: Mapping[str, tuple[str, bytes]], night: date
) -> Outcome:
    """Files by source, through a whole night."""
    with transaction(warehouse.settings) as connection:  # the template was made for province 42
        connection.execute(sa.text("delete from core.hmac_key"))
    for source, (name, content) in files.items():
        folder = warehouse.settings.home / "drop" / source.removesuffix("_new")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    settings = replace(warehouse.settings, province=province, reference_overlay=EXAMPLES / example)
    return pipeline.run(settings, warehouse.settings.home / "drop", night)


def counted(warehouse: Warehouse, metric: str, profile: str) -> dict[str, tuple[int, int | None]]:
    """Unit → (numerator, denominator), summed over the calendar months."""
    rows = warehouse.query(
        "select unit_code, sum(numerator) as above, sum(denominator) as below from mart.kpi where field_code = '*' "
        "and basis = 'as_reported' and period_calendar = 'CALENDAR' and period_kind = 'month' and metric_id = :metric "
        "and profile = :profile group by 1 having sum(numerator) > 0 or sum(denominator) > 0",
        metric=metric,
        profile=profile,
    )
    return {row["unit_code"]: (row["above"], row["below"]) for row in rows}


def test_case_logs_of_eight_cities(warehouses: Warehouses) -> None:
    with warehouses.fresh() as warehouse:
        outcome = load(warehouse, "cities", "XC", onboarded_cities.FILES, date(2024, 6, 30))
        assert outcome.files == {"loaded": 8} and (outcome.rows_accepted, outcome.rows_quarantined) == (34, 0)
        received = {unit: above for unit, (above, _) in counted(warehouse, "received", "TT01_06A").items()}
        assert received == {
            "XC-BOS": 6, "XC-NYPD": 2, "XC-DSNY": 2, "XC-NYC": 1, "XC-CHI": 4, "XC-SEA": 6, "XC-ZRH": 4, "XC-BAR": 3,
            "XC-LOAM": 2, "XC-GEM": 4, "XC": 34,
        }  # fmt: skip
        assert counted(warehouse, "on_time", "TT01_06A") == {
            "XC-BOS": (3, 4),  # due on the 17th and ended then; late; no term; ended at 22:30 of its last day there
            "XC-NYPD": (1, 2),
            "XC-DSNY": (1, 1),
            "XC-CHI": (3, 3),  # no terms; one was cancelled
            "XC-SEA": (4, 4),
            "XC-ZRH": (2, 2),
            "XC-BAR": (1, 2),  # the 56th day is in time, the 57th is not
            "XC-LOAM": (1, 2),
            "XC-GEM": (2, 3),  # withdrawn is in time
            "XC": (18, 23),
        }
        (open_ones,) = warehouse.query(
            "select numerator, denominator from mart.kpi where metric_id = 'overdue_open' and unit_code = 'XC' and "
            "field_code = '*' and basis = 'as_reported' and period_calendar = 'CALENDAR' and period_label = '2024-06'"
        )
        # Two of Boston, one of New York, one of Barset, whose term of 56 days is over.
        assert (open_ones["numerator"], open_ones["denominator"]) == (4, 11)
        old = warehouse.query(
            "select metric_id, numerator from mart.kpi where unit_code = 'XC-SEA' and field_code = '*' and profile = "
            "'TT01_06A' and basis = 'as_reported' and period_calendar = 'CALENDAR' and period_label = '1998-04' and "
            "metric_id in ('received', 'resolved')"
        )
        assert {row["metric_id"]: row["numerator"] for row in old} == {"resolved": 1}
        fees = warehouse.query("select fee_amount from core.dossier where fee_amount > 0 order by 1")
        assert [row["fee_amount"] for row in fees] == [7500, 107550]


def test_workbooks_and_a_register_of_provinces(warehouses: Warehouses) -> None:
    with warehouses.fresh() as warehouse:
        outcome = load(warehouse, "workbooks", "42", onboarded_workbooks.FILES, date(2026, 1, 14))
        assert outcome.files == {"loaded": 5} and (outcome.rows_accepted, outcome.rows_quarantined) == (15, 0)
        tien_dien, co_dam, nghi_xuan = "18373", "18394", "18352"
        received = {unit: above for unit, (above, _) in counted(warehouse, "received", "TT01_06A").items()}
        assert received == {tien_dien: 6, co_dam: 4, nghi_xuan: 3, "42": 13}
        # Due three working days after Monday the 5th, two after Thursday the 8th, and on the day of receipt.
        assert counted(warehouse, "on_time", "TT01_06A") == {tien_dien: (3, 4), nghi_xuan: (1, 2), "42": (4, 6)}
        # Over are one of the list, one three days late, and one of the API that was due on the 13th.
        assert counted(warehouse, "overdue_open", "TT01_06A")["42"] == (3, 7)
        reported = warehouse.query("select unit_code, measure, value from core.reported")
        assert {(row["unit_code"], row["measure"]): row["value"] for row in reported} == {
            (unit, measure): value
            for unit, values in ((tien_dien, (2, 10, 8, 2, 10)), (co_dam, (0, 5, 5, 0, 3)))
            for measure, value in zip(
                ("carried_over", "received", "received_online", "received_direct", "resolved_any"), values, strict=True
            )
        }
        for said in ("NGƯỜI GIẢ", "0900000000"):
            for path in (warehouse.settings.home / "out").rglob("*.txt"):
                assert said not in path.read_text(encoding="utf-8")
