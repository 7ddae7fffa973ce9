"""Whatever becomes of units, nothing is lost or counted twice, each dossier is where the readings say, and it is flagged."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import geography
from geography import NIGHT, PROVINCE, History, Told
from tthc.rollups import build
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

BASES = {"*": ("as_reported", "current_boundary")}


@pytest.fixture(scope="module")
def empty(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        yield made


def rows_of(warehouse: Warehouse, history: History, dossiers: list[Told]) -> list[dict[str, Any]]:
    """`fresh` for these units and dossiers; the warehouse is left as it was."""
    with connect._engine(warehouse.url).connect() as connection:
        for table in ("core.dossier", "ref.unit_succession", "ref.unit", "ref.procedure"):
            connection.execute(sa.text(f"delete from {table}"))
        units = [(PROVINCE, "province", "", geography.date(1, 1, 1), geography.ALWAYS)]
        units.append((geography.FORMER, "province", "", geography.date(1, 1, 1), geography.CHANGES[1]))
        units += [(span.code, "commune", span.parent, span.since, span.until) for span in history.spans]
        connection.execute(
            sa.text(
                "insert into ref.unit (unit_code, level, kind, name, full_name, sort_key, parent_code, province_code, "
                "valid_from, valid_to) values (:code, :level, '', :code, :code, :code, :parent, :province, :since, :until)"
            ),
            [
                dict(zip(("code", "level", "parent", "since", "until"), unit, strict=True)) | {"province": PROVINCE}
                for unit in units
            ],
        )
        for (code, on), parts in history.parts.items():
            connection.execute(
                sa.text("insert into ref.unit_succession values (:code, :new, :on, :partial, :weight)"),
                [{"code": code, "new": new, "on": on, "partial": part, "weight": w} for new, part, w in parts],
            )
        connection.execute(
            sa.text(
                "insert into core.dossier (dossier_key, version_id, unit_code, field_name, field_key, status, "
                "received_on, due_on, finished_on) values (:key, :id, :unit, :field, :field, :status, :received, "
                ":received + 10, :finished)"
            ),
            [
                {"key": told.key, "id": number, "unit": told.unit, "field": told.field_name, "received": told.received,
                 "finished": told.finished, "status": 9 if told.finished else 4}
                for number, told in enumerate(dossiers)
            ],
        )  # fmt: skip
        build.compute(connection, night=NIGHT, province=PROVINCE)
        rows = [dict(row) for row in connection.execute(sa.text("select * from fresh")).mappings()]
        connection.rollback()
    return rows


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_dossier_is_where_the_readings_say_and_totals_are_conserved(empty: Warehouse, seed: int) -> None:
    dice = random.Random(seed)
    history = geography.random_history(dice)
    dossiers = geography.random_dossiers(history, 120, dice)
    rows = rows_of(empty, history, dossiers)
    counts, flags = geography.figures(history, dossiers)
    told = {
        (row["calendar"], row["label"], row["unit_code"], row["field_code"], basis): row
        for row in rows
        for basis in BASES.get(row["basis"], (row["basis"],))
    }
    assert told.keys() == counts.keys()
    for cell, row in told.items():
        resolved = row["resolved_early"] + row["resolved_on_time"] + row["resolved_late"]
        assert (row["received"], resolved, row["in_progress"]) == counts[cell], cell
        assert set(row["flags"]) == flags[cell], cell
    assert_conserved(told)


def assert_conserved(told: dict[geography.Cell, dict[str, Any]]) -> None:
    """Every counter: the units of a basis sum to the province, and the province is the same on both bases."""
    names = [name for name, value in next(iter(told.values())).items() if isinstance(value, int)]
    sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0] * len(names))
    for (calendar, label, unit, name, basis), row in told.items():
        if unit != PROVINCE and "former_province" not in row["flags"]:
            total = sums[calendar, label, name, basis]
            for at, counter in enumerate(names):
                total[at] += row[counter]
    assert len(names) > 20
    for (calendar, label, name, basis), total in sums.items():
        assert total == [told[calendar, label, PROVINCE, name, basis][counter] for counter in names]
        other = told[calendar, label, PROVINCE, name, "as_reported"]
        assert total == [other[counter] for counter in names]
