"""Figures of a period up to a day beside the same days of the period before and of last year, counted by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from exports import STATUS_WORDS, counts, csv_list, dossier, form_06a
from tthc import enquiries
from tthc.domain.errors import Misconfigured
from warehouses import Warehouse

NIGHT = date(2028, 3, 20)
# code, received, due, finished: of commune 18373, in both years
DOSSIERS = [
    ("280101", "01/01/2028", "05/01/2028", "04/01/2028"),
    ("280228", "28/02/2028", "02/03/2028", "02/03/2028"),
    ("280229", "29/02/2028", "02/03/2028", "05/03/2028"),
    ("280301", "01/03/2028", "02/03/2028", ""),
    ("280310", "10/03/2028", "30/03/2028", ""),
    ("280131", "31/01/2028", "01/02/2028", "01/02/2028"),
    ("270105", "05/01/2027", "06/01/2027", "06/01/2027"),
    ("270228", "28/02/2027", "02/03/2027", "03/03/2027"),
    ("270301", "01/03/2027", "03/03/2027", "20/03/2027"),
]


@pytest.fixture(scope="module")
def loaded(module_warehouse: Warehouse) -> Warehouse:
    rows = [
        dossier(
            f"H42.1-{code}-0001", status=STATUS_WORDS[9 if finished else 4], received_at=received, due_at=due,
            finished_at=finished,
        )
        for code, received, due, finished in DOSSIERS
    ]  # fmt: skip
    form = form_06a(
        [("Hộ tịch", counts(online=2, direct=3, early=1, late=1, over=4))], unit="Sở Nội vụ",
        period="Quý I/2028 (từ ngày 15/12/2027 đến ngày 14/3/2028)",
    )  # fmt: skip
    module_warehouse.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows), "tong_hop_06a_xlsx/f.xlsx": form})
    return module_warehouse


def asked(
    warehouse: Warehouse, label: str, on: date | None, calendar: str = "CALENDAR", unit: str = "18373"
) -> dict[tuple[str, str], dict[str, Any]]:
    rows = enquiries.figures_to_date(warehouse.settings, unit, label, on, calendar, "as_reported", "*")
    return {(row["metric_id"], row["profile"]): row for row in rows}


def pair(row: dict[str, Any], side: str = "") -> tuple[Any, Any]:
    return row[f"{side}numerator"], row[f"{side}denominator"]


def test_the_29th_of_february_beside_the_28th_and_as_many_days_of_the_month_before(loaded: Warehouse) -> None:
    found = asked(loaded, "2028-02", date(2028, 2, 28))
    received = found["received", "TT01_06A"]
    assert (received["as_of"], received["previous_as_of"], received["last_year_as_of"]) == (
        date(2028, 2, 28), date(2028, 1, 28), date(2027, 2, 28),
    )  # fmt: skip
    assert [pair(received, side)[0] for side in ("", "previous_", "last_year_")] == [1, 1, 1]
    assert received["status"] == "interim"
    whole = asked(loaded, "2028-02", date(2028, 2, 29))["received", "TT01_06A"]  # the month has ended: whole months
    assert (whole["previous_as_of"], whole["last_year_as_of"]) == (date(2028, 1, 31), date(2027, 2, 28))
    assert [pair(whole, side)[0] for side in ("", "previous_", "last_year_")] == [2, 2, 1]
    assert whole["status"] == "final"
    year = asked(loaded, "2028", date(2028, 2, 29))["received", "TT01_06A"]
    assert (year["last_year_as_of"], *pair(year, "last_year_")) == (date(2027, 2, 28), 2, None)


def test_flows_and_stocks_of_an_open_quarter(loaded: Warehouse) -> None:
    found = asked(loaded, "2028-Q1", date(2028, 3, 3))
    on_time, overdue = found["on_time", "TT01_06A"], found["overdue_open", "TT01_06A"]
    assert pair(on_time) == (3, 3)  # the dossier finished on 5 March was still open
    assert pair(on_time, "last_year_") == (1, 2)  # late on 3 March 2027
    assert (on_time["last_year_points"], on_time["last_year_comparable"]) == (50, True)
    assert pair(overdue) == (2, 2)
    assert pair(overdue, "last_year_") == (0, 1)  # due on the very day: not over
    assert on_time["previous_label"] == "2027-Q4"
    assert pair(on_time, "previous_") == (None, None)
    assert on_time["previous_remark"] == "không có số liệu kỳ đối chiếu"


def test_the_first_day_of_a_year(loaded: Warehouse) -> None:
    received = asked(loaded, "2028", date(2028, 1, 1))["received", "TT01_06A"]
    assert (received["period_start"], received["as_of"]) == (date(2028, 1, 1), date(2028, 1, 1))
    assert (received["last_year_as_of"], *pair(received), *pair(received, "last_year_")) == (
        date(2027, 1, 1), 1, None, 0, None,
    )  # fmt: skip
    vpcp = asked(loaded, "2028", date(2027, 12, 15), "VPCP_15_14")["received", "TT01_06A"]
    assert (vpcp["period_start"], vpcp["last_year_start"], vpcp["last_year_as_of"]) == (
        date(2027, 12, 15), date(2026, 12, 15), date(2026, 12, 15),
    )  # fmt: skip
    assert pair(vpcp) == (0, None)


def test_nothing_published_a_year_ago_is_missing_not_zero(loaded: Warehouse) -> None:
    received = asked(loaded, "2027-01", None)["received", "TT01_06A"]
    assert (*pair(received), *pair(received, "last_year_"), received["last_year_comparable"]) == (
        1, None, None, None, False,
    )  # fmt: skip


def test_up_to_the_night_is_what_is_published(loaded: Warehouse) -> None:
    for calendar, labels in (("CALENDAR", ("2028-03", "2028-9M", "2027-Q1")), ("VPCP_15_14", ("2028-Q1", "2028"))):
        for label in labels:
            for unit in ("18373", "42"):
                published = loaded.query(
                    "select metric_id, profile, numerator, denominator, as_of from mart.kpi where unit_code = :unit and "
                    "period_label = :label and period_calendar = :calendar and basis = 'as_reported' and field_code = '*' "
                    "and not 'from_summary' = any(flags)",
                    unit=unit, label=label, calendar=calendar,
                )  # fmt: skip
                found = asked(loaded, label, None, calendar, unit)
                for row in published:
                    mine = found[row["metric_id"], row["profile"]]
                    assert (*pair(mine), mine["as_of"]) == (*pair(row), row["as_of"]), (calendar, label, unit, row)


def test_a_form_cannot_be_cut_at_a_day(loaded: Warehouse) -> None:
    row = asked(loaded, "2028-Q1", date(2028, 3, 1), "VPCP_15_14", "42-SNV")["received", "TT01_06A"]
    assert (*pair(row), row["flags"]) == (None, None, ["from_summary"])


@pytest.mark.parametrize(
    ("label", "on", "unit"),
    [("2028-Q1", date(2028, 3, 21), "18373"), ("2028-02", date(2028, 3, 1), "18373"), ("2028-Q9", None, "18373"),
     ("2028-Q1", None, "99999"), ("2028-Q2", None, "18373")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(loaded: Warehouse, label: str, on: date | None, unit: str) -> None:
    with pytest.raises(Misconfigured):
        asked(loaded, label, on, unit=unit)


def test_a_field_nobody_knows_is_not_answered_with_zeros(loaded: Warehouse) -> None:
    with pytest.raises(Misconfigured, match="no published figure has the field Hộ Tịk"):
        enquiries.figures_to_date(loaded.settings, "18373", "2028-Q1", None, "CALENDAR", "as_reported", "Hộ Tịk")
