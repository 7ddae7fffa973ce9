"""Targets are judged on exact fractions and never one chosen of two; ranks are shared, bounded, and refused with a reason."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import openpyxl
import pytest

from exports import STATUS_WORDS, counts, csv_list, dossier, form_06a
from tthc.domain.errors import ReferenceFault
from tthc.reference.comparison import read_comparison
from tthc.serving import exports
from warehouses import Warehouse, Warehouses

HEAD = (
    "target_id,document,unit_code,level_scope,metric_id,profile,field_code,comparator,value,period_from,period_to,"
    "source_line,indicator,base_note,ambiguity_note"
)
PLAN = "Kế hoạch giả định"
ONE_FIGURE = f"{PLAN},{{unit}},own,on_time,TT01_06A,*"
TARGETS = [  # two lines of one plan that say otherwise, as in a plan of 2025 (lines 70 and 187)
    f"least,{ONE_FIGURE},>=,0.98,2026-01-01,2026-12-31,70,Tối thiểu 98 %,,",
    f"above,{ONE_FIGURE},>,0.98,2026-01-01,2026-12-31,187,Trên 98 %,,cách hiểu giả định",
    f"again,{ONE_FIGURE},>=,0.9800,2026-01-01,2026-12-31,200,Tối thiểu 98 % một lần nữa,,",
    f"later,{ONE_FIGURE},>=,0.99,2027-01-01,2027-12-31,300,Năm sau,,",
    f"online,{PLAN},{{unit}},own,online_submission,*,*,>=,0.7,2026-01-01,2026-12-31,78,Nộp trực tuyến,,",
]
COMMUNE, OTHER, TWIN, FEW = "18352", "18373", "18406", "18073"  # a plan of the second is shipped


@pytest.fixture(scope="module")
def warehouse_of_targets(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Forms of four communes; one commune whose plan runs longer than itself; a smaller minimum count than shipped."""
    overlay = tmp_path_factory.mktemp("overlay")
    old = f"ended,{PLAN},99002,own,on_time,TT01_06A,*,>=,0.9,2026-01-01,2026-12-31,9,Đơn vị hết tồn tại,,"
    lines = [line.format(unit=COMMUNE) for line in TARGETS] + [old]
    (overlay / "targets.csv").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    (overlay / "units.csv").write_text(
        "unit_code,level,kind,name,parent_code,province_code,district,valid_from,valid_to,source\n"
        "99002,commune,xã,Giả Định,42,42,,,2026-02-28,synthetic\n",
        encoding="utf-8",
    )
    (overlay / "comparison.toml").write_text("[ranking]\nminimum = 10\n", encoding="utf-8")
    told = {COMMUNE: (98, 2), OTHER: (49, 1), TWIN: (980, 20), FEW: (9, 0)}
    files = {
        f"tong_hop_06a_xlsx/{unit}.xlsx": form_06a(
            [("Hộ tịch", counts(direct=on_time + late, on_time=on_time, late=late))], unit=unit, as_text=True
        )
        for unit, (on_time, late) in told.items()
    }
    rows = [
        dossier(f"H42.9-260105-{n:04d}", unit_name="99002", status=STATUS_WORDS[9], finished_at="09/01/2026")
        for n in range(3)
    ]
    with warehouses.fresh(overlay) as warehouse:
        warehouse.load(date(2026, 3, 20), {**files, "mot_cua_csv/a.csv": csv_list(rows)})
        yield warehouse


def fractions(seed: int) -> Iterator[tuple[int | None, int | None, str, Fraction]]:
    """Counts at, just below and just above their target, and any others; nothing occurred; withheld."""
    dice = random.Random(seed)
    for _ in range(3_000):
        value = Fraction(dice.choice((0, 50, 70, 75, 80, 95, 98, 99, 999, 1000)), dice.choice((100, 1000)))
        value = min(value, Fraction(1))
        denominator = dice.choice((0, 1, 3, 20, 100, 1000, 100_000, dice.randint(1, 10**12)))
        near = int(value * denominator) + dice.choice((-1, 0, 0, 1))
        numerator = dice.choice((min(max(near, 0), denominator), dice.randint(0, denominator)))
        withheld = dice.random() < 0.05
        yield None if withheld else numerator, None if withheld else denominator, dice.choice((">=", ">", "=")), value


