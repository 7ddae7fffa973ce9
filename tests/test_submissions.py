"""What was handed in stays as it was; what is published goes on being restated, and the difference is told once."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from typer.testing import CliRunner

from exports import STATUS_WORDS, csv_list, dossier
from tthc import cli, handing_in
from tthc.domain.errors import Misconfigured, WarehouseRefused
from tthc.serving import exports
from warehouses import Warehouse

LATE = dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="13/01/2026")
IN_TIME = dossier("H42.1-260105-0001", status=STATUS_WORDS[9], finished_at="12/01/2026")
OTHER = dossier("H42.1-260106-0002", status=STATUS_WORDS[9], finished_at="09/01/2026", unit_name="UBND xã Cổ Đạm")
JANUARY = {"calendar": "CALENDAR", "label": "2026-01", "by": "NGƯỜI GIẢ", "reason": "báo cáo tháng"}
ON_TIME = (
    "select numerator, denominator from mart.{view} where unit_code = '{unit}' and field_code = '*' and "
    "basis = 'as_reported' and metric_id = 'on_time' and profile = 'TT01_06A' and period_calendar = 'CALENDAR' "
    "and period_label = '2026-01'"
)


def handed_in(warehouse: Warehouse, unit: str = "42", **asked: Any) -> tuple[int, bool]:
    waiver = "các đơn vị khác chưa kết nối" if unit == "42" else None
    with warehouse.kept():
        return handing_in.submit(warehouse.settings, unit=unit, **{"waiver": waiver, **JANUARY, **asked})


def load(warehouse: Warehouse, day: int, *rows: dict[str, str], month: int = 2) -> None:
    warehouse.load(date(2026, month, day), {"mot_cua_csv/a.csv": csv_list(rows)})


def figures(warehouse: Warehouse, view: str, unit: str = "42", more: str = "") -> list[tuple[int, int]]:
    return [tuple(row.values()) for row in warehouse.query(ON_TIME.format(view=view, unit=unit) + more)]


def told(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    rows = warehouse.query(
        "select incident.unit_code, outbox.kind, incident.state from alerts.outbox "
        "join alerts.incident using (incident_id) where rule_id = 'SUBMITTED_CHANGED' order by event_id"
    )
    return [tuple(row.values()) for row in rows]


def command(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(cli.app, list(words))


def test_a_correction_restates_what_is_published_and_not_what_was_handed_in(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, 10, LATE, OTHER)
    as_published = warehouse.query(
        "select * from mart.kpi where period_calendar = 'CALENDAR' and period_label = '2026-01'"
    )
    assert handed_in(warehouse) == (1, True)
    assert handed_in(warehouse) == (1, False)  # the same publication twice
    load(warehouse, 11, LATE, OTHER)
    assert handed_in(warehouse) == (1, False)  # another publication that changes none of its figures
    assert warehouse.query("select * from mart.submission_difference") == []
    assert told(warehouse) == []

    load(warehouse, 12, IN_TIME, OTHER)
    load(warehouse, 13, IN_TIME, OTHER)
    assert figures(warehouse, "kpi") == [(2, 2)]
    assert figures(warehouse, "submitted_kpi") == [(1, 2)]
    kept = warehouse.query("select * from mart.submitted_kpi")
    assert sorted(
        ({k: v for k, v in row.items() if k not in {"submission_id", "version"}} for row in kept), key=str
    ) == (sorted(as_published, key=str))
    differing = warehouse.query(
        "select unit_code, submitted_numerator, submitted_denominator, current_numerator, current_denominator "
        "from mart.submission_difference where metric_id = 'on_time' and profile = 'TT01_06A' and field_code = '*' "
        "and basis = 'as_reported' order by unit_code"
    )
    assert [tuple(row.values()) for row in differing] == [("18373", 0, 1, 1, 1), ("42", 1, 2, 2, 2)]
    assert told(warehouse) == [("42", "opened", "open")]  # once, not every night

    assert handed_in(warehouse, reason="đính chính") == (2, True)
    assert warehouse.query("select * from mart.submission_difference") == []
    assert told(warehouse) == [("42", "opened", "resolved"), ("42", "resolved", "resolved")]
    assert figures(warehouse, "submitted_kpi", more=" order by version") == [(1, 2), (2, 2)]
    assert [row["version"] for row in warehouse.query("select version from mart.submission where is_newest")] == [2]

    for version, resolved_late in ((1, 1), (2, 0), (0, 0)):
        for kind, sheet in (("form-06a", "06a"), ("scorecard", "Phiếu điểm")):
            out = tmp_path / f"{kind}-{version}.xlsx"
            done = command(
                warehouse, monkeypatch, "export", kind, "--unit", "42", "--period", "2026-01", "--calendar", "CALENDAR",
                "--submitted", str(version), "--out", str(out),
            )  # fmt: skip
            assert done.exit_code == 0, done.output
            cells = [[cell.value for cell in row] for row in openpyxl.load_workbook(out)[sheet].iter_rows()]
            text = "\n".join(str(value) for row in cells for value in row if value is not None)
            assert f"bản chốt số {version or 2}, " in text
            if kind == "form-06a":
                total = next(row for row in cells if row[1] == "Tổng số" and row[2] is not None)
                assert total[9] == resolved_late
    listed = json.loads(command(warehouse, monkeypatch, "submissions", "list", "--json").stdout)
    assert [(row["version"], row["changed_since"], row["submitted_by"]) for row in listed] == [
        (2, 0, "NGƯỜI GIẢ"),
        (1, None, "NGƯỜI GIẢ"),
    ]


def test_neither_another_definition_nor_another_name_changes_what_was_handed_in(warehouse: Warehouse) -> None:
    load(warehouse, 10, LATE, OTHER)
    handed_in(warehouse, "18373")
    before = warehouse.query("select * from mart.submitted_kpi order by metric_id, profile, field_code, basis")
    assert {row["unit_code"] for row in before} == {"18373"}
    with pytest.raises(WarehouseRefused, match="does not change"):
        warehouse.query("update core.submitted_row set content = '{}' returning submission_id")
    with pytest.raises(WarehouseRefused, match="does not change"):
        warehouse.query("delete from core.submission returning submission_id")
    warehouse.query("update ref.unit set full_name = 'Xã Đổi Tên' where unit_code = '18373' returning unit_code")
    warehouse.query("update rollup.counter set resolved_late = 7 where unit_code = '18373' returning unit_code")
    after = warehouse.query("select * from mart.submitted_kpi order by metric_id, profile, field_code, basis")
    assert after == before
    published = warehouse.query("select * from mart.kpi where unit_code = '18373' and metric_id = 'resolved'")
    assert {row["unit_name"] for row in published} == {"Xã Đổi Tên"}


def test_an_open_period_is_handed_in_as_interim_and_time_is_no_correction(warehouse: Warehouse) -> None:
    load(warehouse, 20, LATE, OTHER, month=1)
    with pytest.raises(Misconfigured, match=r"chưa kết thúc.*--interim"):
        handed_in(warehouse)
    assert handed_in(warehouse, interim=True) == (1, True)
    load(warehouse, 2, IN_TIME, OTHER)
    (row,) = warehouse.query("select is_interim, as_of, units_reported, waiver from mart.submission")
    assert (row["is_interim"], row["as_of"], row["units_reported"]) == (True, date(2026, 1, 20), 2)
    assert warehouse.value("select count(*) from mart.submission_difference where is_interim") > 0
    assert told(warehouse) == []
    with pytest.raises(Misconfigured, match="đã kết thúc"):
        handed_in(warehouse, interim=True)
    assert handed_in(warehouse) == (2, True)
    states = warehouse.query("select version, is_interim, as_of from mart.submission order by version")
    assert [tuple(row.values()) for row in states] == [(1, True, date(2026, 1, 20)), (2, False, date(2026, 1, 31))]


def test_what_may_not_be_handed_in_is_refused_with_a_sentence(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(Misconfigured, match="no figure is published"):
        handed_in(warehouse)
    load(warehouse, 10, LATE, OTHER)
    for asked, sentence in (
        ({"waiver": None}, "đơn vị chưa có dữ liệu.*--waive"),
        ({"unit": "18373", "waiver": "đủ rồi"}, "leave --waive away"),
        ({"unit": "99999"}, "is not a unit of province 42"),
        ({"label": "2026-13"}, "no figure is published for period"),
        ({"label": "2025-06"}, "no figure is published for period"),
        ({"calendar": "LUNAR"}, "is not known"),
    ):
        with pytest.raises(Misconfigured, match=sentence):
            handed_in(warehouse, **asked)
    old_district_commune = warehouse.value(
        "select min(unit_code) from ref.unit where level = 'commune' group by unit_code "
        "having max(valid_to) < '2026-01-01' order by 1 limit 1"
    )
    with pytest.raises(Misconfigured, match="owed no report"):
        handed_in(warehouse, old_district_commune, waiver=None)
    warehouse.query("update rollup.counter set flags = '{withheld}' where unit_code = '18373' returning unit_code")
    with pytest.raises(Misconfigured, match="tạm giữ của 18373"):
        handed_in(warehouse)
    assert warehouse.value("select count(*) from core.submission") == 0
    assert handed_in(warehouse, "18394") == (1, True)  # what another unit withholds is none of its business
    with pytest.raises(Misconfigured, match="chưa chốt số liệu"):
        exports.export(
            warehouse.settings, exports.write_form, unit="42", calendar="CALENDAR", label="2026-01",
            out=tmp_path / "a.xlsx", submitted=0,
        )  # fmt: skip
    done = command(
        warehouse, monkeypatch, "submissions", "submit", "--period", "2026-01", "--by", "NGƯỜI GIẢ", "--reason", "thử"
    )
    assert isinstance(done.exception, Misconfigured)  # exit status 2


def test_a_submission_that_dies_half_way_leaves_nothing(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    load(warehouse, 10, LATE, OTHER)

    def die(*_: object) -> None:
        raise psycopg.OperationalError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(handing_in, "note_submissions", die)
        with pytest.raises(Exception, match="did not answer"):
            handed_in(warehouse)
    assert warehouse.value("select count(*) from core.submitted_row") == 0
    assert handed_in(warehouse) == (1, True)
