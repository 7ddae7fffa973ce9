"""How files arrive: still being written, vanished, under names that are no text, for nights that cannot be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exports import csv_list, dossier
from tthc import pipeline
from tthc.cli import app
from tthc.domain.errors import FileRefused, OutsideSystemFailed
from tthc.landing.store import Receipt, land, look, path_of
from tthc.reference.sources import read_sources
from tthc.settings import Settings, settings
from tthc.sources.drop_folder import waiting_files
from tthc.staging.reader_process import ReaderPool
from warehouses import Warehouse

NIGHT = date(2026, 4, 10)
CONTENT = csv_list([dossier("H42.1-260105-0001")])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TTHC_HOME", str(tmp_path / "home"))
    return settings()


def _drop(folder: Path, *names: str) -> Path:
    (folder / "drop" / "mot_cua_csv").mkdir(parents=True)
    for name in names:
        (folder / "drop" / "mot_cua_csv" / name).write_bytes(CONTENT)
    return folder / "drop"


def test_what_programs_leave_beside_files_is_no_delivery(tmp_path: Path) -> None:
    names = (
        "a.xlsx",
        "~$a.xlsx",
        ".~lock.a.xlsx#",
        "Thumbs.db",
        "desktop.ini",
        ".git/b.csv",
        "xã/~$b.xlsx",
        "xã/b.xlsx",
    )
    for name in names:
        path = tmp_path / "mot_cua_xlsx" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = waiting_files(tmp_path, read_sources(settings()), None)
    assert [name for _, name, _ in found] == ["a.xlsx", "xã/b.xlsx"]


def test_a_file_held_open_for_writing_waits_for_the_next_run(home: Settings, tmp_path: Path) -> None:
    drop = _drop(tmp_path, "open.csv", "closed.csv")
    with (drop / "mot_cua_csv" / "open.csv").open("ab"):
        receipts, growing = pipeline.receive(home, drop, NIGHT)
    assert [receipt.file_name for receipt in receipts] == ["closed.csv"] and growing == ["mot_cua_csv/open.csv"]
    receipts, growing = pipeline.receive(home, drop, NIGHT)
    assert len(receipts) == 2 and growing == []


def test_a_file_that_changed_between_two_looks_or_vanished_waits_too(home: Settings, tmp_path: Path) -> None:
    path = _drop(tmp_path, "a.csv") / "mot_cua_csv" / "a.csv"
    first = look(path)
    path.write_bytes(CONTENT * 2)
    with pytest.raises(FileRefused, match="NOT_STABLE"):
        land(home, path, source_id="mot_cua_csv", file_name="a.csv", night=NIGHT, first_look=first)
    path.unlink()
    with pytest.raises(FileRefused, match="NOT_STABLE"):
        land(home, path, source_id="mot_cua_csv", file_name="a.csv", night=NIGHT, first_look=first)


def test_a_landed_file_that_is_lost_is_no_verdict_on_the_file(home: Settings, tmp_path: Path) -> None:
    receipts, _ = pipeline.receive(home, _drop(tmp_path, "a.csv"), NIGHT)
    path_of(home, receipts[0].sha256).unlink()
    with pytest.raises(OutsideSystemFailed, match="gone"):
        list(pipeline.batches(home, receipts))


def test_a_landed_file_that_was_changed_is_never_read_and_delivered_again_is_whole(
    home: Settings, tmp_path: Path
) -> None:
    drop = _drop(tmp_path, "a.csv")
    receipts, _ = pipeline.receive(home, drop, NIGHT)
    landed = path_of(home, receipts[0].sha256)
    landed.chmod(0o600)
    landed.write_bytes(CONTENT.replace(b"H42", b"H43"))
    with ReaderPool(1) as readers, pytest.raises(OutsideSystemFailed, match="no longer what was received"):
        pipeline.stage_files(home, receipts, frozenset(), readers)
    again, _ = pipeline.receive(home, drop, NIGHT)
    with ReaderPool(1) as readers:
        (staged,) = pipeline.stage_files(home, again, frozenset(), readers)
    assert (staged.verdict, landed.read_bytes()) == ("loaded", CONTENT)


def test_batches_are_cut_by_what_workbooks_unpack_to(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def receipt(number: int) -> Receipt:
        return Receipt(source_id="mot_cua_xlsx", night=NIGHT, file_name=f"{number}.xlsx", sha256=f"{number:064}")

    monkeypatch.setattr(pipeline, "size_of", lambda *_: 1_000_000)
    monkeypatch.setattr(pipeline, "unpacked_size", lambda _: 100_000_000)
    cut = list(pipeline.batches(home, [receipt(number) for number in range(5)]))
    assert [len(batch) for batch in cut] == [1, 1, 1, 1, 1]
    monkeypatch.setattr(pipeline, "unpacked_size", lambda _: 40_000_000)
    assert [len(batch) for batch in pipeline.batches(home, [receipt(number) for number in range(5)])] == [3, 2]


def test_a_name_that_is_no_text_is_told_as_one(warehouse: Warehouse) -> None:
    warehouse.load(NIGHT, {"mot_cua_csv/Ti\udcea\udcff.csv": CONTENT})
    assert warehouse.files()["Ti\ufffd\ufffd.csv"]["verdict"] == "loaded"


@pytest.mark.parametrize("night", ["0206-01-01", "9999-12-31", "1899-12-31", "2026-02-30", "mai"])
def test_a_night_that_cannot_be_is_a_wrong_command(tmp_path: Path, night: str) -> None:
    told = CliRunner().invoke(app, ["load", "--drop", str(_drop(tmp_path)), "--as-of", night])
    assert told.exit_code == 2 and night in told.output
