"""A figure beside its previous period and last year: a difference only where both mean the same, else the reason."""

from __future__ import annotations

from datetime import date
from typing import Any

from exports import STATUS_WORDS, csv_list, dossier
from warehouses import Warehouse


def on_time(warehouse: Warehouse, label: str) -> dict[str, Any]:
    (row,) = warehouse.query(
        "select * from mart.kpi_compared where metric_id = 'on_time' and profile = 'TT01_06A' and unit_code = '18373' "
        "and basis = 'as_reported' and field_code = '*' and period_calendar = 'CALENDAR' and period_label = :label",
        label=label,
    )
    return row


def test_a_difference_stands_only_between_comparable_figures(warehouse: Warehouse) -> None:
    ended = [("2026", "13/12/2026"), ("2026", "20/11/2026"), ("2025", "10/12/2025"), ("2027", "05/01/2027")]
    rows = [
        dossier(
            f"H42.1-{number:06d}-0001", status=STATUS_WORDS[9], received_at=f"01/10/{int(year) - (day[-4:] == '2027')}",
            due_at="12/12/2026" if day != "10/12/2025" else "12/12/2025", finished_at=day,
        )
        for number, (year, day) in enumerate(ended, start=251001)
    ]  # fmt: skip
    warehouse.load(date(2027, 1, 10), {"mot_cua_csv/a.csv": csv_list(rows)})
    december = on_time(warehouse, "2026-12")
    assert (december["previous_label"], december["last_year_label"]) == ("2026-11", "2025-12")
    assert (december["numerator"], december["denominator"]) == (0, 1)
    assert (december["previous_numerator"], december["previous_denominator"]) == (1, 1)
    assert (december["previous_comparable"], december["previous_points"], december["previous_remark"]) == (
        True,
        -100,
        None,
    )
    assert december["last_year_points"] == -100
    open_month = on_time(warehouse, "2027-01")
    assert (open_month["previous_denominator"], open_month["previous_points"]) == (1, None)
    assert open_month["previous_remark"] == "kỳ chưa kết thúc, không so với cả kỳ"
    assert on_time(warehouse, "2026-11")["previous_remark"] == "không có số liệu kỳ đối chiếu"
    flagged = "update rollup.counter set flags = '{}' where label = '2026-11' and unit_code = '18373' returning label"
    for flag, remark in (("split_unit", "đơn vị bị chia tách"), ("withheld", "số liệu bị tạm giữ")):
        warehouse.query(flagged.format("{" + flag + "}"))
        december = on_time(warehouse, "2026-12")
        assert (december["previous_points"], december["previous_remark"]) == (None, remark)
    assert (december["previous_comparable"], december["last_year_comparable"]) == (False, True)
