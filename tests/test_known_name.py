"""The name under which a file is known: what tells of a person is marked, what orders files stays."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canaries import CODES, NAME, PHONE, persons
from exports import csv_list, dossier
from tthc import enquiries, pipeline
from tthc.landing.known_name import known_name
from warehouses import Warehouse

KEY, NIGHT = b"k" * 32, date(2026, 3, 20)
TELLING = (
    "H42.18-260105-7717", "G22.99.18-250701-001234", "042099771234", "042 099 771 234", "0977123456", "0977.123.456",
    "+84977123456", "84 977 123 456", "201123456",
)  # fmt: skip
PLAIN = (
    "18373_20260410.csv", "18373-20260410.csv", "18373-2026-04-10.csv", "06a-01-2026-18373.xlsx",
    "mot-cua 2026-03-10 0830.csv", "xuat-20260310083000.csv", "xuat-202603100830.json", "xuat_1773100800.csv",
    "000.00.18.H42-2026.csv", "10.03.2026.csv", "Biểu 06a quý 1-2026 xã Tiên Điền.xlsx", "2026-03-10T08:30:00.json",
)  # fmt: skip


@pytest.mark.parametrize("telling", TELLING)
@pytest.mark.parametrize("name", ["{}.csv", "HS_{}_v2.csv", "xã/{}/a.csv", "hoso{}.csv"])
def test_a_code_or_number_of_a_person_is_marked_and_the_rest_stays(name: str, telling: str) -> None:
    if name == "hoso{}.csv" and telling[0].isalpha():
        telling = "-" + telling  # letters run together are another word
    known = known_name(name.format(telling), KEY)
    before, _, after = name.partition("{}")
    assert re.fullmatch(re.escape(before) + "-?…[a-z]{10}" + re.escape(after), known), known
    assert known_name(known, KEY) == known
    assert known_name(name.format(telling), b"another key") != known


@pytest.mark.parametrize("name", PLAIN)
def test_days_times_periods_units_and_running_numbers_stay(name: str) -> None:
    assert known_name(name, KEY) == name


@given(st.integers(0, 99), st.integers(0, 99))
def test_two_names_stay_two_and_one_stays_one(one: int, other: int) -> None:
    names = [known_name(f"H42.18-260105-77{number:02}.csv", KEY) for number in (one, other)]
    assert (names[0] == names[1]) == (one == other)


@pytest.mark.parametrize("spell", [json.dumps, html.escape, str.lower, lambda t: unicodedata.normalize("NFD", t)])
def test_the_search_for_persons_knows_how_texts_are_written(spell: Callable[[str], str]) -> None:
    told = {NAME, PHONE, CODES[7]}
    assert persons("\\ x " + spell(" – ".join(sorted(told)))) == told
    assert persons(spell("Người Thật, 0912345678")) == set()


def test_a_file_named_by_a_dossier_is_known_by_its_mark_and_found_by_its_name(warehouse: Warehouse) -> None:
    """A corrected file of the same name follows it; only the ledger of the landing store tells the name it came under."""
    code = "H42.18-260105-7717"
    name = f"HS {code}.csv"
    rows = [dossier(code), dossier("H42.18-260105-7718", due_at="01/01/2026")]
    warehouse.load_only(NIGHT, {f"mot_cua_csv/{name}": csv_list(rows)})
    warehouse.load(NIGHT, {f"mot_cua_csv/{name}": csv_list(rows[:1])})
    known = warehouse.value("select distinct file_name from core.delivery")
    assert known == known_name(name, pipeline.schema.hmac_key(warehouse.settings))
    assert warehouse.value("select count(*) from core.quarantine where state = 'open'") == 0, "its rows were corrected"
    ledger = Path(warehouse.settings.landing / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    assert {(line["file_name"], line["delivered_as"]) for line in map(json.loads, ledger)} == {(known, name)}
    found = enquiries.figures_of(warehouse.settings, name, 2)
    assert found
    assert found == enquiries.figures_of(warehouse.settings, known, 2)
