"""Real files pass through by data files alone; their figures are computed here a second time, cell by cell."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import python_calamine
import sqlalchemy as sa

from tthc import pipeline
from tthc.domain.errors import WarehouseRefused
from tthc.warehouse.connect import transaction
from warehouses import Warehouses

CHECKOUT = Path(__file__).resolve().parents[1]
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def test_a_dutch_case_log_gives_the_figures_counted_by_hand(
    warehouses: Warehouses, shared: Path, tmp_path: Path
) -> None:
    log = shared / "data" / "coselog_receipt.csv"
    with log.open(encoding="utf-8", newline="") as handle:
        cases = list(csv.DictReader(handle))
    finished = [case for case in cases if case["enddate"]]

    def day(text: str) -> date:
        return datetime.fromisoformat(text).astimezone(AMSTERDAM).date()

    on_time = sum(day(case["enddate"]) <= day(case["enddate_planned"]) for case in finished)
    assert (len(cases), len(finished), on_time) == (1434, 1329, 1007)
    by_month: dict[str, list[int]] = {}
    for case in finished:
        counts = by_month.setdefault(day(case["enddate"]).strftime("%Y-%m"), [0, 0])
        counts[0] += day(case["enddate"]) <= day(case["enddate_planned"])
        counts[1] += 1

    folder = tmp_path / "coselog"
    folder.mkdir()
    (folder / log.name).write_bytes(log.read_bytes())
    with warehouses.fresh() as warehouse:
        with transaction(warehouse.settings) as connection:  # the template was made for province 42
            connection.execute(sa.text("delete from core.hmac_key"))
        overlay = CHECKOUT / "examples" / "coselog"
        settings = replace(warehouse.settings, province="NL", reference_overlay=overlay)
        outcome = pipeline.run(settings, tmp_path, date(2012, 12, 31))
        assert (outcome.rows_read, outcome.rows_accepted, outcome.rows_quarantined) == (1434, 1434, 0)
        rows = warehouse.query(
            "select period_label, numerator, denominator from mart.kpi where unit_code = 'NL' and field_code = '*' "
            "and metric_id = 'on_time' and profile = 'TT01_06A' and period_calendar = 'CALENDAR' "
            "and period_kind = 'month' and basis = 'as_reported'"
        )
        assert {row["period_label"]: [row["numerator"], row["denominator"]] for row in rows} == by_month
        assert sum(row["numerator"] for row in rows) == 1007
        assert sum(row["denominator"] for row in rows) == 1329


def test_lists_of_procedures_of_the_national_portal_fill_the_procedures(
    warehouses: Warehouses, shared: Path, tmp_path: Path
) -> None:
    books = sorted((shared / "data").glob("danh-sach-tthc-*.xlsx"))
    assert len(books) == 2
    listed: dict[str, str] = {}
    for book in books:
        sheet = python_calamine.CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0)
        rows = sheet.to_python()
        header = next(index for index, row in enumerate(rows) if row[0] == "Mã số")
        listed |= {str(row[0]): " ".join(str(row[4]).split()) for row in rows[header + 1 :]}
    folder = tmp_path / "procedure_catalogue"
    folder.mkdir()
    for book in books:
        (folder / book.name).write_bytes(book.read_bytes())
    with warehouses.fresh() as warehouse:
        outcome = pipeline.run(warehouse.settings, tmp_path, date(2026, 11, 20))
        assert outcome.files == {"loaded": 2}
        assert outcome.rows_quarantined == 0
        known = {
            row["procedure_code"]: row["field_name"]
            for row in warehouse.query("select procedure_code, field_name from ref.procedure")
        }
        assert set(listed) <= set(known)
        assert {code: known[code] for code in listed} == listed


@pytest.mark.parametrize(
    "statement", ["update core.dossier_version set night = night", "delete from core.dossier_version"]
)
def test_a_version_is_never_changed_or_deleted(warehouses: Warehouses, statement: str) -> None:
    with (
        warehouses.fresh() as warehouse,
        pytest.raises(WarehouseRefused, match="append-only"),
        transaction(warehouse.settings) as connection,
    ):
        connection.execute(sa.text(statement))
