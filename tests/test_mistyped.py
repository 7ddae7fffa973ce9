"""A mistyped unit, period, calendar, verdict or number is refused before anything is asked: an empty table, which would
say that all is well, is never the answer."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tthc import pipeline
from tthc.cli import app, main
from tthc.domain.errors import Misconfigured, WarehouseRefused
from warehouses import Warehouse, Warehouses

COMMANDS = (
    ["submissions", "differences"],
    ["summaries", "differences"],
    ["sources", "differences"],
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a warehouse: whoever asks it would start a server."""
    monkeypatch.setenv("TTHC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TTHC_WAREHOUSE_URL", raising=False)
    return tmp_path / "home"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--unit", "18733x"], "'18733x' is not a unit of province 42; codes look like"),
        (["--period", "2026-Q5"], "'2026-Q5' is no period; labels look like 2026-03, 2026-Q1"),
        (["--period", "Q1/2026"], "'Q1/2026' is no period"),
    ],
    ids=" ".join,
)
def test_a_mistyped_unit_or_period_is_no_empty_table(
    home: Path, command: list[str], words: list[str], told: str
) -> None:
    assert_refused(home, [*command, *words], told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["sources", "differences", "--calendar", "x"],
            "calendar 'x' is not known; choose one of VPCP_15_14, CALENDAR",
        ),
        (["submissions", "differences", "--calendar", "x"], "calendar 'x' is not known"),
        (["compare", "--unit", "18733x", "--period", "2026-Q1"], "'18733x' is not a unit of province 42"),
        (["compare", "--unit", "42", "--period", "Q1/2026"], "'Q1/2026' is no period"),
        (["rollup", "--period", "2026-Q5"], "'2026-Q5' is no period"),
        (["rollup", "--period", "2026-Q5", "--as-known-on", "2026-03-01"], "'2026-Q5' is no period"),
        (
            ["files", "list", "--verdict", "helt"],
            "'helt' is no verdict; there are loaded, loaded_with_quarantine, held",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_other_words_a_command_does_not_know(home: Path, words: list[str], told: str) -> None:
    assert_refused(home, words, told)


@pytest.mark.parametrize("words", [["--dossiers", "0"], ["--dossiers", "-5"], ["--dossiers", "9", "--nights", "0"]])
def test_no_dossiers_or_nights_are_no_province(tmp_path: Path, words: list[str]) -> None:
    told = CliRunner().invoke(app, ["simulate", *words, "--out", str(tmp_path / "out")])
    assert told.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_province_is_not_written_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("kept")
    assert CliRunner().invoke(app, ["simulate", "--dossiers", "9", "--out", str(tmp_path / "out")]).exit_code == 2
    assert (tmp_path / "out").read_text() == "kept"


def test_a_workbook_of_each_owner_goes_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("kept")
    assert CliRunner().invoke(app, ["quarantine", "export", "--out", str(tmp_path / "out")]).exit_code == 2


def test_a_workbook_goes_into_a_folder_that_is_there(tmp_path: Path) -> None:
    error = (
        CliRunner()
        .invoke(
            app, ["export", "form-06a", "--unit", "42", "--period", "2026-03", "--out", str(tmp_path / "no" / "a.xlsx")]
        )
        .exception
    )
    assert isinstance(error, Misconfigured)
    assert "does not exist" in str(error)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["load", "--drop", "x", "--as-of"],
        ["rollup", "--period", "2026-03", "--as-known-on"],
        ["compare", "--unit", "42", "--period", "2026-03", "--on"],
        ["simulate", "--dossiers", "9", "--out", "x", "--start"],
        ["quarantine", "replay", "--night"],
        ["incidents", "snooze", "1", "--by", "x", "--reason", "x", "--until"],
    ],
    ids=lambda words: " ".join((words[0], words[-1])),
)
def test_a_bad_date_is_told_with_its_option(home: Path, words: list[str]) -> None:
    told = CliRunner().invoke(app, [*words, "31/03/2026"])
    assert told.exit_code == 2
    assert f"Invalid value for {words[-1]}: '31/03/2026' is not a date" in " ".join(told.output.split())
    assert not home.exists()


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"tthc {version('tthc')}\n"


def test_an_interruption_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "publish", interrupted)
    monkeypatch.setattr(sys, "argv", ["tthc", "rollup"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip() == (
        "tthc: interrupted; what was finished is kept, the same command completes the rest"
    )


def test_the_watchdog_of_a_warehouse_never_made_says_how_it_is_made(home: Path) -> None:
    told = CliRunner().invoke(app, ["watchdog"])
    assert (told.exit_code, "was never made: tthc init" in told.output) == (1, True)


def test_a_drop_folder_without_files_is_told(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(app, ["load", "--drop", str(tmp_path), "--as-of", "2026-03-22"])
    assert (told.exit_code, f"no file waits in {tmp_path}" in told.output) == (0, True)
    replay = CliRunner().invoke(app, ["quarantine", "replay", "--night", "2026-03-22"])
    assert isinstance(replay.exception, Misconfigured)
    assert "no file was delivered for the night 2026-03-22; there is none yet" in str(replay.exception)
    assert warehouse.value("select count(*) from alerts.dispatch where night is null") == 0, "a report was sent"


def assert_refused(home: Path, words: list[str], told: str) -> None:
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, Misconfigured)
    assert told in str(error)
    assert not home.exists(), "the warehouse was asked"


def test_a_warehouse_never_made_says_how_it_is_made(warehouses: Warehouses, monkeypatch: pytest.MonkeyPatch) -> None:
    with warehouses.bare() as place:
        for name, value in place.environment().items():
            monkeypatch.setenv(name, value)
        for words in (["files", "list"], ["incidents", "list"], ["messages", "list"], ["rollup"]):
            error = CliRunner().invoke(app, words).exception
            assert isinstance(error, WarehouseRefused)
            assert "`tthc init` makes it whole" in str(error)
