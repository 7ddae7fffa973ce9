"""A published night for the tests of what leaves the house: a small province and two units of hostile name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from exports import PERSONAL, csv_list, dossier
from tthc import pipeline
from tthc.simulation.simulate import simulate
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 4, 10)
PROVINCE, COMMUNE = "42", "18373"
HOSTILE_COMMUNE, HOSTILE_DEPARTMENT = "99001", "42-XX"
MARKUP = '<script>alert("1")</script>'
FORMULA = '=HYPERLINK("http://example.invalid","mở")'
ODD_FILE, REFUSED_FILE = "=1+1.csv", "@SUM(A1).csv"
PERSON = dict(zip(PERSONAL, ("Người Giả Định 000999", "000000999999", "0000999999"), strict=True))

_UNITS = (
    "unit_code,level,kind,name,parent_code,province_code,district,valid_from,valid_to,source\n"
    '99001,commune,xã,"{markup}",42,42,,,,synthetic\n'
    '42-XX,department,sở,"{formula}",42,42,,,,synthetic\n'
)


@dataclass(frozen=True, slots=True)
class Night:
    """The warehouse after the night, and the drop folder it was loaded from."""

    warehouse: Warehouse
    drop: Path


_NIGHT = pytest.StashKey[Night]()


def the_night(session: pytest.Session, warehouses: Warehouses, folders: pytest.TempPathFactory) -> Night:
    """The night below, loaded once a session for all modules that ask; tests leave it as they found it."""
    if _NIGHT not in session.stash:
        kept = ExitStack()
        session.stash[_NIGHT] = kept.enter_context(_published_night(warehouses, folders.mktemp("serving")))
        session.addfinalizer(kept.close)
    return session.stash[_NIGHT]


@contextmanager
def _published_night(warehouses: Warehouses, folder: Path) -> Iterator[Night]:
    """300 simulated dossiers and a few of our own: one sound and one refused row each, and a file nobody can read."""
    overlay = folder / "overlay"
    overlay.mkdir()
    doubled = {"markup": MARKUP.replace('"', '""'), "formula": FORMULA.replace('"', '""')}
    (overlay / "units.csv").write_text(_UNITS.format(**doubled), encoding="utf-8")
    (drop,) = simulate(province=PROVINCE, dossiers=300, seed=5, start=NIGHT, nights=1, out=folder / "province")
    for code, name in ((HOSTILE_COMMUNE, ODD_FILE), (HOSTILE_DEPARTMENT, "+2.csv")):
        rows = [
            dossier(f"H42.{code[-2:]}-260105-0001", unit_name=code, **PERSON),
            dossier(f"H42.{code[-2:]}-260105-0002", unit_name=code, due_at="01/01/2026", **PERSON),
        ]
        (drop / "mot_cua_csv" / name).write_bytes(csv_list(rows))
    (drop / "mot_cua_csv" / REFUSED_FILE).write_bytes(b"A,B\n1,2\n")
    with warehouses.fresh(overlay) as warehouse:
        pipeline.run(warehouse.settings, drop, NIGHT)
        yield Night(warehouse, drop)
    shutil.rmtree(drop)
