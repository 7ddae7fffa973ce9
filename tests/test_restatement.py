"""A correction changes a closed period only through a new publication, and the ledger says what it changed and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from drawing import PROCEDURE_COLUMNS
from exports import STATUS_WORDS, Row, counts, csv_list, dossier, form_06a, workbook, xlsx_list
from laid_over import VERSION_OF_ON_TIME
from tthc import pipeline
from tthc.domain.errors import ReferenceFault
from tthc.reference.kpis import read_metrics
from tthc.reference.sources import read_sources
from tthc.settings import REFERENCE
from tthc.warehouse import reference_tables
from warehouses import Warehouse, Warehouses

LATE = dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="13/01/2026")
IN_TIME = dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="12/01/2026")
OTHER = dossier("H42.1-260106-0002", status=STATUS_WORDS[9], finished_at="09/01/2026")

LEDGER = (
    "select publication_id, old_numerator, old_denominator, new_numerator, new_denominator, cause "
    "from mart.restatement where unit_code = '18373' and field_code = '*' and basis = 'as_reported' "
    "and metric_id = 'on_time' and profile = 'TT01_06A' and period_calendar = 'CALENDAR' and period_label = '2026-01'"
)


def refs(place: Warehouse, publication: int) -> set[tuple[str, str]]:
    """Cause and its reference of everything that a publication restated."""
    rows = place.query("select cause, cause_ref from mart.restatement where publication_id = :id", id=publication)
    return {(row["cause"], row["cause_ref"]) for row in rows if row["cause"] != "time"}


def report(place: Warehouse, night: date) -> list[str]:
    body = place.value("select body from alerts.outbox where kind = 'report' and night = :night", night=night)
    return str(body).splitlines()


def test_a_correction_after_the_period_is_closed_is_restated_by_the_file(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    assert warehouse.query(LEDGER) == []
    warehouse.load(date(2026, 2, 11), {"mot_cua_csv/a.csv": csv_list([IN_TIME, OTHER])})
    (row,) = warehouse.query(LEDGER)
    assert tuple(row.values()) == (2, 1, 2, 2, 2, "file")
    sha = warehouse.value("select left(max(file_sha256), 8) from core.delivery where night = '2026-02-11'")
    assert refs(warehouse, 2) == {("file", f"mot_cua_csv/a.csv ({sha})")}
    (told,) = [line for line in report(warehouse, date(2026, 2, 11)) if line.startswith("Số liệu đã công bố thay đổi")]
    assert "published figures changed" in told
    assert "Tỷ lệ giải quyết trước và đúng hạn, Tỉnh Hà Tĩnh, 2026-Q1 (" not in told, "the quarter is open"
    assert "2026-01 (CALENDAR): 1/2 → 2/2, do tệp / file: mot_cua_csv/a.csv" in told
    assert "H42.1" not in told


def test_what_the_passing_of_time_moves_in_an_open_period_is_not_laid_to_a_file(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 1, 12), {"mot_cua_csv/a.csv": csv_list([OTHER])})
    warehouse.load(date(2026, 1, 14), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    (row,) = warehouse.query(LEDGER)
    assert tuple(row.values()) == (2, 1, 1, 1, 2, "time")


def test_a_night_that_changes_nothing_restates_nothing(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    warehouse.load(date(2026, 2, 11), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    assert warehouse.value("select count(*) from mart.publication") == 2
    assert warehouse.value("select count(*) from mart.restatement where cause = 'file'") == 0
    assert not [line for line in report(warehouse, date(2026, 2, 11)) if "published figures changed" in line]


def test_the_ledger_tells_the_history_of_a_figure(warehouse: Warehouse) -> None:
    """Each publication's figure is the one before, changed as the ledger says."""
    for night, row in enumerate((LATE, IN_TIME, LATE), start=10):
        warehouse.load(date(2026, 2, night), {"mot_cua_csv/a.csv": csv_list([row, OTHER])})
    history = warehouse.query(
        "select publication_id, numerator from mart.kpi_history where unit_code = '18373' and field_code = '*' "
        "and basis = 'as_reported' and metric_id = 'on_time' and profile = 'TT01_06A' "
        "and period_calendar = 'CALENDAR' and period_label = '2026-01' order by publication_id"
    )
    assert [row["numerator"] for row in history] == [1, 2, 1]
    told = sorted(warehouse.query(LEDGER), key=lambda row: row["publication_id"])
    assert [(row["old_numerator"], row["new_numerator"]) for row in told] == [(1, 2), (2, 1)]


