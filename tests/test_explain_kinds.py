"""Every kind of published figure leads to rows: form 06a, index 766, earlier publications, what was handed in, the two sides.

Two nights of hand-made dossiers. Which dossiers are behind a figure stands here in words, not in what the code prints.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exports import STATUS_WORDS, Row, csv_list, dossier, json_list
from tthc import cli, enquiries, handing_in
from tthc.domain.errors import Misconfigured
from tthc.rollups.explain import Explanation
from tthc.rollups.published import KEY
from warehouses import Warehouse

FIRST, SECOND = date(2026, 3, 16), date(2026, 3, 17)
UNIT, PROVINCE, LABEL = "18373", "42", "2026-Q1"
DONE = STATUS_WORDS[9]


def row(number: int, **cells: str) -> Row:
    return dossier(f"H42.1-260105-{number:04d}", **cells)


def done(number: int, on: str = "09/01/2026", **cells: str) -> Row:
    return row(number, status=DONE, finished_at=on, **cells)


OLD = {"received_at": "01/12/2025", "due_at": "02/02/2026"}  # received before the quarter
LIST = [
    done(1),  # early
    done(2, "12/01/2026", channel="Trực tuyến"),  # on the due day
    done(3, "15/01/2026"),  # late
    row(4),  # open, overdue
    row(5, due_at="30/03/2026"),  # open, in time
    done(6, "05/02/2026", **OLD),  # carried over, late
    row(7, **OLD),  # carried over, open and overdue
]
PORTAL = [done(1), done(2, "14/01/2026"), done(8)]  # 1 the same, 2 with another finish, 8 nobody else tells
CORRECTED = [*LIST[:2], done(3, "12/01/2026"), *LIST[3:], done(9)]  # 3 in time after all; 9 is new
FORM = {  # column of mart.form_06a → the dossiers behind it on the first night
    "received_total": {1, 2, 3, 4, 5, 6, 7, 8},
    "received_online": {2},
    "received_direct": {1, 3, 4, 5, 8},
    "carried_over": {6, 7},
    "resolved_total": {1, 2, 3, 6, 8},
    "resolved_early": {1, 8},
    "resolved_on_time": {2},
    "resolved_late": {3, 6},
    "in_progress_total": {4, 5, 7},
    "in_progress_in_time": {5},
    "in_progress_overdue": {4, 7},
}
SIDES = {"dossiers": set(range(1, 9)), "only_province": {3, 4, 5, 6, 7}, "only_nation": {8}, "in_both": {1, 2},
    "differing": {2}, "finished_differs": {2}}  # fmt: skip
RECEIVED_BEFORE = {6, 7}  # not in the sides of the quarter: those go by the day of receipt


@pytest.fixture(scope="module")
def nights(module_warehouse: Warehouse) -> Iterator[Warehouse]:
    """The first night is handed in; the second corrects a row and brings another."""
    warehouse = module_warehouse
    warehouse.load(FIRST, {"mot_cua_csv/a.csv": csv_list(LIST), "dvcqg_json/b.json": json_list(PORTAL)})
    with warehouse.kept():
        asked = {"calendar": "VPCP_15_14", "label": LABEL, "by": "NGƯỜI GIẢ", "reason": "báo cáo quý"}
        handing_in.submit(warehouse.settings, unit=PROVINCE, waiver="các đơn vị khác chưa kết nối", **asked)
    warehouse.load(SECOND, {"mot_cua_csv/a.csv": csv_list(CORRECTED)})
    yield warehouse


def key(metric: str, unit: str = UNIT, profile: str = "TT01_06A", label: str = LABEL) -> dict[str, str]:
    return dict(zip(KEY, ("VPCP_15_14", label, unit, "as_reported", "*", metric, profile), strict=True))


def numbers(found: Explanation, *, counted: bool = True) -> list[int]:
    """The dossiers of an explanation, by the rows of the files they lead to: 1 above the list, none above the records."""
    told = []
    for line in found.dossiers:
        if counted and not line["numerator"]:
            continue
        at = line["row_no"] - (1 if line["file_name"].startswith("b") else 2)
        rows = PORTAL if line["file_name"].startswith("b") else LIST if line["night"] == FIRST else CORRECTED
        told.append(int(rows[at]["dossier_code"][-4:]))
    return sorted(told)


def publication_of(warehouse: Warehouse, night: date) -> int:
    return int(warehouse.value("select min(publication_id) from mart.publication where night = :night", night=night))


@pytest.mark.parametrize("unit", [UNIT, PROVINCE])
def test_cells_of_a_form_handed_in_lead_to_the_rows_known_then(nights: Warehouse, unit: str) -> None:
    for column, behind in FORM.items():
        found = enquiries.explain(nights.settings, key(column, unit), submitted=0)
        assert (found.figure["numerator"], found.agrees) == (len(behind), True), column
        assert numbers(found) == sorted(behind), column


def test_a_cell_of_form_06a_is_told_by_the_rows_known_now(nights: Warehouse) -> None:
    now = {column: set(behind) for column, behind in FORM.items()}
    for column in ("received_total", "received_direct", "resolved_total", "resolved_early"):
        now[column] |= {9}
    now["resolved_late"] -= {3}
    now["resolved_on_time"] |= {3}
    for column, behind in now.items():
        found = enquiries.explain(nights.settings, key(column))
        assert (numbers(found), found.agrees) == (sorted(behind), True), column
        (cell,) = nights.query(
            f"select {column} as n from mart.form_06a where period_label = '{LABEL}' and unit_code = '{UNIT}' "
            "and field_code = '*' and basis = 'as_reported' and period_calendar = 'VPCP_15_14'"
        )
        assert cell["n"] == len(behind)


def test_every_column_of_form_06a_can_be_asked_for(nights: Warehouse) -> None:
    columns = {name for name in nights.query("select * from mart.form_06a limit 1")[0]}
    known = enquiries.what_is_known(nights.settings)
    about = {
        "period_calendar", "period_kind", "period_label", "period_start", "period_end", "as_of", "unit_level",
        "unit_code", "unit_name", "basis", "field_code", "field_name", "flags", "publication_id",
    }  # fmt: skip
    assert columns - about == {name for name in columns if known.profiles(name) == ["TT01_06A"]}


def test_an_earlier_publication_is_told_by_what_it_knew(nights: Warehouse) -> None:
    first, now = publication_of(nights, FIRST), publication_of(nights, SECOND)
    late = key("on_time")
    assert numbers(enquiries.explain(nights.settings, late, publication=first)) == [1, 2, 8]
    assert numbers(enquiries.explain(nights.settings, late, publication=now)) == [1, 2, 3, 8, 9]
    cells = nights.query(
        f"select {', '.join(KEY)}, numerator, denominator from mart.kpi_history where publication_id = {first} "
        "order by 1, 2, 3, 4, 5, 6, 7"
    )
    for cell in random.Random(8).sample(cells, 12):
        found = enquiries.explain(nights.settings, {name: cell[name] for name in KEY}, publication=first)
        assert found.agrees, cell
        assert sum(line["numerator"] for line in found.dossiers) == cell["numerator"], cell
        assert {line["publication_id"] for line in found.dossiers} == {first}
        assert {line["night"] for line in found.dossiers} == {FIRST}


def test_counts_of_the_two_sides_lead_to_the_rows_of_both(nights: Warehouse) -> None:
    first = {name: behind - RECEIVED_BEFORE for name, behind in SIDES.items()}
    now = first | {"dossiers": first["dossiers"] | {9}, "only_province": first["only_province"] | {9}}
    for name, behind in now.items():
        for unit in (UNIT, PROVINCE):
            found = enquiries.explain(nights.settings, key(name, unit, "*"))
            assert (found.figure["numerator"], found.agrees) == (len(behind), True), name
            assert numbers(found) == sorted(behind), name
    differing = enquiries.explain(nights.settings, key("differing", profile="*"))
    assert {(line["source_id"], line["row_no"]) for line in differing.dossiers} == {
        ("mot_cua_csv", 3),
        ("dvcqg_json", 2),
    }
    with pytest.raises(Misconfigured, match="current publication only"):
        enquiries.explain(nights.settings, key("differing", profile="*"), publication=1)


def test_index_766_leads_to_its_components_and_they_to_rows(nights: Warehouse) -> None:
    whole = enquiries.explain(nights.settings, key("index_766", profile="*"))
    group = enquiries.explain(nights.settings, key("TDGQ", profile="*"))
    (points,) = nights.query(
        f"select points from mart.index_766_total where period_label = '{LABEL}' and unit_code = '{UNIT}' "
        "and group_code = '*' and period_calendar = 'VPCP_15_14'"
    )
    assert (whole.figure["points"], whole.agrees, group.agrees) == (points["points"], True, True)
    (part,) = group.parts
    assert part in whole.parts
    component = enquiries.explain(nights.settings, key("2.1", profile="*"))
    (beside,) = [line for line in component.beside if line["view"] == "index_766"]
    assert (beside["points"], beside["component_id"]) == (part["points"], "2.1")
    assert (component.total_numerator, component.total_denominator) == (part["numerator"], part["denominator"])
    assert part["denominator"] == len(component.dossiers) == len(FORM["received_total"] - {6, 7} | {9})
    unasked = enquiries.explain(nights.settings, key("1.2", profile="*"))
    assert (unasked.figure["state"], unasked.dossiers, unasked.agrees) == ("not_applicable", [], True)


def test_beside_a_figure_stands_what_was_made_of_it(nights: Warehouse) -> None:
    views: dict[str, list[dict[str, Any]]] = {}
    for line in enquiries.explain(nights.settings, key("on_time")).beside:
        views.setdefault(line["view"], []).append(line)
    (handed_in,) = enquiries.explain(nights.settings, key("on_time", PROVINCE)).beside
    assert [handed_in[name] for name in ("view", "submitted_numerator", "current_numerator")] == [
        "submission_difference", 3, 5,
    ]  # fmt: skip
    (target,) = views["kpi_vs_target"]  # 5 of 6 in time are fewer than the 95 % of the communes' plan
    assert (target["target_id"], target["met"], target["source_line"]) == ("000-3.8", False, 299)
    (rank,) = views["ranking"]
    assert (rank["ranked"], rank["band"]) == (False, "ít hồ sơ")


def test_a_row_leads_back_to_form_sides_and_metrics(nights: Warehouse, tmp_path: Path) -> None:
    portal = enquiries.figures_of(nights.settings, "b.json", 2)
    assert {line["outcome"] for line in portal} == {"superseded"}
    back = {(line["metric_id"], line["unit_code"]) for line in portal if line["period_label"] == LABEL
        if line["period_calendar"] == "VPCP_15_14" and line["basis"] == "as_reported"}  # fmt: skip
    for name in (*FORM, *SIDES):
        for unit in (UNIT, PROVINCE):
            assert ((name, unit) in back) == (2 in FORM.get(name, SIDES.get(name, set()))), name
    for line in random.Random(3).sample([one for one in portal if one["metric_id"]], 12):
        found = enquiries.explain(nights.settings, {name: line[name] for name in KEY})
        assert line["dossier_key"] in {one["dossier_key"] for one in found.dossiers}, line


def test_a_dossier_leads_to_the_rows_that_told_it_and_to_its_figures(nights: Warehouse) -> None:
    late = enquiries.explain(nights.settings, key("resolved_late"), submitted=0)
    third = next(str(line["dossier_key"]) for line in late.dossiers if line["row_no"] == LIST.index(LIST[2]) + 2)
    rows, figures = enquiries.history_of(nights.settings, third)
    assert [(line["outcome"], line["night"], line["row_no"]) for line in rows] == [
        ("counted", SECOND, 4),
        ("superseded", FIRST, 4),
    ]
    assert {("on_time", True), ("resolved_on_time", True)} <= {
        (line["metric_id"], line["in_numerator"]) for line in figures if line["period_label"] == LABEL
    }
    assert not any(line["metric_id"] == "resolved_late" for line in figures)
    for nobody in ("0f0f0f0f-0000-4000-8000-000000000000", "x"):
        with pytest.raises(Misconfigured, match="no dossier has the key"):
            enquiries.history_of(nights.settings, nobody)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--metric", "on_time", "--publication", "999"], "no publication 999"),
        (["--metric", "received_total", "--publication", "1"], "form 06a is kept of the current publication"),
        (["--metric", "index_766", "--submitted", "0"], "index 766 is kept of the current publication only"),
        (["--metric", "on_time", "--submitted", "7"], "no version 7 of 2026-Q1 was handed in"),
        (["--metric", "recieved_total"], "did you mean received_total"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_asked_is_told(
    nights: Warehouse, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    for name, value in nights.environment().items():
        monkeypatch.setenv(name, value)
    error = CliRunner().invoke(cli.app, ["explain", "--unit", UNIT, "--period", LABEL, *words]).exception
    assert isinstance(error, Misconfigured)
    assert told in str(error)


@pytest.mark.parametrize("words", [["received_total"], ["on_time", "--submitted", "0"], ["index_766"], ["in_both"]])
def test_the_command_prints_every_kind(nights: Warehouse, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    for name, value in nights.environment().items():
        monkeypatch.setenv(name, value)
    asked = ["explain", "--unit", UNIT, "--period", LABEL, "--metric", *words]
    for more in ([], ["--json"]):
        told = CliRunner().invoke(cli.app, [*asked, *more])
        assert told.exit_code == 0, told.exception
        assert "None" not in told.output
        assert "H42" not in told.output