def test_a_target_is_met_as_exact_fractions_say(warehouse_of_targets: Warehouse) -> None:
    cases = [*fractions(3), (94_996, 100_000, ">=", Fraction(95, 100)), (95, 100, ">", Fraction(95, 100))]
    cases += [(5, None, ">=", Fraction(1, 2)), (95, 100, "=", Fraction(95, 100)), (96, 100, "=", Fraction(95, 100))]
    said = warehouse_of_targets.query(
        "select rollup.target_met(numerator, denominator, comparator, target_value) as met "
        "from unnest(cast(:n as bigint[]), cast(:d as bigint[]), cast(:c as text[]), cast(:v as numeric[])) "
        "with ordinality as asked (numerator, denominator, comparator, target_value, place) order by place",
        n=[case[0] for case in cases],
        d=[case[1] for case in cases],
        c=[case[2] for case in cases],
        v=[str(float(case[3])) for case in cases],
    )
    compare = {">=": Fraction.__ge__, ">": Fraction.__gt__, "=": Fraction.__eq__}
    wanted = [
        compare[comparator](Fraction(numerator, denominator), value) if numerator is not None and denominator else None
        for numerator, denominator, comparator, value in cases
    ]
    assert [row["met"] for row in said] == wanted
    assert {True, False, None} <= set(wanted)


def test_two_targets_that_say_otherwise_are_both_judged_and_name_each_other(warehouse_of_targets: Warehouse) -> None:
    rows = warehouse_of_targets.query(
        "select target_id, met, conflict, conflicts_with, overdue_open, in_progress from mart.kpi_vs_target "
        "where unit_code = :unit and period_calendar = 'VPCP_15_14' and period_label = '2026-Q1' "
        "and basis = 'as_reported'",
        unit=COMMUNE,
    )
    told = {row["target_id"]: row for row in rows}
    assert {name: row["met"] for name, row in told.items()} == {
        "least": True, "above": False, "again": True, "online": False,
    }  # fmt: skip
    assert told["least"]["conflicts_with"] == told["again"]["conflicts_with"] == "dòng 187: > 98%"
    assert told["above"]["conflicts_with"] == "dòng 70: ≥ 98%; dòng 200: ≥ 98%"
    assert {name: row["conflict"] for name, row in told.items()} == {
        "least": True, "above": True, "again": True, "online": False,
    }  # fmt: skip
    assert (told["least"]["overdue_open"], told["least"]["in_progress"]) == (0, 0)
    assert told["online"]["overdue_open"] is None