def test_a_component_of_the_index_that_dossiers_cannot_tell_is_missing_not_zero_or_full(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([LATE, OTHER])})
    rows = warehouse.query(
        "select component_id, numerator, denominator, points, max_points, missing from mart.index_766 "
        "where unit_code = '18373' and period_calendar = 'CALENDAR' and period_label = '2026-01'"
    )
    assert sum(row["max_points"] for row in rows) == 100
    by_id = {row["component_id"]: row for row in rows}
    assert (by_id["2.1"]["numerator"], by_id["2.1"]["denominator"], by_id["2.1"]["points"]) == (1, 2, 10)
    assert by_id["5.2"]["missing"]
    assert by_id["5.2"]["points"] is None


# What changes figures without a file.

LESS = "resolved_early + resolved_on_time - withdrawn"
WITHDRAWN = dossier("H42.1-260107-0003", status=STATUS_WORDS[7], finished_at="09/01/2026")
IN_MARCH = {"received_at": "02/03/2026", "due_at": "09/03/2026", "finished_at": "06/03/2026"}
ROWS = [
    LATE, OTHER, WITHDRAWN, dossier("H42.1-260302-0004", status=STATUS_WORDS[9], **IN_MARCH),
    dossier("H42.1-260302-0005", status=STATUS_WORDS[7], **IN_MARCH),
]  # fmt: skip
ON_TIME = (
    "select period_label, definition_version, numerator, denominator from mart.{view} where unit_code = '18373' "
    "and field_code = '*' and basis = 'as_reported' and metric_id = 'on_time' and profile = 'TT01_06A' "
    "and period_calendar = 'CALENDAR' and period_kind = 'month'"
)


