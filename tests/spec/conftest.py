"""Loads every drawing of the specification: all of one night together, each as a commune of its own."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from drawing import PROCEDURE_COLUMNS, Drawing, day_of, procedure_of
from exports import Row, csv_list, json_list, xlsx_list
from tthc.settings import REFERENCE
from warehouses import Warehouse, Warehouses

_WRITERS = {"csv": csv_list, "xlsx": xlsx_list, "json": json_list}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "drawn(table, night): dossiers and the figures expected of them, as a text table"
    )


def _communes() -> list[tuple[str, str]]:
    """(code, name with kind) of today's communes of province 42."""
    with (REFERENCE / "units.csv").open(encoding="utf-8", newline="") as handle:
        return [
            (row["unit_code"], f"{row['kind']} {row['name']}")
            for row in csv.DictReader(handle)
            if (row["level"], row["province_code"], row["valid_to"]) == ("commune", "42", "")
        ]


@pytest.fixture(scope="session")
def drawings(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Drawing]]:
    """Node id → drawing, loaded and published."""
    by_night: dict[str, list[tuple[str, Drawing]]] = defaultdict(list)
    units = _communes()
    for item in request.session.items:
        for mark in item.iter_markers("drawn"):
            night = mark.kwargs.get("night", "10/04")
            number = len(by_night[night])
            unit_code, unit_name = units[number]
            by_night[night].append(
                (item.nodeid, Drawing(mark.args[0], unit_code, unit_name, number + 100, day_of(night)))
            )
    overlay = tmp_path_factory.mktemp("reference")
    procedures = {procedure_of(line) for group in by_night.values() for _, each in group for line in each.lines}
    rows = "\n".join([PROCEDURE_COLUMNS, *(row for _, row in sorted(procedures))])
    (overlay / "procedures.csv").write_text(rows + "\n", encoding="utf-8")
    with ExitStack() as stack:
        for group in by_night.values():
            warehouse = stack.enter_context(warehouses.fresh(overlay))
            _load(warehouse, [drawing for _, drawing in group], overlay)
        yield dict(pair for group in by_night.values() for pair in group)


def _load(warehouse: Warehouse, group: list[Drawing], overlay: Path) -> None:
    assert overlay.is_dir()
    nights: dict[date, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for drawing in group:
        drawing.warehouse = warehouse
        for line in drawing.lines:
            nights[drawing.told(line)][drawing.file_name(line)].append(drawing.row(line))
    for night in sorted({*nights, *(drawing.night for drawing in group)}):
        files = {name: _WRITERS[name.rpartition(".")[2]](rows) for name, rows in nights[night].items()}
        warehouse.load(night, files)


@pytest.fixture
def drawn(request: pytest.FixtureRequest, drawings: dict[str, Drawing]) -> Drawing:
    """The drawing of the test that asks."""
    return drawings[request.node.nodeid]
