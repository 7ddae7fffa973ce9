"""From random cells of a simulated province to the rows of the files, and back: the row holds that very dossier."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import random
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import python_calamine

from exports import counts, form_06a
from tthc import enquiries
from tthc.domain.errors import Misconfigured
from tthc.domain.text import fold
from tthc.rollups.published import KEY
from tthc.simulation.simulate import simulate
from warehouses import Warehouse

NIGHT = date(2026, 4, 10)
FILES_OF_A_SOURCE = 6
FORM = (
    "received_total", "received_online", "received_direct", "carried_over", "resolved_total", "resolved_early",
    "resolved_on_time", "resolved_late", "in_progress_total", "in_progress_in_time", "in_progress_overdue",
)  # fmt: skip
SIDES = ("dossiers", "only_province", "only_nation", "in_both", "differing")
SILENT = "Sở Nội vụ"  # a department that sends a form and no dossiers


@pytest.fixture(scope="module")
def loaded(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Path]:
    """A few files of every source of a simulated province."""
    out = tmp_path_factory.mktemp("province")
    (night,) = simulate(province="42", dossiers=1200, seed=11, start=NIGHT, nights=1, out=out)
    form = form_06a([("Hộ tịch", counts(online=2, direct=3, early=1, late=1, over=4))], unit=SILENT)
    (night / "tong_hop_06a_xlsx").mkdir(exist_ok=True)
    (night / "tong_hop_06a_xlsx" / "silent.xlsx").write_bytes(form)
    files = [path for source in night.glob("*/") for path in sorted(source.iterdir())[:FILES_OF_A_SOURCE]]
    files.append(night / "tong_hop_06a_xlsx" / "silent.xlsx")
    module_warehouse.load(NIGHT, {str(path.relative_to(night)): path.read_bytes() for path in files})
    return module_warehouse, night


def key_of(code: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), f"42|{''.join(code.split()).upper()}".encode(), "sha256").digest()
    return str(UUID(bytes=digest[:16]))


def code_at(path: Path, sheet: str, row_no: int) -> str:
    """The dossier code that stands in a row of a file, read without our readers."""
    if path.suffix == ".json":
        return str(json.loads(path.read_text("utf-8"))[row_no - 1]["MaHoSo"])
    if path.suffix == ".csv":
        rows: list[list[Any]] = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    else:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    names = ([fold(str(cell)) for cell in row] for row in rows)
    wanted = {"mã hồ sơ", "số hồ sơ", "số biên nhận", "mã biên nhận"}
    position = next(row.index(name) for row in names for name in row if name in wanted)
    return str(rows[row_no - 1][position])


def cells_of_every_sort(warehouse: Warehouse) -> list[dict[str, Any]]:
    """A random cell of each metric and profile, of each calendar, kind of period and basis, and of what forms say."""
    names = ", ".join(KEY)
    cells = warehouse.query(
        f"select {names}, period_kind, numerator, denominator, flags from mart.kpi order by {names}"
    )
    random.Random(5).shuffle(cells)
    sorts = (
        lambda cell: (cell["metric_id"], cell["profile"]),
        lambda cell: (cell["period_calendar"], cell["period_kind"], cell["basis"], cell["field_code"] == "*"),
        lambda cell: (cell["unit_code"] == "42", cell["basis"], *cell["flags"]),
    )
    return [cell for sort in sorts for cell in {sort(cell): cell for cell in cells}.values()]


def test_random_figures_lead_to_the_rows_that_make_them_up_and_back(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, folder = loaded
    secret = warehouse.settings.hmac_key
    assert secret is not None
    cells = cells_of_every_sort(warehouse)
    assert len(cells) >= 60
    assert any("from_summary" in cell["flags"] for cell in cells)
    told: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
    for cell in cells:
        key = {name: cell[name] for name in KEY}
        found = enquiries.explain(warehouse.settings, key)
        assert found.agrees, cell
        assert sum(row["numerator"] for row in [*found.dossiers, *found.forms]) == cell["numerator"], cell
        if cell["denominator"] is not None:
            assert sum(row["denominator"] for row in [*found.dossiers, *found.forms]) == cell["denominator"], cell
        assert bool(found.forms) <= bool({"from_summary", "manual_input"} & set(cell["flags"])), cell
        for row in random.Random(5).sample(found.dossiers, min(2, len(found.dossiers))):
            path = folder / row["source_id"] / row["file_name"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row["file_sha256"]
            assert key_of(code_at(path, row["sheet"], row["row_no"]), secret) == str(row["dossier_key"])
        for row in [*found.dossiers[:1], *found.forms[:1]]:
            at = (row["file_sha256"], row["row_no"], row["sheet"])
            if at not in told:
                told[at] = enquiries.figures_of(warehouse.settings, *at)
            back = told[at]
            assert {said["outcome"] for said in back} == {"counted"}
            (same,) = [said for said in back if all(said[name] == value for name, value in key.items())]
            for name in ("in_numerator", "in_denominator", "dossier_key", "definition_version", "publication_id"):
                assert same[name] == row[name], (cell, name)


def test_random_cells_of_forms_and_of_the_two_sides_lead_to_rows_and_back(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, _ = loaded
    dice = random.Random(9)
    for view, names in (("form_06a", FORM), ("source_difference", SIDES)):
        cells = [
            (cell, name)
            for cell in warehouse.query(f"select * from mart.{view} order by 1, 3, unit_code, field_code, 9")
            for name in names
            if cell[name]
        ]
        for cell, name in dice.sample(cells, 4):
            key = {
                **{one: cell[one] for one in ("period_calendar", "period_label", "unit_code", "field_code")},
                "basis": cell.get("basis", "as_reported"),
                "metric_id": name,
                "profile": "TT01_06A" if view == "form_06a" else "*",
            }
            found = enquiries.explain(warehouse.settings, key)
            rows = [*found.dossiers, *found.forms]
            assert sum(row["numerator"] for row in rows) == cell[name] == found.figure["numerator"], (key, name)
            row = dice.choice(rows)
            back = enquiries.figures_of(warehouse.settings, row["file_sha256"], row["row_no"], row["sheet"])
            assert [said for said in back if all(said[one] == value for one, value in key.items())], (key, row)


def test_every_figure_a_row_is_in_explains_itself_by_that_row(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, _ = loaded
    rows = warehouse.query(
        "select file_sha256, sheet, row_no, dossier_key from core.dossier "
        "join core.dossier_version using (dossier_key, version_id) join core.delivery using (delivery_id) "
        "order by dossier_key"
    )
    for row in random.Random(6).sample(rows, 3):
        figures = enquiries.figures_of(warehouse.settings, row["file_sha256"], row["row_no"], row["sheet"])
        for figure in random.Random(7).sample(figures, min(3, len(figures))):
            if figure["metric_id"] is None:
                continue
            found = enquiries.explain(warehouse.settings, {name: figure[name] for name in KEY})
            assert row["dossier_key"] in {dossier["dossier_key"] for dossier in found.dossiers}


def test_what_does_not_exist_is_said_in_a_sentence(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, _ = loaded
    key = dict(zip(KEY, ("CALENDAR", "2026-03", "99999", "as_reported", "*", "received", "TT01_06A"), strict=True))
    with pytest.raises(Misconfigured, match="no figure has the key"):
        enquiries.explain(warehouse.settings, key)
    with pytest.raises(Misconfigured, match="there are"):
        enquiries.explain(warehouse.settings, key | {"metric_id": "happiness"})


def test_a_row_that_is_not_known_is_told_by_what_its_file_came_to(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, _ = loaded
    with pytest.raises(Misconfigured, match=r"no row 99999 .*: of \d+ rows \d+ were accepted, \d+ refused"):
        enquiries.figures_of(warehouse.settings, "silent.xlsx", 99999)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ({"metric_id": "recieved", "profile": "*"}, "received"),
        ({"unit_code": "42-SNVV"}, "42-SNV"),
        ({"period_label": "2026-3"}, "2026-03"),
        ({"period_label": "2026-q1"}, "2026-Q1"),
        ({"field_code": "ho tich"}, "Hộ tịch"),
    ],
)
def test_a_mistyped_word_is_told_with_what_is_nearest_to_it(
    loaded: tuple[Warehouse, Path], typed: dict[str, str], near: str
) -> None:
    warehouse, _ = loaded
    key = dict(zip(KEY, ("CALENDAR", "2026-03", "42", "as_reported", "*", "received", "TT01_06A"), strict=True))
    wrong = next(iter(typed.values()))
    with pytest.raises(Misconfigured, match=rf"(?s){re.escape(repr(wrong))}.*did you mean .*{re.escape(near)}"):
        enquiries.explain(warehouse.settings, key | typed)


@pytest.mark.parametrize("metric", ["received", "in_progress"])
def test_pages_of_an_explanation_are_the_whole_of_it_and_each_tells_the_whole(
    loaded: tuple[Warehouse, Path], metric: str
) -> None:
    warehouse, _ = loaded
    key = dict(zip(KEY, ("VPCP_15_14", "2026", "42", "as_reported", "*", metric, "TT01_06A"), strict=True))
    whole = enquiries.explain(warehouse.settings, key)
    total = len(whole.dossiers) + len(whole.forms)
    size = total // 3 + 1
    assert size > 1
    pages = [enquiries.explain(warehouse.settings, key, size, n * size) for n in range(4)]
    assert {page.agrees for page in pages} == {True}
    lengths = [len(page.dossiers) + len(page.forms) for page in pages]
    assert lengths == [min(size, max(total - n * size, 0)) for n in range(4)]
    assert {page.total_rows for page in pages} == {total}
    for rows in ("dossiers", "forms"):
        parts = [tuple(str(row) for row in getattr(page, rows)) for page in pages]
        assert Counter(row for part in parts for row in part) == Counter(str(row) for row in getattr(whole, rows))
