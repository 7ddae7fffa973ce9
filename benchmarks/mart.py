"""How fast figures are asked and explained: the p95 of what analysts ask, on the warehouse that TTHC_* names.

Fill one first, such as: `tthc simulate --dossiers 200000 --out DIR`, then `tthc load --drop DIR/<night> --as-of NIGHT`.
The goal for a question of figures is 100 ms, for an explanation of a commune's month 2 s, of the province's year 5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable

import sqlalchemy as sa

from tthc.settings import settings
from tthc.warehouse.connect import transaction

# ruff: noqa: S608  (conditions of ours)
_ALL = "period_calendar = 'VPCP_15_14' and basis = 'as_reported' and field_code = '*'"
FIGURES = {
    "a unit's metric over months": f"select * from mart.kpi where {_ALL} and period_kind = 'month' "
    "and (unit_code, metric_id, profile) = (:commune, :metric_id, :profile)",
    "a metric of all units in a month": f"select * from mart.kpi where {_ALL} and period_label = :month "
    "and (metric_id, profile) = (:metric_id, :profile)",
    "the province's year, all metrics": f"select * from mart.kpi where {_ALL} and period_label = :year "
    "and unit_level = 'province'",
    "a unit beside its targets": f"select * from mart.kpi_vs_target where {_ALL} and unit_code = :commune",
    "all targets in a month": f"select * from mart.kpi_vs_target where {_ALL} and period_label = :month",
    "ranking of a metric in a month": "select * from mart.ranking where period_calendar = 'VPCP_15_14' "
    "and basis = 'as_reported' and period_label = :month and (metric_id, profile) = (:metric_id, :profile)",
    "a metric of all units beside other periods": f"select * from mart.kpi_compared where {_ALL} "
    "and period_label = :month and (metric_id, profile) = (:metric_id, :profile)",
    "what the two sides tell in a month": "select * from mart.source_difference "
    "where period_calendar = 'VPCP_15_14' and period_label = :month and field_code = '*'",
    "form II.06a of a unit": "select * from mart.form_06a where period_calendar = 'VPCP_15_14' "
    "and basis = 'as_reported' and period_label = :month and unit_code = :commune",
    "index 766 of all units in a month": "select * from mart.index_766_total where period_calendar = 'VPCP_15_14' "
    "and period_label = :month and group_code = '*'",
}
EXPLANATIONS = {
    "explain a commune's month": "select * from mart.explain("
    ":metric_id, :commune, :month, 'VPCP_15_14', :profile, most => 100)",
    "explain the province's year": "select * from mart.explain("
    ":metric_id, :province, :year, 'VPCP_15_14', :profile, most => 100)",
}


def asker(connection: sa.Connection, seed: int) -> Callable[[], dict[str, str]]:
    """Draws what a question is about from the figures there are."""
    statement = f"select distinct {{}} from mart.kpi where {_ALL} and {{}}"

    def known(columns: str, condition: str) -> list[sa.Row[tuple[str, ...]]]:
        return list(connection.execute(sa.text(statement.format(columns, condition))))

    units = known("unit_code", "unit_level = 'commune' and metric_id = 'received'")
    months = known("period_label", "period_kind = 'month' and metric_id = 'received'")
    years = known("period_label", "period_kind = 'year' and metric_id = 'received'")
    metrics = known("metric_id, profile", "unit_level = 'province' and not 'manual_input' = any(flags)")
    draw = random.Random(seed)

    def ask() -> dict[str, str]:
        metric = draw.choice(metrics)
        return {
            "commune": draw.choice(units)[0], "month": draw.choice(months)[0], "year": draw.choice(years)[0],
            "metric_id": metric[0], "profile": metric[1], "province": settings().province,
        }  # fmt: skip

    return ask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40, help="how often each question is asked")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    print(json.dumps({"load_average": round(os.getloadavg()[0], 1)}))
    with transaction(settings()) as connection:
        ask = asker(connection, arguments.seed)
        for question, statement in {**FIGURES, **EXPLANATIONS}.items():
            times = []
            for _ in range(arguments.times if question in FIGURES else max(arguments.times // 4, 2)):
                about = ask()
                start = time.perf_counter()
                rows = connection.execute(sa.text(statement), about).all()
                times.append((time.perf_counter() - start) * 1000)
            told = {
                "median_ms": round(statistics.median(times)),
                "p95_ms": round(statistics.quantiles(times, n=20)[-1]),
            }
            print(json.dumps({"question": question, **told, "rows_of_the_last": len(rows)}), flush=True)


if __name__ == "__main__":
    main()
