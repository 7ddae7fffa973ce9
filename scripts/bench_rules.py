"""Measures the row rules beside their floor: the same rules as whole-column comparisons in pandas, in one run.

`python scripts/bench_rules.py [ROWS]`, one million rows by default. The library's import is paid before and printed.
Prints seconds of the clock and of the processor, and the peak of memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tthc.staging import expectations, judge
from tthc.staging.expectations import Rule

NIGHT = date(2026, 1, 10)
DIRTY = 0.001  # of the rows, in each of three rules


def made_rows(count: int) -> pd.DataFrame:
    """Synthetic rows in the types of `parse_dossiers`, one file."""
    random = np.random.default_rng(7)
    day, none = np.timedelta64(1, "D"), np.datetime64("NaT")
    received = np.datetime64("2025-06-01", "us") + random.integers(0, 200, count) * day
    status = random.choice([2, 4, 5, 6, 7, 8, 9, 10], count, p=[0.03, 0.1, 0.02, 0.02, 0.01, 0.01, 0.3, 0.51])
    finished = np.where(np.isin(status, [7, 8, 9, 10]), received + random.integers(0, 15, count) * day, none)
    finished[random.random(count) < DIRTY] = none
    due = received + random.integers(1, 15, count) * day
    due[random.random(count) < DIRTY] -= np.timedelta64(30, "D")
    days = {
        "code": received, "submitted": received, "received": received, "due": due, "finished": finished,
        "returned": np.where(status == 10, finished + random.integers(0, 3, count) * day, none),
        "supplement_requested": np.where(status == 5, received + day, none), "paid": received,
    }  # fmt: skip
    frame = pd.DataFrame({f"{name}_on": pd.Series(cells, dtype="datetime64[us]") for name, cells in days.items()})
    for name in list(days)[1:]:
        frame[f"{name}_at"] = frame[f"{name}_on"] + pd.Timedelta(hours=9)
    frame["finished_at"] += pd.Timedelta(hours=1)
    fee = pd.array(random.choice([0, 8_000, 50_000], count), dtype="Int64")
    return frame.assign(
        file_no=0,
        row_id=np.arange(count),
        dossier_key=pd.Series([f"{n:032x}" for n in random.permutation(count)], dtype="str"),
        code_root=pd.Series(["H42"] * count, dtype=object),
        unit_code=pd.Series(random.choice(["18373", "18394", "42-SNV"], count), dtype=object),
        procedure_code=pd.Series(random.choice(["1.000656", "2.000815"], count), dtype=object),
        status=pd.array(status, dtype="Int16"),
        channel=pd.array(random.choice([1, 2, 3], count), dtype="Int16"),
        fee_amount=fee,
        payment_method=pd.Series(np.where((fee == 0) | (random.random(count) < 0.4), None, "online"), dtype=object),
    )


def floor(frame: pd.DataFrame, rules: tuple[Rule, ...]) -> list[np.ndarray[Any, Any]]:
    """Row numbers that break each rule, by the shortest whole-column comparison there is."""
    row_id, found = frame["row_id"].to_numpy(), []
    for rule in rules:
        kwargs = rule.expectation["kwargs"]
        kind = rule.expectation["type"].removeprefix("expect_")
        met = _met(frame, kwargs.get("row_condition"))
        column = frame[kwargs["column"]] if "column" in kwargs else None
        if kind == "column_values_to_not_be_null":
            bad = column.isna()
        elif kind == "column_values_to_be_null":
            bad = column.notna()
        elif kind == "column_values_to_not_be_in_set":
            bad = column.isin(kwargs["value_set"])
        elif kind == "compound_columns_to_be_unique":
            bad = frame.duplicated(kwargs["column_list"], keep=False)
        else:
            a, b = frame[kwargs["column_A"]], frame[kwargs["column_B"]]
            bad = a != b if kind.endswith("equal") else (a < b if kwargs["or_equal"] else a <= b)
            bad &= a.notna() & b.notna()
        found.append(row_id[(bad.fillna(False) & met).to_numpy(bool)])
    return found


def _met(frame: pd.DataFrame, condition: Any) -> Any:
    if condition is None:
        return True
    if condition["type"] == "and":
        first, second = condition["conditions"]
        return _met(frame, first) & _met(frame, second)
    column = frame[condition["column"]["name"]]
    if condition["type"] == "nullity":
        return column.isna()
    wanted = condition["parameter"]
    return column.isin(wanted if isinstance(wanted, list) else [wanted])


def timed(what: str, act: Callable[[], Any]) -> Any:
    """Do it and print how long it took."""
    clock, processor = time.perf_counter(), time.process_time()
    answer = act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = f"{time.perf_counter() - clock:6.2f} s, processor {time.process_time() - processor:6.2f} s"
    print(f"{what:<42} {spent}, peak {peak:,.0f} MiB")
    return answer


def main(count: int) -> None:
    """Prints the library's import, the floor, the helper columns and the rules."""
    rules = expectations.suite("dossier_row")
    frame = timed(f"making {count:,} rows", lambda: made_rows(count))
    timed("import of the library, once a process", expectations._library)
    meanings: Any = SimpleNamespace(night=NIGHT)
    prepared = timed("helper columns", lambda: judge._prepared(frame, meanings))
    expected = timed(f"floor: {len(rules)} rules in pandas", lambda: floor(prepared, rules))
    said = timed(f"{len(rules)} rules by the library", lambda: expectations.check(prepared, "dossier_row"))
    for one, rows in zip(said, expected, strict=True):
        assert one.rows == rows.tolist(), one.rule.rule_id
    print(f"{sum(len(rows) for rows in expected):,} offending rows, the same by both")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