def test_the_scorecard_shows_conflict_reading_and_open_overdue(warehouse_of_targets: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "s.xlsx"
    exports.export(
        warehouse_of_targets.settings,
        exports.write_scorecard,
        unit=COMMUNE,
        calendar="VPCP_15_14",
        label="2026-Q1",
        out=out,
    )
    book = openpyxl.load_workbook(out)
    for name in ("Phiếu điểm", "Mục tiêu"):
        text = "\n".join(
            str(cell) for row in book[name].iter_rows(values_only=True) for cell in row if cell is not None
        )
        assert "kế hoạch mâu thuẫn, dòng 187: > 98%" in text, name
        assert "kế hoạch mâu thuẫn, dòng 70: ≥ 98%; dòng 200: ≥ 98%" in text, name
        assert "cách hiểu giả định" in text, name
        assert "0/0" in text, name


def test_a_target_ends_with_its_unit(warehouse_of_targets: Warehouse) -> None:
    (row,) = warehouse_of_targets.query("select valid_from, valid_to from mart.target where target_id = 'ended'")
    assert tuple(row.values()) == (date(2026, 1, 1), date(2026, 2, 28))
    judged = warehouse_of_targets.query(
        "select distinct period_label from mart.kpi_vs_target where target_id = 'ended' and period_calendar = 'CALENDAR'"
    )
    assert {row["period_label"] for row in judged} == {"2026-01"}  # February has no dossier, March no unit


def test_a_split_unit_is_not_judged(warehouse_of_targets: Warehouse) -> None:
    change = f"update rollup.counter set flags = '{{{{{{}}}}}}' where unit_code = '{COMMUNE}' returning unit_code"
    warehouse_of_targets.query(change.format("split_unit"))
    try:
        met = warehouse_of_targets.query("select met from mart.kpi_vs_target where unit_code = :unit", unit=COMMUNE)
    finally:
        warehouse_of_targets.query(change.format("from_summary"))
    assert {row["met"] for row in met} == {None}


def wilson(numerator: int, denominator: int) -> tuple[float, float]:
    """Bounds as the roots of (p − x)² = z² x (1 − x) / n, found by halving: nothing of the closed formula."""
    z = NormalDist().inv_cdf(0.975)
    share = numerator / denominator

    def root(inner: float, outer: float) -> float:
        for _ in range(80):
            middle = (inner + outer) / 2
            is_inside = abs(share - middle) <= z * sqrt(middle * (1 - middle) / denominator)
            inner, outer = (middle, outer) if is_inside else (inner, middle)
        return (inner + outer) / 2

    return root(share, 0.0), root(share, 1.0)


def ranking(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    rows = warehouse.query(
        "select * from mart.ranking where metric_id = 'on_time' and profile = 'TT01_06A' and basis = 'as_reported' "
        "and period_calendar = 'VPCP_15_14' and period_label = '2026-Q1'"
    )
    return {row["unit_code"]: row for row in rows}


def test_equal_shares_share_a_rank_and_few_dossiers_have_none(warehouse_of_targets: Warehouse) -> None:
    told = ranking(warehouse_of_targets)
    assert {unit: told[unit]["rank"] for unit in (COMMUNE, OTHER, TWIN)} == {COMMUNE: 1, OTHER: 1, TWIN: 1}
    assert {told[unit]["minimum_count"] for unit in told} == {10}
    for unit in (FEW, "99002"):
        assert (told[unit]["rank"], told[unit]["ranked"], told[unit]["band"]) == (None, False, "ít hồ sơ")


def test_bounds_are_those_of_wilson(warehouse_of_targets: Warehouse) -> None:
    for row in ranking(warehouse_of_targets).values():
        wanted = wilson(row["numerator"], row["denominator"])
        assert (float(row["lower_bound"]), float(row["upper_bound"])) == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize(
    ("change", "band"),
    [
        ("flags = '{withheld}'", "tạm giữ"),
        ("flags = '{split_unit}'", "không so sánh được"),
    ],
)
def test_what_cannot_be_compared_is_listed_with_its_reason(
    warehouse_of_targets: Warehouse, change: str, band: str
) -> None:
    kept = f"update rollup.counter set flags = '{{from_summary}}' where unit_code = '{TWIN}' returning unit_code"
    warehouse_of_targets.query(f"update rollup.counter set {change} where unit_code = '{TWIN}' returning unit_code")
    try:
        told = ranking(warehouse_of_targets)
    finally:
        warehouse_of_targets.query(kept)
    assert (told[TWIN]["rank"], told[TWIN]["ranked"], told[TWIN]["band"]) == (None, False, band)
    assert told[COMMUNE]["rank"] == 1


def test_a_unit_whose_report_is_missing_is_not_ranked_and_a_withheld_province_is_no_yardstick(
    warehouse_of_targets: Warehouse,
) -> None:
    warehouse = warehouse_of_targets
    warehouse.query(f"update rollup.coverage set units_reported = 0 where unit_code = '{TWIN}' returning unit_code")
    try:
        assert ranking(warehouse)[TWIN]["band"] == "chưa đủ dữ liệu"
    finally:
        warehouse.query(f"update rollup.coverage set units_reported = 1 where unit_code = '{TWIN}' returning unit_code")
    warehouse.query("update rollup.counter set flags = '{withheld}' where unit_code = '42' returning unit_code")
    try:
        assert ranking(warehouse)[COMMUNE]["band"] == "không so với tỉnh"
    finally:
        warehouse.query("update rollup.counter set flags = '{from_summary}' where unit_code = '42' returning unit_code")


@pytest.mark.parametrize(
    "text", ["[ranking]\nminimum = 0\n", "[ranking]\nleast = 3\n", "[ranking]\nminimum = true\n", "[x]\n"]
)
def test_a_setting_that_is_none_is_refused(
    warehouse_of_targets: Warehouse, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "comparison.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr("tthc.reference.comparison.directories", lambda _: [tmp_path])
    with pytest.raises(ReferenceFault, match=r"comparison\.toml"):
        read_comparison(warehouse_of_targets.settings)
