"""Whatever becomes of units, nothing is lost or counted twice, each dossier is where the readings say, and it is flagged."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import geography
from geography import NIGHT, PROVINCE, History, Told
from tthc.rollups import build, check
from tthc.warehouse import connect
from warehouses import Warehouse, Warehouses

BASES = {"*": ("as_reported", "current_boundary")}


@pytest.fixture(scope="module")
def empty(warehouses: Warehouses) -> Iterator[Warehouse]:
    with warehouses.fresh() as made:
        yield made


@contextmanager
def computed(warehouse: Warehouse, history: History, dossiers: list[Told]) -> Iterator[sa.Connection]:
    """A connection that has `fresh` for these units and dossiers; the warehouse is left as it was."""
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
        yield connection
        connection.rollback()


def rows_of(warehouse: Warehouse, history: History, dossiers: list[Told]) -> list[dict[str, Any]]:
    """`fresh` for these units and dossiers, in which no identity is broken."""
    with computed(warehouse, history, dossiers) as connection:
        assert broken(connection) == set()
        return [dict(row) for row in connection.execute(sa.text("select * from fresh")).mappings()]


def broken(connection: sa.Connection) -> set[str]:
    """The identities between figures that some row of `fresh` breaks."""
    with connection.begin_nested() as savepoint:
        frame = check.asked(connection)
        savepoint.rollback()
    found = {name for name in IDENTITIES if (frame[name].fillna(0) != 0).any() and name != "fields_over_total"}
    return found | ({"fields_over_total"} if (frame["fields_over_total"].fillna(0) > 0).any() else set())


IDENTITIES = ("sum_of_units", "sum_of_parts", "bases_differ", "fields_over_total", "carried_over_gap")
# Mistakes that one identity alone finds, in one cell or two. index_in_time is looked at anew in every period, so that no sum
# over time tells of it.
_ONE = (
    "with one as (select calendar, kind, label, unit_code, field_code from fresh where kind = '{kind}' and basis = '{basis}' "
    "and field_code {field} '*' and unit_code <> 'ZZ' and 'former_province' <> all(flags) order by 1, 2, 3, 4, 5 limit 1) "
    "update fresh set {counter} = fresh.{counter} + 1000 from one where (fresh.calendar, fresh.kind, fresh.label, "
    "fresh.field_code) = (one.calendar, one.kind, one.label, one.field_code) and {which}"
)
_ITSELF = "fresh.unit_code = one.unit_code and fresh.basis = '{basis}'"
_AND_THE_PROVINCE = "fresh.unit_code in (one.unit_code, 'ZZ')"
MISTAKES: dict[str, tuple[str, list[str]]] = {
    "a counter of the province that no form knows": (
        "sum_of_units",
        ["update fresh set index_in_time = index_in_time + 1 where unit_code = 'ZZ' and kind = 'month' and field_code = '*'"],
    ),
    "a unit on today's boundary": (
        "sum_of_units",
        [_ONE.format(kind="month", basis="current_boundary", field="=", counter="index_in_time",
                     which=_ITSELF.format(basis="current_boundary"))],
    ),
    "a unit as reported": (
        "sum_of_units",
        [_ONE.format(kind="month", basis="as_reported", field="=", counter="index_in_time",
                     which=_ITSELF.format(basis="as_reported"))],
    ),
    "a quarter": (
        "sum_of_parts",
        [_ONE.format(kind="quarter", basis="*", field="=", counter="data_reused", which=_AND_THE_PROVINCE)],
    ),
    "the year": (
        "sum_of_parts",
        [_ONE.format(kind="year", basis="*", field="=", counter="paused", which=_AND_THE_PROVINCE)],
    ),
    "a field": (
        "fields_over_total",
        [_ONE.format(kind="month", basis="*", field="<>", counter="index_in_time", which=_AND_THE_PROVINCE)],
    ),
    "the province on one basis, with a unit of that basis": (
        "bases_differ",
        [
            "create temporary table other as select * from fresh where unit_code = 'ZZ' and basis = '*'",
            "update fresh set basis = 'as_reported' where unit_code = 'ZZ' and basis = '*'",
            "update other set basis = 'current_boundary'",
            "insert into fresh select * from other",
            _ONE.format(kind="month", basis="current_boundary", field="=", counter="index_in_time",
                        which="fresh.unit_code in (one.unit_code, 'ZZ') and fresh.basis = 'current_boundary'"),
        ],
    ),
}  # fmt: skip


def test_each_identity_finds_a_mistake_that_no_other_finds(empty: Warehouse) -> None:
    dice = random.Random(3)
    history = geography.random_history(dice)
    with computed(empty, history, geography.random_dossiers(history, 120, dice)) as connection:
        for mistake, (identity, statements) in MISTAKES.items():
            with connection.begin_nested() as savepoint:
                for statement in statements:
                    changed = connection.execute(sa.text(statement)).rowcount
                assert changed, mistake
                assert broken(connection) == {identity}, mistake
                savepoint.rollback()


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
