"""What every test may ask for: an isolated environment, a fresh warehouse, and the folder of real data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouses import Warehouse, Warehouses

_CHECKOUT = Path(__file__).resolve().parents[1]
_NO_REAL_DATA = "TTHC_SHARED names no folder with data/, so real files were not tried"
_skipped_for_want_of_data: list[str] = []


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No TTHC_* setting of whoever runs the tests reaches them; a test that needs a home of its own sets one."""
    for name in list(os.environ):
        if name.startswith("TTHC_") and name != "TTHC_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TTHC_HOME", str(tmp_path_factory.getbasetemp() / "nobody-home"))


@pytest.fixture(scope="session")
def warehouses() -> Iterator[Warehouses]:
    """The session's embedded server."""
    made = Warehouses()
    yield made
    made.close()


@pytest.fixture
def warehouse(warehouses: Warehouses) -> Iterator[Warehouse]:
    """An empty warehouse for one test."""
    with warehouses.fresh() as made:
        yield made


@pytest.fixture(scope="module")
def module_warehouse(warehouses: Warehouses) -> Iterator[Warehouse]:
    """An empty warehouse that the tests of a module fill together."""
    with warehouses.fresh() as made:
        yield made


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder of real files (data/, seeds/) that TTHC_SHARED names, else `../shared` beside the checkout."""
    folder = Path(os.environ.get("TTHC_SHARED") or _CHECKOUT.parent / "shared")
    if not (folder / "data").is_dir():
        _skipped_for_want_of_data.append(request.node.nodeid)
        pytest.skip(_NO_REAL_DATA)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that tests on real data did not run: a skip among hundreds of dots is easily overlooked."""
    if _skipped_for_want_of_data:
        terminalreporter.section("REAL DATA ABSENT", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(_skipped_for_want_of_data)} tests skipped: {_NO_REAL_DATA}.", red=True)
        for name in _skipped_for_want_of_data:
            terminalreporter.line(f"  {name}", red=True)
