"""What every test may ask for: an isolated environment, a fresh warehouse, and the folder of real data."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loader import Warm
from portals import Liar
from warehouses import Warehouse, Warehouses

_CHECKOUT = Path(__file__).resolve().parents[1]
_NO_REAL_DATA = "TTHC_SHARED names no folder with data/, so real files were not tried"
_skipped_for_want_of_data: list[str] = []
# Files of over half a minute, the longest first: whichever worker takes the last of them is soon done with it.
_LONG = (
    "test_demo.py", "test_repair.py", "test_kill.py", "test_fetch.py", "test_messages.py", "test_corrections.py",
    "test_order.py", "test_missing_reporters.py", "test_summaries.py", "test_fuzz.py", "test_sources.py",
    "test_explain.py", "test_workbooks.py", "test_web.py", "test_incidents.py", "test_watchdog.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; `make test` gives workers the files in this order."""
    places = {name: place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No TTHC_* setting of whoever runs the tests reaches them; a test that needs a home of its own sets one."""
    for name in list(os.environ):
        if name.startswith("TTHC_") and name != "TTHC_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TTHC_HOME", str(tmp_path_factory.getbasetemp() / "nobody-home"))


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where answers of suites are kept, for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "answers"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def warehouses(answers: Path) -> Iterator[Warehouses]:
    """The session's embedded server."""
    made = Warehouses(answers)
    gc.collect()
    gc.freeze()  # what the libraries have made by now stays: looking through it again and again takes a fifth of the time
    gc.set_threshold(50_000, 20, 100)
    yield made
    made.close()


@pytest.fixture(scope="session")
def warm(answers: Path) -> Iterator[Warm]:
    """A process that has imported everything and forks the command `tthc`."""
    made = Warm(answers)
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
def liar() -> Iterator[Liar]:
    """A portal that answers whatever a test tells it to."""
    with Liar(lambda _: b"") as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


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