@pytest.fixture
def ruled(warehouses: Warehouses, tmp_path: Path) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse of one published night whose reference files can be changed."""
    procedure = "1.000656,Thủ tục giả định,,Hộ tịch,mot_phan,false,{},5,test"
    (tmp_path / "procedures.csv").write_text(f"{PROCEDURE_COLUMNS}\n{procedure.format('true')}\n", encoding="utf-8")
    with warehouses.fresh(tmp_path) as made:
        made.load(date(2026, 4, 10), {"mot_cua_csv/a.csv": csv_list(ROWS)})
        yield made, tmp_path


def define(place: Warehouse, overlay: Path, **words: str) -> int | None:
    """Lay a version of the on-time rate over the shipped ones, and publish."""
    given = {"version": "2026.2", "numerator": LESS, "start": "2026-02-01"} | words
    (overlay / "kpis.toml").write_text(VERSION_OF_ON_TIME.format(**given), encoding="utf-8")
    pipeline.init(place.settings)
    return place.publish()


def shown(place: Warehouse, view: str = "kpi", where: str = "") -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in place.query(ON_TIME.format(view=view) + where)}


def test_a_new_version_with_a_date_leaves_old_periods_and_old_publications_unchanged(
    ruled: tuple[Warehouse, Path],
) -> None:
    place, overlay = ruled
    before = {("2026-01", "2026.1", 2, 3), ("2026-03", "2026.1", 2, 2)}
    assert shown(place) == before
    assert define(place, overlay) == 2
    assert shown(place) == {("2026-01", "2026.1", 2, 3), ("2026-03", "2026.2", 1, 1)}
    assert shown(place, "kpi_history", " and publication_id = 1") == before
    assert shown(place, "kpi_by_definition") == {
        ("2026-01", "2026.1", 2, 3), ("2026-01", "2026.2", 1, 2),
        ("2026-03", "2026.1", 2, 2), ("2026-03", "2026.2", 1, 1),
    }  # fmt: skip
    months = "select distinct period_label from mart.restatement where publication_id = 2 and period_kind = 'month'"
    assert place.query(months) == [{"period_label": "2026-03"}]
    assert refs(place, 2) == {("definition", "on_time TT01_06A 2026.1 → 2026.2")}
    assert place.publish() is None
    with place.kept():
        pipeline.publish(place.settings, full=True)
    assert shown(place) == {("2026-01", "2026.1", 2, 3), ("2026-03", "2026.2", 1, 1)}
    (overlay / "kpis.toml").unlink()
    pipeline.init(place.settings)
    place.publish()
    assert shown(place) == before
    assert shown(place, "kpi_history", " and publication_id = 2") == {
        ("2026-01", "2026.1", 2, 3), ("2026-03", "2026.2", 1, 1)
    }  # fmt: skip


def test_what_was_kept_under_a_version_is_not_changed_under_it(ruled: tuple[Warehouse, Path]) -> None:
    place, overlay = ruled
    define(place, overlay)
    with pytest.raises(ReferenceFault, match=r"version '2026.2': numerator changed.* another version"):
        define(place, overlay, numerator="resolved_early")
    assert place.value("select count(*) from ref.definition where numerator = 'resolved_early'") == 0


def test_another_answer_of_the_procedure_registry_is_a_rule_and_only_where_it_is_asked(
    ruled: tuple[Warehouse, Path],
) -> None:
    place, overlay = ruled
    file = overlay / "procedures.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("false,true", "false,false"), encoding="utf-8")
    pipeline.init(place.settings)
    publication = place.publish()
    assert publication == 2
    assert refs(place, 2) == {("rule", "procedures.csv")}
    metrics = place.query("select distinct metric_id from mart.restatement where publication_id = 2")
    assert {row["metric_id"] for row in metrics} == {
        "digitised_result", "digitised_full", "digitised_result_received", "electronic_result"
    }  # fmt: skip


def test_what_a_person_lets_in_and_what_is_judged_again_is_a_rule(warehouse: Warehouse) -> None:
    warehouse.load(date(2026, 4, 10), {"mot_cua_csv/a.csv": csv_list([OTHER])})
    bad = [dossier(f"H42.1-260107-00{n}", status="Đang làm dở") for n in range(10, 60)]
    warehouse.load(date(2026, 4, 11), {"mot_cua_csv/b.csv": csv_list([*bad, LATE])})
    (delivery,) = warehouse.query(
        "select delivery_id, verdict, reason, detail from core.delivery where file_name = 'b.csv'"
    )
    assert delivery["verdict"] == "held", delivery
    with warehouse.kept():
        pipeline.decide(warehouse.settings, delivery["delivery_id"], release=True, by="người trực", reason="đã xem")
    publication = warehouse.publish()
    assert publication is not None
    ((cause, ref),) = refs(warehouse, publication)
    assert (cause, ref.rpartition(" ")[0]) == ("rule", "release mot_cua_csv/b.csv")


# Each cause by itself, and several in one night.


def causes(place: Warehouse, unit: str, metric: str = "on_time", basis: str = "as_reported") -> set[tuple[str, str]]:
    """What the newest publication restated of January 2026 of a unit, and why."""
    rows = place.query(
        "select cause, cause_ref from mart.restatement where publication_id = (select max(publication_id) "
        "from mart.publication) and unit_code = :unit and metric_id = :metric and profile in ('TT01_06A', '*') "
        "and field_code = '*' and basis = :basis and period_label in ('2026-01', '2025-Q4') and period_kind <> 'week'",
        unit=unit, metric=metric, basis=basis,
    )  # fmt: skip
    return {(row["cause"], row["cause_ref"].split(" (")[0]) for row in rows}


def test_a_late_file_that_later_ones_confirm_is_the_cause_and_not_a_replay(warehouse: Warehouse) -> None:
    """The late file says otherwise; what came after it stands, and is said again as a change of it."""
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([OTHER])})
    warehouse.load(date(2026, 2, 12), {"mot_cua_csv/c.csv": csv_list([LATE, OTHER])})
    third = dossier("H42.1-260107-0003", status=STATUS_WORDS[9], finished_at="09/01/2026")
    warehouse.load(date(2026, 2, 11), {"mot_cua_csv/b.csv": csv_list([IN_TIME, third])})
    assert causes(warehouse, "18373") == {("file", "mot_cua_csv/b.csv")}


def test_bytes_that_come_again_after_others_are_the_file_of_their_night(warehouse: Warehouse) -> None:
    """A, B, A: of dossiers, and of what a unit states by hand."""

    def files(late: Row, number: int) -> dict[str, bytes]:
        stated = [
            ["Đơn vị: UBND xã Tiên Điền"], ["Mã đơn vị: 18373"],
            ["Kỳ báo cáo: Quý IV/2025 (từ ngày 15/9/2025 đến ngày 14/12/2025)"],
            ["Mã chỉ tiêu", "Tử số", "Mẫu số"], ["apologies", number, 10],
        ]  # fmt: skip
        return {"mot_cua_csv/a.csv": csv_list([late, OTHER]), "nhap_tay/n.xlsx": workbook(stated)}

    for night, told in enumerate((files(LATE, 3), files(IN_TIME, 4), files(LATE, 3)), start=10):
        warehouse.load(date(2026, 2, night), told)
    assert {cause for cause, _ in causes(warehouse, "18373")} == {"file"}
    assert {cause for cause, _ in causes(warehouse, "18373", "apologies")} == {"file"}
    (line,) = [line for line in report(warehouse, date(2026, 2, 12)) if "published figures changed" in line]
    assert "do tệp / file" in line


def test_a_file_of_an_old_unit_is_the_cause_at_its_unit_of_today(warehouse: Warehouse) -> None:
    old = dossier(
        "H42.1-250620-0001", unit_name="xã Xuân Yên", received_at="20/06/2025", due_at="25/06/2025",
        finished_at="24/06/2025", status=STATUS_WORDS[9],
    )  # fmt: skip
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/a.csv": csv_list([old])})
    warehouse.load(date(2026, 2, 10), {"mot_cua_csv/b.csv": csv_list([old | {"finished_at": "27/06/2025"}])})
    rows = warehouse.query(
        "select distinct cause, split_part(cause_ref, ' (', 1) from mart.restatement "
        "where unit_code = '18373' and basis = 'current_boundary' and metric_id = 'on_time'"
    )
    assert [tuple(row.values()) for row in rows] == [("file", "mot_cua_csv/b.csv")]


def test_a_form_that_comes_as_a_then_b_then_a_is_restated_twice_and_within_one_night_once(warehouse: Warehouse) -> None:
    """Of the same bytes twice in one night the second is no delivery (design §4.3): B, which came after them, stands."""
    form_a = form_06a([("Hộ tịch", counts(direct=3, in_time=3))])
    form_b = form_06a([("Hộ tịch", counts(direct=5, in_time=5))])
    ledger = (
        "select old_numerator, new_numerator, cause from mart.restatement where metric_id = 'received' "
        "and (unit_code, field_code, basis, period_label) = ('18373', '*', 'as_reported', '2026-Q1') "
        "order by publication_id"
    )
    elsewhere = dossier("H42.1-260105-0009", unit_name="xã Cổ Đạm")
    warehouse.load(date(2026, 3, 20), {"mot_cua_csv/a.csv": csv_list([elsewhere])})
    for day, name, form in ((20, "a", form_a), (20, "b", form_b), (20, "a", form_a)):
        warehouse.load(date(2026, 3, day), {f"tong_hop_06a_xlsx/{name}.xlsx": form})
    assert [tuple(row.values()) for row in warehouse.query(ledger)] == [(0, 3, "file"), (3, 5, "file")]
    warehouse.load(date(2026, 3, 21), {"tong_hop_06a_xlsx/a.xlsx": form_a})
    assert [tuple(row.values()) for row in warehouse.query(ledger)][2:] == [(5, 3, "file")]


def test_another_order_of_trust_chooses_every_dossier_anew_and_is_a_rule(
    warehouses: Warehouses, tmp_path: Path
) -> None:
    with warehouses.fresh(tmp_path) as place:
        place.load(
            date(2026, 2, 10),
            {"mot_cua_csv/a.csv": csv_list([LATE, OTHER]), "mot_cua_xlsx/a.xlsx": xlsx_list([IN_TIME])},
        )
        january = {"unit": "18373", "period": "2026-01", "calendar": "CALENDAR", "profile": "TT01_06A"}
        assert place.figure("on_time", **january) == (2, 2)
        turned = dict(reversed(read_sources(place.settings).items()))
        turned = {name: replace(source, priority=rank) for rank, (name, source) in enumerate(turned.items())}
        (tmp_path / "agencies.csv").write_text("alias,unit_code,valid_from,valid_to,source\n", encoding="utf-8")
        with mock.patch.object(reference_tables, "read_sources", lambda _: turned):
            pipeline.init(place.settings)
        assert place.publish() == 2
        assert place.figure("on_time", **january) == (1, 2)
        assert refs(place, 2) == {("rule", "sources.toml")}


def test_two_causes_in_one_night_are_both_told_where_both_can_explain(ruled: tuple[Warehouse, Path]) -> None:
    place, overlay = ruled
    (overlay / "kpis.toml").write_text(
        VERSION_OF_ON_TIME.format(version="2026.2", numerator=LESS, start="2026-01-01"), encoding="utf-8"
    )
    pipeline.init(place.settings)
    elsewhere = dossier("H42.1-260107-0009", status=STATUS_WORDS[9], finished_at="09/01/2026", unit_name="xã Cổ Đạm")
    place.load(date(2026, 4, 11), {"mot_cua_csv/a.csv": csv_list([elsewhere])})
    told = place.query(
        "select unit_code, cause, cause_ref from mart.restatement where publication_id = 2 and metric_id = 'on_time' "
        "and profile = 'TT01_06A' and field_code = '*' and basis = 'as_reported' and period_label = '2026-01' "
        "and period_calendar = 'CALENDAR'"
    )
    by_unit = {row["unit_code"]: (row["cause"], row["cause_ref"]) for row in told}
    version = "on_time TT01_06A 2026.1 → 2026.2"
    assert by_unit["18373"] == ("definition", version), "no file told anything of this unit"
    assert by_unit["18394"][0] == "definition"
    assert by_unit["18394"][1].startswith(f"{version}; file: mot_cua_csv/a.csv (")
    assert "42" not in by_unit, "2/3 before and after"
    (line,) = [line for line in report(place, date(2026, 4, 11)) if "published figures changed" in line]
    assert "do định nghĩa / definition: on_time" in line and "Tiên Điền" in line and "Cổ Đạm" in line


def test_a_merger_is_told_with_its_unit_on_the_boundary_of_today(ruled: tuple[Warehouse, Path]) -> None:
    place, overlay = ruled
    head = (REFERENCE / "units.csv").read_text(encoding="utf-8").splitlines()[0]
    unit = "18373,commune,xã,Tiên Điền,42,42,,2025-07-01,2026-02-28,test"
    (overlay / "units.csv").write_text(f"{head}\n{unit}\n", encoding="utf-8")
    steps = (REFERENCE / "unit_successions.csv").read_text(encoding="utf-8").splitlines()[0]
    (overlay / "unit_successions.csv").write_text(f"{steps}\n18373,18352,2026-03-01,false,,test\n", encoding="utf-8")
    pipeline.init(place.settings)
    place.load(date(2026, 4, 11), {"mot_cua_csv/a.csv": csv_list(ROWS)})
    ref = ("geography", "units.csv, unit_successions.csv")
    assert causes(place, "18352", basis="current_boundary") == {ref}
    assert causes(place, "18373", basis="current_boundary") == {ref}
    assert causes(place, "18373") == causes(place, "42", basis="current_boundary") == set()
    (line,) = [line for line in report(place, date(2026, 4, 11)) if "published figures changed" in line]
    assert "theo địa giới hiện nay" in line and "do địa giới / geography" in line and "Nghi Xuân" in line


# What a registry may not say.


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "flow"', 'kind = "flux"', "kind = 'flux' must be one of flow, stock"),
        ('no_due = "in_time"\n', "", "no_due"),
        ('version = "2026.2"', "version = 2026", "version must be text"),
        ("resolved_late - withdrawn", "resolved_late - withdrew", "withdrew is no counter"),
        ("resolved_late - withdrawn", "resolved_late; drop table", "is not counters joined"),
        ("valid_from = 2026-02-01", 'valid_from = "2026-02-01"', "must be a date without quotes"),
        ("valid_from = 2026-02-01", "valid_from = 2026-02-01\nvalid_to = 2026-01-01", "lies before"),
        ('version = "2026.2"', 'version = "2026.1"', "bear the same version"),
        ('display = "percent_2_half_up"', 'display = "count"', "where there is no denominator"),
        ('event = "end"', 'event = "cut_off"', "a stock is taken at the cut_off"),
        ('id = "on_time"', 'id = "on time"', "id must be like on_time"),
        ("[[metric]]", '[[metric]]\nformula = "1"', "formula"),
    ],
)
def test_a_wrong_entry_is_named_with_its_file(
    warehouses: Warehouses, tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = VERSION_OF_ON_TIME.format(version="2026.2", numerator=LESS, start="2026-02-01")
    assert old in text
    (tmp_path / "kpis.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReferenceFault) as error:
        read_metrics(warehouses._settings("template_tthc", tmp_path))
    assert told in str(error.value)
    assert "kpis.toml" in str(error.value)


@pytest.mark.parametrize(("ends", "fault"), [("2026-01-20", "leaves a gap"), ("2026-03-01", "overlaps")])
def test_between_versions_is_neither_gap_nor_overlap(
    warehouses: Warehouses, tmp_path: Path, ends: str, fault: str
) -> None:
    first = VERSION_OF_ON_TIME.format(version="a", numerator=LESS, start=f"0001-01-01\nvalid_to = {ends}")
    second = VERSION_OF_ON_TIME.format(version="b", numerator=LESS, start="2026-02-01")
    (tmp_path / "kpis.toml").write_text(first + second, encoding="utf-8")
    with pytest.raises(ReferenceFault, match=fault):
        read_metrics(warehouses._settings("template_tthc", tmp_path))
