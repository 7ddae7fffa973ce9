"""What leaves the department: small counts are hidden, and nobody can work them out from what is left."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from attacker import ATOMS, NUMERATOR, QUARTERS, Attacker, Cell
from tthc.domain.errors import Misconfigured
from tthc.serving import public_figures
from tthc.warehouse import connect
from warehouses import Warehouse

MINIMUM = 5
PROVINCE = "42"
UNITS = ("18352", "18373", "18406", "18073", "42-SNV", "42-STP")
NIGHT = date(2026, 12, 20)  # every quarter of 2026 has ended
VIEW = Path(public_figures.__file__).parent / "mart" / "views" / "28_kpi_public.sql"
Counts = Mapping[tuple[str, int], tuple[int, ...]]  # unit, quarter → the four counts of ATOMS


def province_of(seed: int) -> Counts:
    """A year of units of any size: some with nothing, some with few, some without late ones, most with many."""
    dice = random.Random(seed)
    odd = dice.choice((0.01, 0.03, 0.1))

    def some(size: int) -> int:
        return dice.choice((0, 1, 2, 4, 5)) if dice.random() < odd else dice.randint(size // 2, size)

    size = {unit: dice.choice((10, 60, 200, 900)) for unit in UNITS}
    return {(unit, quarter): tuple(some(size[unit]) for _ in ATOMS) for unit in UNITS for quarter in (1, 2, 3, 4)}


def hidden_units(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({row["unit_code"] for row in rows if row["suppressed"]} - {PROVINCE})


def own_figures(counts: Counts, unit: str) -> dict[Cell, int]:
    """What one unit knows of itself."""
    return {
        (f"2026-Q{quarter}", unit, (atom,)): counts[unit, quarter][n]
        for quarter in (1, 2, 3, 4) for n, atom in enumerate(ATOMS)
    }  # fmt: skip


def written(counts: Counts) -> list[dict[str, Any]]:
    """Rows of rollup.counter for every period of the year, the province among them."""
    rows = []
    for name, quarters in QUARTERS.items():
        kind = "year" if not name else {"Q": "quarter", "H": "half", "9": "nine_months"}[name[0]]
        told = {unit: [sum(counts[unit, q][n] for q in quarters) for n in range(4)] for unit in UNITS}
        told[PROVINCE] = [sum(each) for each in zip(*told.values(), strict=True)]
        for unit, (online, direct, in_time, late) in told.items():
            if online or direct or in_time or late:
                rows.append({
                    "kind": kind, "label": f"2026-{name}" if name else "2026", "unit": unit, "received": online + direct,
                    "online": online, "in_time": in_time, "late": late,
                })  # fmt: skip
    return rows


def publish(connection: sa.Connection, counts: Counts, night: date = NIGHT) -> None:
    """Make these the current figures, of dossiers that are in progress nowhere."""
    columns = connection.execute(
        sa.text(
            "select column_name from information_schema.columns where table_schema = 'rollup' and table_name = 'counter' "
            "and data_type = 'bigint' and column_name not in ('first_publication', 'last_publication', 'received', "
            "'received_online', 'resolved_on_time', 'resolved_late') and column_default is null"
        )
    ).scalars()
    zeros = list(columns)
    connection.execute(sa.text("delete from rollup.counter"))
    connection.execute(
        sa.text(
            "insert into rollup.publication (night, based_on, registry_id, newest_delivery, newest_version) "
            "select :night, 'generated', registry_id, 0, 0 from ref.loaded"
        ),
        {"night": night},
    )
    connection.execute(
        sa.text(
            "insert into rollup.current_publication (publication_id) select max(publication_id) from rollup.publication "
            "on conflict (singleton) do update set publication_id = excluded.publication_id"
        )
    )
    names = ", ".join(zeros)
    nothing = ", ".join("0" for _ in zeros)
    connection.execute(
        sa.text(
            "insert into rollup.counter (calendar, kind, label, unit_code, field_code, basis, first_publication, flags, "
            f"received, received_online, resolved_on_time, resolved_late, {names}) select 'VPCP_15_14', :kind, :label, "
            f":unit, '*', '*', publication_id, '{{}}', :received, :online, :in_time, :late, {nothing} "
            "from rollup.current_publication"
        ),
        written(counts),
    )


def public(connection: sa.Connection, view: str = "mart.kpi_public") -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(f"select * from {view}")).mappings()]


@pytest.fixture
def connection(module_warehouse: Warehouse) -> Iterator[sa.Connection]:
    """A transaction that is rolled back."""
    with connect.transaction(module_warehouse.settings) as opened:
        yield opened
        opened.rollback()


def test_no_hidden_count_can_be_worked_out_not_even_by_a_unit_that_is_hidden(connection: sa.Connection) -> None:
    attacked = 0
    for seed in range(7):
        counts = province_of(seed)
        publish(connection, counts)
        rows = public(connection)
        for insider in hidden_units(rows)[:1]:
            attacker = Attacker(rows, UNITS, PROVINCE, own_figures(counts, insider))
            cells = random.Random(seed).sample(sorted(attacker.hidden), min(30, len(attacker.hidden)))
            attacked += len(cells)
            assert list(attacker.found(MINIMUM, cells)) == []
    assert attacked > 100


# What each rule of the view is there for: without it the attacker finds something.
MUTANTS = {
    "only small units are hidden": {
        "coalesce(in_line.place > hidden_to.place, false)": "not in_line.is_small",
        "hidden_to.place is not null as is_shown": "true as is_shown",
    },
    "two hidden units are enough": {"and remainder >= comparison.public_minimum": "and place >= 2"},
    "the largest need not be left out": {
        " - max(online) over line": "",
        " - max(received - online) over line": "",
        " - max(in_time) over line": "",
        " - max(resolved - in_time) over line": "",
    },
    "a year may show what a quarter hides": {"bool_and(quarter.is_shown)": "bool_or(quarter.is_shown)"},
    "complements are no counts": {", resolved, in_time, resolved - in_time]": ", resolved, in_time]"},
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_rule_of_the_view_is_needed(connection: sa.Connection, mutant: str) -> None:
    text = VIEW.read_text(encoding="utf-8")
    for old, new in MUTANTS[mutant].items():
        assert old in text
        text = text.replace(old, new)
    connection.exec_driver_sql(text.replace("create view mart.kpi_public", "create view rollup.mutant"))
    publish(connection, even() | {("18373", 2): (100, 50, 80, 1)})
    rows = public(connection, "rollup.mutant")
    if mutant == "complements are no counts":
        assert any(is_small(row) for row in rows)
        return
    hidden = hidden_units(rows)
    knowing = [{}, *(own_figures(even(), unit) for unit in hidden if unit != "18373")]
    found = [next(Attacker(rows, UNITS, PROVINCE, own).found(MINIMUM), None) for own in knowing]
    assert any(found)


def is_small(row: Mapping[str, Any]) -> bool:
    counts = [row["numerator"], row["denominator"]]
    if row["denominator"] is not None:
        counts.append(row["denominator"] - row["numerator"])
    return any(count is not None and 0 < count < MINIMUM for count in counts)


def test_what_is_shown_is_what_the_figures_are_and_not_small(connection: sa.Connection) -> None:
    shown = hidden = 0
    for seed in range(8):
        counts = province_of(seed)
        publish(connection, counts)
        for row in public(connection):
            assert not is_small(row), row
            if row["suppressed"]:
                hidden += 1
                assert (row["numerator"], row["denominator"], row["rate"]) == (None, None, None)
                continue
            shown += 1
            units = UNITS if row["unit_code"] == PROVINCE else (row["unit_code"],)
            quarters = QUARTERS[row["period_label"].partition("-")[2]]
            atoms = [ATOMS.index(atom) for atom in NUMERATOR[row["metric_id"]]]
            assert row["numerator"] == sum(counts[unit, q][n] for unit in units for q in quarters for n in atoms)
    assert shown > 100 < hidden


def even(late: int = 20) -> dict[tuple[str, int], tuple[int, ...]]:
    return {(unit, quarter): (100, 50, 80, late) for unit in UNITS for quarter in (1, 2, 3, 4)}


def test_where_nothing_is_small_nothing_is_hidden(connection: sa.Connection) -> None:
    publish(connection, even(late=0))
    rows = public(connection)
    assert len(rows) == (len(UNITS) + 1) * len(QUARTERS) * 4
    assert not any(row["suppressed"] for row in rows)
    assert {row["minimum_count"] for row in rows} == {MINIMUM}


def test_one_small_count_hides_three_units_in_that_quarter_and_in_what_holds_it(connection: sa.Connection) -> None:
    publish(connection, even() | {("18373", 2): (100, 50, 80, 1)})
    rows = public(connection)
    hidden = {(row["period_label"], row["unit_code"]) for row in rows if row["suppressed"]}
    assert {label for label, _ in hidden} == {"2026-Q2", "2026-H1", "2026-9M", "2026"}
    assert {len([unit for label, unit in hidden if label == one]) for one, _ in hidden} == {3}
    assert "18373" in {unit for _, unit in hidden}


def test_where_few_units_cannot_hide_each_other_the_province_is_hidden_too(connection: sa.Connection) -> None:
    counts = {key: value if key[0] in UNITS[:2] else (0, 0, 0, 0) for key, value in even().items()}
    publish(connection, counts | {(UNITS[0], 3): (100, 50, 80, 2)})
    rows = public(connection)
    assert {row["period_label"] for row in rows if not row["suppressed"]} == {
        "2026-Q1", "2026-Q2", "2026-Q4", "2026-H1",
    }  # fmt: skip


def test_what_is_open_withheld_or_not_reported_does_not_leave(connection: sa.Connection) -> None:
    publish(connection, even(), night=date(2026, 9, 1))
    assert {row["period_label"] for row in public(connection)} == {"2026-Q1", "2026-Q2", "2026-H1"}
    withheld = sa.text("update rollup.counter set flags = '{withheld}' where (unit_code, label) = (:unit, :label)")
    connection.execute(withheld, {"unit": "18373", "label": "2026-Q1"})
    rows = {(row["period_label"], row["unit_code"]): row for row in public(connection)}
    assert rows["2026-Q1", "18373"]["suppressed"]
    assert sum(row["suppressed"] for (label, _), row in rows.items() if label == "2026-Q1") == 3
    connection.execute(withheld, {"unit": PROVINCE, "label": "2026-Q1"})
    assert {row["period_label"] for row in public(connection)} == {"2026-Q2"}


def test_the_workbook_holds_the_view_and_nothing_small(connection: sa.Connection, tmp_path: Path) -> None:
    publish(connection, even() | {("18373", 2): (100, 50, 80, 1)})
    out = tmp_path / "public.xlsx"
    public_figures.write(connection, out, label="2026-Q2")
    (sheet,) = openpyxl.load_workbook(out).worksheets
    rows = {row[0]: row[1:] for row in sheet.iter_rows(values_only=True)}
    assert rows["18373"][1:] == ("*",) * 6
    assert rows["42"][1:] == (900, 581, 480, "82,62%", 600, "66,67%")
    assert {len(row) for code, row in rows.items() if code in UNITS} == {7}
    with pytest.raises(Misconfigured, match="2027-Q1"):
        public_figures.write(connection, out, label="2027-Q1")
