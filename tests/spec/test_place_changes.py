"""A province made of two: a 1→3 split, a code that comes back, chains, departments, districts, and what is declared later."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exports import STATUS_WORDS, Row, counts, csv_list, dossier, form_06a
from tthc import enquiries, pipeline
from tthc.domain.errors import ReferenceFault
from tthc.reference.units import check_successions, read_places, read_successions
from tthc.rollups.published import KEY
from tthc.settings import settings
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)
UNITS = """unit_code,level,kind,name,parent_code,province_code,district,valid_from,valid_to,source
QA,province,tỉnh,Giả A,,QA,,,2025-06-30,made up
QA,province,tỉnh,Giả Mới,,QA,,2025-07-01,,made up
QB,province,tỉnh,Giả B,,QA,,,2025-06-30,made up
90001,commune,thị trấn,Một,QA,QA,huyện Giả,,2025-06-30,made up
90001,commune,xã,Một Mới,QA,QA,,2025-07-01,,made up
90002,commune,xã,Hai,QA,QA,huyện Giả,,2025-06-30,made up
90003,commune,xã,Ba,QB,QA,huyện Giả,,2025-06-30,made up
90010,commune,xã,Ba Một,QA,QA,,2025-07-01,,made up
90011,commune,xã,Ba Hai,QA,QA,,2025-07-01,,made up
90012,commune,xã,Ba Ba,QA,QA,,2025-07-01,,made up
90004,commune,xã,Bốn,QB,QA,huyện Giả,,2025-06-30,made up
90020,commune,xã,Bốn Một,QA,QA,,2025-07-01,,made up
90021,commune,xã,Bốn Hai,QA,QA,,2025-07-01,,made up
90005,commune,xã,Năm,QA,QA,huyện Giả,,2024-06-30,made up
90006,commune,xã,Sáu,QA,QA,huyện Giả,2024-07-01,2025-06-30,made up
90007,commune,xã,Bảy,QA,QA,,2025-07-01,,made up
90008,commune,xã,Tám,QA,QA,,,2026-02-28,made up
90008,commune,phường,Tám,QA,QA,,2026-03-01,,made up
QA-SNV,department,sở,Sở Nội vụ,QA,QA,,,,made up
QB-SNV,department,sở,Sở Nội vụ tỉnh B,QB,QA,,,2025-06-30,made up
"""
SUCCESSIONS = """old_code,new_code,effective_date,is_partial,weight,source
90001,90001,2025-07-01,false,,made up
90002,90001,2025-07-01,false,,made up
90003,90010,2025-07-01,true,0.5,made up
90003,90011,2025-07-01,true,0.3,made up
90003,90012,2025-07-01,true,0.2,made up
90004,90020,2025-07-01,true,{0},made up
90004,90021,2025-07-01,true,{1},made up
90005,90006,2024-07-01,false,,made up
90006,90007,2025-07-01,false,,made up
QB-SNV,QA-SNV,2025-07-01,false,,made up
"""
TARGETS = """target_id,document,unit_code,level_scope,metric_id,profile,field_code,comparator,value,period_from,period_to,source_line,indicator,base_note,ambiguity_note
made-up-1,made up,90004,own,on_time,TT01_06A,*,>=,0.5,2025-01-01,2025-12-31,1,made up,,
made-up-2,made up,QA,own,on_time,TT01_06A,*,>=,0.5,2025-01-01,2025-12-31,2,made up,,
"""


def overlay(folder: Path, *weights: str) -> Path:
    """The reference data; `weights`: those of 90004."""
    (folder / "units.csv").write_text(UNITS, encoding="utf-8")
    (folder / "unit_successions.csv").write_text(SUCCESSIONS.format(*(weights or ("", ""))), encoding="utf-8")
    (folder / "targets.csv").write_text(TARGETS, encoding="utf-8")
    return folder


def _told(number: int, unit: str, received: str, finished: str = "") -> Row:
    day, month, year = received.split("/")
    code = f"H98.1-{year[2:]}{month}{day}-{number:04d}"
    due = (date(int(year), int(month), int(day)) + timedelta(days=7)).strftime("%d/%m/%Y")
    status = STATUS_WORDS[9 if finished else 4]
    return dossier(code, unit_name=unit, received_at=received, due_at=due, finished_at=finished, status=status)


ROWS = [
    _told(1, "UBND thị trấn Một", "20/06/2025"),  # still open: under the same code, not of the same territory
    _told(2, "UBND xã Hai", "20/06/2025", "02/07/2025"),  # received before the merger, finished after it
    _told(3, "UBND xã Một Mới", "02/07/2025", "03/07/2025"),
    *(_told(100 + number, "UBND xã Ba", "18/06/2025", "10/07/2025" if number % 2 else "") for number in range(40)),
    *(_told(200 + number, "UBND xã Bốn", "18/06/2025", "19/06/2025") for number in range(35)),
    _told(4, "UBND xã Năm", "20/06/2024", "21/06/2024"),
    _told(5, "UBND xã Sáu", "20/06/2025", "21/06/2025"),
    _told(6, "UBND xã Tám", "27/02/2026"),
    _told(7, "UBND phường Tám", "02/03/2026"),
    _told(8, "Sở Nội vụ tỉnh B", "20/06/2025", "23/06/2025"),
    _told(9, "Sở Nội vụ", "20/06/2025"),
    _told(10, "UBND huyện Giả", "20/06/2025"),  # a district is history: refused
    _told(11, "UBND xã Tám", "02/03/2026"),  # no longer a xã on that day: refused
    _told(12, "UBND phường Tám", "27/02/2026"),  # nor a phường on that one
]
FORM = [("Hộ tịch", counts(online=2, direct=3, early=4, in_time=1))]
FORMS = {
    "tong_hop_06a_xlsx/hai.xlsx": form_06a(
        FORM, unit="UBND xã Hai", period="Quý I/2025 (từ ngày 15/12/2024 đến ngày 14/3/2025)"
    ),
    "tong_hop_06a_xlsx/ba.xlsx": form_06a(
        FORM, unit="UBND xã Ba", period="Quý I/2025 (từ ngày 15/12/2024 đến ngày 14/3/2025)"
    ),
}


@pytest.fixture(scope="module")
def merged(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = overlay(tmp_path_factory.mktemp("places"))
    with warehouses.fresh() as made:
        with transaction(made.settings) as connection:  # the template was made for province 42
            connection.execute(sa.text("delete from core.hmac_key"))
        made.settings = replace(made.settings, province="QA", reference_overlay=folder)
        pipeline.init(made.settings)
        made.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(ROWS), **FORMS})
        yield made


def received(merged: Warehouse, basis: str, label: str = "2025-Q3") -> dict[str, tuple[int, list[str]]]:
    """Unit → dossiers received in the period, and flags."""
    rows = merged.query(
        "select unit_code, numerator, flags from mart.kpi where metric_id = 'received' and field_code = '*' "
        "and period_calendar = 'VPCP_15_14' and period_label = :label and basis = :basis",
        label=label,
        basis=basis,
    )
    return {row["unit_code"]: (row["numerator"], row["flags"]) for row in rows}


def shares(merged: Warehouse) -> Counter[str]:
    """Successor → dossiers of 90003, by the rule of the definitions page."""
    found = Counter[str]()
    for row in merged.query("select dossier_key from core.dossier where unit_code = '90003'"):
        digest = hashlib.md5(f"{row['dossier_key']}90003".encode(), usedforsecurity=False).hexdigest()
        point = int(digest[:8], 16) / 2**32
        found["90010" if point < 0.5 else "90011" if point < 0.8 else "90012"] += 1
    return found


def test_as_reported_every_dossier_is_where_the_row_says_and_former_provinces_stand_beside(merged: Warehouse) -> None:
    assert received(merged, "as_reported") == {
        "90001": (2, ["code_reused"]),
        "90002": (1, []),
        "90003": (40, []),
        "90004": (35, []),
        "90006": (1, []),
        "QB-SNV": (1, []),
        "QA-SNV": (1, []),
        "QA": (81, ["merged_province"]),
        "QB": (76, ["former_province"]),  # a part of QA: 90003, 90004 and its department
    }


def test_on_todays_boundary_a_split_with_weights_divides_and_one_without_stays(merged: Warehouse) -> None:
    found, divided = received(merged, "current_boundary"), shares(merged)
    assert len(divided) == 3
    assert found == {
        "90001": (3, ["merged_unit"]),
        **{unit: (count, ["split_weighted"]) for unit, count in divided.items()},
        "90004": (35, ["split_unit"]),
        "90007": (1, ["merged_unit"]),
        "QA-SNV": (2, ["merged_unit"]),
        "QA": (81, ["split_unit", "merged_province"]),
    }


def test_a_chain_is_followed_to_its_end(merged: Warehouse) -> None:
    assert received(merged, "current_boundary", "2024-Q3")["90007"] == (1, ["merged_unit"])
    assert received(merged, "as_reported", "2024-Q3")["90005"] == (1, [])


def test_a_unit_that_became_another_kind_is_the_same_unit(merged: Warehouse) -> None:
    names = merged.query(
        "select period_label, unit_name, flags from mart.kpi where unit_code = '90008' and metric_id = 'in_progress' "
        "and field_code = '*' and basis = 'current_boundary' and period_calendar = 'CALENDAR' and period_kind = 'month' "
        "order by 1"
    )
    assert [tuple(row.values()) for row in names] == [
        ("2026-02", "Xã Tám", []), ("2026-03", "Phường Tám", []), ("2026-04", "Phường Tám", []),
    ]  # fmt: skip


def test_a_district_and_a_name_of_another_time_are_refused(merged: Warehouse) -> None:
    lines = [number for number, row in enumerate(ROWS, start=2) if row["dossier_code"][-4:] in {"0010", "0011", "0012"}]
    assert merged.quarantine() == {("a.csv", line, "UNKNOWN_UNIT") for line in lines}


def test_every_total_is_conserved_on_both_bases(merged: Warehouse) -> None:
    rows = merged.query(
        "select period_calendar, period_label, basis, field_code, metric_id, profile, unit_level = 'province' as whole, "
        "sum(numerator)::int as numerator, sum(denominator)::int as denominator from mart.kpi "
        "where 'former_province' <> all(flags) group by 1, 2, 3, 4, 5, 6, 7"
    )
    found: dict[Any, set[Any]] = {}
    for row in rows:
        figure = tuple(row[n] for n in ("period_calendar", "period_label", "field_code", "metric_id", "profile"))
        found.setdefault(figure, set()).add((row["numerator"], row["denominator"]))
    assert len(rows) == 4 * len(found)  # two bases, the units and the province
    assert [figure for figure, values in found.items() if len(values) > 1] == []


def test_forms_move_with_a_merger_and_are_never_divided(merged: Warehouse) -> None:
    label = "2025-Q1"
    assert received(merged, "as_reported", label) == {
        "90002": (5, ["from_summary"]), "90003": (5, ["from_summary"]), "QA": (10, ["from_summary", "merged_province"]),
        "QB": (5, ["from_summary", "former_province"]),
    }  # fmt: skip
    assert received(merged, "current_boundary", label) == {
        "90001": (5, ["from_summary", "merged_unit"]), "90003": (5, ["from_summary", "split_unit"]),
        "QA": (10, ["from_summary", "split_unit", "merged_province"]),
    }  # fmt: skip


@pytest.mark.parametrize("unit", ["90001", "90010", "90004", "QA", "QB"])
@pytest.mark.parametrize("basis", ["as_reported", "current_boundary"])
def test_a_moved_figure_leads_to_its_rows(merged: Warehouse, unit: str, basis: str) -> None:
    figures = received(merged, basis)
    key = dict(zip(KEY, ("VPCP_15_14", "2025-Q3", unit, basis, "*", "received", "TT01_06A"), strict=True))
    if unit not in figures:
        assert (unit, basis) in {("90010", "as_reported"), ("QB", "current_boundary")}
        return
    found = enquiries.explain(merged.settings, key)
    assert found.agrees
    named = {ROWS[row["row_no"] - 2]["unit_name"] for row in found.dossiers}
    assert len(found.dossiers) == figures[unit][0]
    if unit == "90010":
        assert named == {"UBND xã Ba"}
    if (unit, basis) == ("90001", "current_boundary"):
        assert named == {"UBND thị trấn Một", "UBND xã Hai", "UBND xã Một Mới"}
    if unit == "QB":
        assert named == {"UBND xã Ba", "UBND xã Bốn", "Sở Nội vụ tỉnh B"}


def test_a_form_that_moved_is_found_from_the_successor(merged: Warehouse) -> None:
    key = dict(
        zip(KEY, ("VPCP_15_14", "2025-Q1", "90001", "current_boundary", "*", "received", "TT01_06A"), strict=True)
    )
    assert {row["file_name"] for row in enquiries.explain(merged.settings, key).forms} == {"hai.xlsx"}


def test_an_undivided_split_is_neither_ranked_nor_judged_but_the_province_is(merged: Warehouse) -> None:
    ranking = merged.query(
        "select basis, ranked, rank, band from mart.ranking where unit_code = '90004' and metric_id = 'on_time' "
        "and profile = 'TT01_06A' and period_calendar = 'VPCP_15_14' and period_label = '2025-Q3' order by basis"
    )
    assert [tuple(row.values()) for row in ranking] == [
        ("as_reported", True, 1, ranking[0]["band"]), ("current_boundary", False, None, "không so sánh được"),
    ]  # fmt: skip
    assert ranking[0]["band"] != "không so sánh được"
    targets = merged.query(
        "select unit_code, basis, met from mart.kpi_vs_target where period_calendar = 'VPCP_15_14' "
        "and period_label = '2025-Q3' and source_document = 'made up' order by 1, 2"
    )
    assert [tuple(row.values()) for row in targets] == [  # the target of 90004 ended with it, on 30 June
        ("QA", "as_reported", True), ("QA", "current_boundary", True),
    ]  # fmt: skip


def test_expected_are_the_units_of_the_cut_off_day(merged: Warehouse) -> None:
    rows = merged.query(
        "select distinct unit_code, period_label, units_expected from mart.kpi where unit_level = 'province' "
        "and period_calendar = 'CALENDAR' and period_label in ('2024-06', '2025-06', '2025-07') order by 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("QA", "2024-06", 8), ("QA", "2025-06", 8), ("QA", "2025-07", 9), ("QB", "2025-06", 3), ("QB", "2025-07", None),
    ]  # fmt: skip
    ended = merged.query(
        "select distinct period_label, units_expected from mart.kpi where unit_code = '90003' "
        "and period_calendar = 'CALENDAR' and period_label in ('2025-06', '2025-07') order by 1"
    )
    assert [tuple(row.values()) for row in ended] == [("2025-06", 1), ("2025-07", None)]


STANDING = "select * from rollup.counter where last_publication is null order by 1, 2, 3, 4, 5, 6"


def test_weights_declared_later_restate_as_geography_and_full_changes_nothing(merged: Warehouse) -> None:
    assert merged.settings.reference_overlay is not None
    before = received(merged, "current_boundary")
    overlay(merged.settings.reference_overlay, "0.25", "0.75")
    pipeline.init(merged.settings)
    publication = merged.publish()
    after = received(merged, "current_boundary")
    assert "90004" not in after
    assert after["90020"][0] + after["90021"][0] == before["90004"][0]
    assert after["QA"] == (81, ["merged_province"])
    causes = merged.query(
        "select distinct unit_code, basis, cause from mart.restatement where publication_id = :id order by 1",
        id=publication,
    )
    assert [tuple(row.values()) for row in causes] == [
        (unit, "current_boundary", "geography") for unit in ("90004", "90020", "90021")
    ]
    standing = merged.query(STANDING)
    with merged.kept():
        pipeline.publish(merged.settings, full=True)
    assert merged.query(STANDING) == standing


WRONG = [
    ("90003,90010,2025-07-01,true,0.6,x", "sum to 1.1, not to 1"),
    ("90003,90010,2025-07-01,true,,x", "successor 90010 has no weight"),
    ("90003,90010,2025-07-01,true,0,x", "weight '0' must be above 0"),
    ("90003,90010,2025-07-01,true,1.5,x", "weight '1.5' must be above 0 and at most 1"),
    ("90003,90010,2025-07-01,true,một nửa,x", "weight 'một nửa' must be above 0"),
    ("90008,90099,2026-07-01,false,,x", "90008 to 90099: the successor is no unit of the same province"),
]


@pytest.mark.parametrize(("row", "said"), WRONG)
def test_a_wrong_weight_or_successor_is_said_in_a_sentence(tmp_path: Path, row: str, said: str) -> None:
    old_new = row.rsplit(",", 4)[0]
    lines = SUCCESSIONS.format("", "").splitlines()
    kept = [line for line in lines if not line.startswith(f"{old_new},")]
    (tmp_path / "units.csv").write_text(UNITS, encoding="utf-8")
    (tmp_path / "unit_successions.csv").write_text("\n".join([*kept, row, ""]), encoding="utf-8")
    here = replace(settings(), province="QA", reference_overlay=tmp_path)
    with pytest.raises(ReferenceFault, match=said):
        check_successions(read_successions(here), read_places(here))


@pytest.mark.parametrize(
    ("province", "text", "on", "code"),
    [
        ("31", "UBND xã Tân Minh", date(2026, 1, 5), "11779"),
        ("37", "UBND xã Tân Minh", date(2026, 1, 5), "13807"),
        ("68", "UBND xã Tân Minh", date(2026, 1, 5), "23230"),
        ("31", "xã Tân Minh", date(2025, 6, 30), "11791"),  # of that name before, a part of today's
        ("40", "xã Anh Sơn", date(2026, 1, 5), "17329"),
        ("38", "xã Anh Sơn", date(2025, 6, 30), "16579"),
        ("38", "xã Anh Sơn", date(2025, 7, 1), None),
        ("42", "thị trấn Tiên Điền", date(2025, 6, 30), "18373"),
        ("42", "thị trấn Tiên Điền", date(2025, 7, 1), None),
        ("42", "xã Tiên Điền", date(2025, 7, 1), "18373"),
    ],
)
def test_a_name_means_a_unit_of_the_province_and_the_day(province: str, text: str, on: date, code: str | None) -> None:
    places = _places_of(province)
    assert places.choose(places.spans_of(text), on) == code


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (date(2025, 6, 30), "18373"),  # nobody bore the name yet: the alias says who is meant
        (date(2025, 7, 1), "18373"),  # by name
        (date(2026, 1, 5), "18394"),  # the alias of these days is believed before the name
    ],
)
def test_an_alias_counts_on_its_days_and_the_name_on_all_others(tmp_path: Path, on: date, code: str) -> None:
    aliases = ["UBND xã Tiên Điền,18373,,2025-06-30,giả định", "UBND xã Tiên Điền,18394,2026-01-01,,giả định", ""]
    (tmp_path / "agencies.csv").write_text("\n".join(["alias,unit_code,valid_from,valid_to,source", *aliases]), "utf-8")
    places = read_places(replace(settings(), reference_overlay=tmp_path))
    assert places.choose(places.spans_of("UBND xã Tiên Điền"), on) == code


_KNOWN: dict[str, Any] = {}


def _places_of(province: str) -> Any:
    if province not in _KNOWN:
        _KNOWN[province] = read_places(replace(settings(), province=province, reference_overlay=None))
    return _KNOWN[province]
