"""Lists of procedures (feed `procedure_catalogue`): the newest that names a procedure counts, in whatever order they come,
and what one of them changes is told as its file's doing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from drawing import PROCEDURE_COLUMNS
from exports import csv_list, dossier, workbook
from tthc import pipeline
from warehouses import Warehouse, Warehouses

CODE, OTHER = "9.000001", "9.000002"
NIGHTS = [date(2026, 4, day) for day in (10, 11, 12)]


def listed(fields: Mapping[str, str]) -> bytes:
    """A list of procedures: code → field."""
    cells = [[code, f"Thủ tục giả định {code}", field] for code, field in fields.items()]
    return workbook([["Mã số", "Tên", "Lĩnh vực"], *cells])


A = listed({CODE: "Hộ tịch", OTHER: "Đất đai"})
B = listed({CODE: "Chứng thực"})
DOSSIERS = {"mot_cua_csv/a.csv": csv_list([dossier("H42.1-260302-0001", procedure_code=CODE, field_name="")])}


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reference files of this module's warehouse, changed by its tests."""
    return tmp_path_factory.mktemp("reference")


@pytest.fixture(scope="module")
def filled(warehouses: Warehouses, overlay: Path) -> Iterator[Warehouse]:
    with warehouses.fresh(overlay) as made:
        yield made


@pytest.fixture
def place(filled: Warehouse) -> Warehouse:
    filled.empty()
    return filled


def load(place: Warehouse, night: date, name: str, content: bytes) -> None:
    place.load_only(night, {f"procedure_catalogue/{name}.xlsx": content})


def fields(place: Warehouse) -> dict[str, str]:
    rows = place.query("select procedure_code, field_name from ref.procedure where procedure_code like '9.%'")
    return {row["procedure_code"]: row["field_name"] for row in rows}


def test_a_late_list_of_an_earlier_night_changes_nothing_that_a_newer_one_says(place: Warehouse) -> None:
    load(place, NIGHTS[1], "b", B)
    assert fields(place) == {CODE: "Chứng thực"}
    load(place, NIGHTS[0], "a", A)
    assert fields(place) == {CODE: "Chứng thực", OTHER: "Đất đai"}


def test_within_a_night_the_later_name_counts_in_any_order(place: Warehouse) -> None:
    load(place, NIGHTS[0], "b", B)
    load(place, NIGHTS[0], "a", A)
    assert fields(place)[CODE] == "Chứng thực"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1)])
def test_bytes_that_come_again_after_others_count_again(place: Warehouse, order: tuple[int, ...]) -> None:
    for number in order:
        load(place, NIGHTS[number], "aba"[number], (A, B, A)[number])
    assert fields(place)[CODE] == "Hộ tịch"


def test_a_list_speaks_again_where_the_registry_falls_silent(place: Warehouse, overlay: Path) -> None:
    load(place, NIGHTS[0], "a", A)
    registry = overlay / "procedures.csv"
    registry.write_text(f"{PROCEDURE_COLUMNS}\n{CODE},Thủ tục,,Sổ bộ,mot_phan,false,true,5,test\n", encoding="utf-8")
    pipeline.init(place.settings)
    assert fields(place) == {CODE: "Sổ bộ", OTHER: "Đất đai"}
    load(place, NIGHTS[1], "b", B)
    assert fields(place)[CODE] == "Sổ bộ"
    registry.unlink()
    pipeline.init(place.settings)
    assert fields(place) == {CODE: "Chứng thực", OTHER: "Đất đai"}


def test_what_a_list_changes_is_restated_by_its_file(place: Warehouse) -> None:
    place.load_only(NIGHTS[0], {**DOSSIERS, "procedure_catalogue/a.xlsx": A})
    place.publish()
    assert "Hộ tịch" in {row["field_code"] for row in place.query("select distinct field_code from mart.kpi")}
    load(place, NIGHTS[0], "b", B)
    publication = place.publish()
    ledger = place.query(
        "select distinct field_code, cause, split_part(cause_ref, ' (', 1) as what from mart.restatement "
        "where publication_id = :id order by field_code",
        id=publication,
    )
    assert [tuple(row.values()) for row in ledger] == [
        (field, "file", "procedure_catalogue/b.xlsx") for field in ("Chứng thực", "Hộ tịch")
    ]
