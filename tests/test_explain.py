"""From random cells of a simulated province to the rows of the files, and back: the row holds that very dossier."""

from __future__ import annotations

import csv
import hmac
import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import python_calamine

from tthc import pipeline
from tthc.domain.errors import Misconfigured
from tthc.domain.text import fold
from tthc.rollups.explain import KEY
from tthc.simulation.simulate import simulate
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)


@pytest.fixture(scope="module")
def loaded(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    out = tmp_path_factory.mktemp("province")
    (night,) = simulate(province="42", dossiers=400, seed=11, start=NIGHT, nights=1, out=out)
    with warehouses.fresh() as warehouse:
        pipeline.run(warehouse.settings, night, NIGHT)
        yield warehouse, night


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


def test_random_figures_lead_to_the_rows_that_make_them_up(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, folder = loaded
    cells = warehouse.query(f"select {', '.join(KEY)}, numerator, denominator from mart.kpi order by {', '.join(KEY)}")
    secret = warehouse.settings.hmac_key
    assert secret is not None
    for cell in random.Random(5).sample(cells, 60):
        found = pipeline.explain(warehouse.settings, {name: cell[name] for name in KEY})
        assert found.agrees, cell
        inside = [dossier for dossier in found.dossiers if dossier["in_numerator"]]
        assert len(inside) == cell["numerator"], cell
        if cell["denominator"] is not None:
            assert sum(dossier["in_denominator"] for dossier in found.dossiers) == cell["denominator"], cell
        for dossier in random.Random(5).sample(found.dossiers, min(3, len(found.dossiers))):
            path = folder / dossier["source_id"] / dossier["file_name"]
            assert key_of(code_at(path, dossier["sheet"], dossier["row_no"]), secret) == str(dossier["dossier_key"])


def test_what_does_not_exist_is_said_in_a_sentence(loaded: tuple[Warehouse, Path]) -> None:
    warehouse, _ = loaded
    key = dict(zip(KEY, ("CALENDAR", "2026-03", "99999", "as_reported", "*", "received", "TT01_06A"), strict=True))
    with pytest.raises(Misconfigured, match="no figure has the key"):
        pipeline.explain(warehouse.settings, key)
    with pytest.raises(Misconfigured, match="there are"):
        pipeline.explain(warehouse.settings, key | {"metric_id": "happiness"})
