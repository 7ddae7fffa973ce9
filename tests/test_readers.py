"""The processes that read: one that dies, hangs or swells refuses its file alone and is replaced; none can write or speak.
And the fast way through a workbook says what the slow one says."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from exports import csv_list, dossier, workbook, xlsx_list
from odd_files import sheet_of
from tthc.reference.layouts import read_layouts
from tthc.settings import settings
from tthc.staging import read_xlsx, reader_process
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool

SOUND = [dossier(f"H42.1-260105-{number:04d}") for number in range(50)]


def _file(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def _reason(answer: Any) -> str:
    return "read" if isinstance(answer, Reading) else answer.reason


def test_a_file_that_kills_its_reader_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    """Cells without names may lie anywhere, and a reader that makes room for all of them dies of it."""
    sparse = "<row>" + "<c><v>1</v></c>" * 300_000 + "</row>" + "<row><c><v>1</v></c></row>" * 100_000
    killer, sound = _file(tmp_path, "a", sheet_of(sparse)), _file(tmp_path, "b", xlsx_list(SOUND))
    layout = read_layouts(settings())["mot_cua_xlsx"]
    with ReaderPool(2) as pool:
        answers = list(pool.read_all((path, layout) for path in (sound, killer, sound, sound)))
    assert [_reason(answer) for answer in answers] == ["read", "READER_DIED", "read", "read"]
    assert all(answer.table.num_rows == 50 for answer in answers if isinstance(answer, Reading))


def test_a_file_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = read_layouts(settings())["mot_cua_csv"]
    hanging = replace(layout, titles={"unit_name": r"^((a+)+)+$"})
    stuck = _file(tmp_path, "a", b"a" * 64 + b"!\n" + csv_list(SOUND))
    monkeypatch.setattr(reader_process, "WALL_SECONDS", 2.0)
    with ReaderPool(1) as pool:
        assert _reason(pool.read(stuck, hanging)) == "READER_TIMEOUT"
        monkeypatch.setattr(reader_process, "WALL_SECONDS", 90.0)
        assert _reason(pool.read(_file(tmp_path, "b", csv_list(SOUND)), layout)) == "read"


def test_a_reader_that_swells_is_ended_before_it_fills_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = read_layouts(settings())["mot_cua_csv"]
    large = _file(tmp_path, "a", csv_list(SOUND * 4000))
    monkeypatch.setattr(reader_process, "RESIDENT_BYTES", 60 * 1024**2)
    with ReaderPool(1) as pool:
        assert _reason(pool.read(large, layout)) == "MEMORY_LIMIT"
        monkeypatch.setattr(reader_process, "RESIDENT_BYTES", 1400 * 1024**2)
        assert _reason(pool.read(large, layout)) == "read"


CONFINED = """
import os, resource, socket, sys
from tthc.staging.confine import confine
confine()
done = []
for what, attempt in {
    "write": lambda: open(sys.argv[1] + "/new", "w"),
    "append": lambda: open(sys.argv[1] + "/old", "a"),
    "remove": lambda: os.unlink(sys.argv[1] + "/old"),
    "make": lambda: os.mkdir(sys.argv[1] + "/folder"),
    "speak": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=5),
}.items():
    try:
        attempt()
        done.append(what)
    except OSError:
        pass
print(open(sys.argv[1] + "/old").read(), *done)
"""


def test_a_reader_can_read_and_neither_write_nor_speak(tmp_path: Path) -> None:
    import socket

    (tmp_path / "old").write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        told = subprocess.run(
            [sys.executable, "-c", CONFINED, tmp_path, port], capture_output=True, text=True, check=True
        )
    words = told.stdout.split()
    assert words[0] == "kept" and not {"write", "append", "remove", "make"} & set(words[1:])
    assert "speak" not in words or not hasattr(os, "geteuid") or os.geteuid() != 0


def test_a_reader_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTHC_HMAC_KEY", "a key nobody may see")
    with ReaderPool(1) as pool:
        pool.read(_file(tmp_path, "a", csv_list(SOUND)), read_layouts(settings())["mot_cua_csv"])
        worker = pool._idle.get()
        assert worker is not None
        assert b"TTHC" not in Path(f"/proc/{worker.process.pid}/environ").read_bytes()
        pool._idle.put(worker)


def _exact(path: Path, decimal: str) -> list[list[str]]:
    """The meaning of cells written down plainly, cell by cell, from what python-calamine gives."""
    with python_calamine.load_workbook(path) as book:
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [[_plain(cell, decimal) for cell in row] for row in rows]


def _plain(cell: Any, decimal: str) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell == int(cell) else repr(cell).replace(".", decimal)
    if isinstance(cell, datetime):
        return (cell + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if hasattr(cell, "year"):
        return f"{cell.isoformat()}T00:00:00"
    return str(cell)


MOMENTS = st.datetimes(datetime(1999, 1, 1), datetime(2060, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
KINDS = [
    st.text("aăâ éế1.,-/ \u00a0", max_size=8),
    st.integers(-(10**12), 10**12),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 4)),
    MOMENTS,
    MOMENTS.map(lambda moment: moment.replace(hour=0, minute=0, second=0)),
    st.sampled_from(["2026-01-12 00:00:00", "12/01/2026", "1.000656", "0.5", "46034", "TRUE", "#N/A"]),
    st.none(),
]
COLUMNS = (
    "Mã hồ sơ",
    "Mã TTHC",
    "Đơn vị tiếp nhận",
    "Ngày tiếp nhận",
    "Hình thức nộp",
    "Trạng thái",
    "Chủ hồ sơ",
    "Phí, lệ phí",
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[Any]], bool]:
    """A sheet whose columns hold one kind of cell, or several; the header may stand lower."""
    count = draw(st.integers(1, 6))
    columns = []
    for _ in COLUMNS:
        kinds = st.one_of(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2)))
        columns.append(draw(st.lists(kinds, min_size=count, max_size=count)))
    above = [[]] * draw(st.integers(0, 3))
    return [*above, list(COLUMNS), *map(list, zip(*columns, strict=True))], draw(st.booleans())


@profile(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(tables())
def test_columns_read_at_once_say_what_the_cells_say_one_by_one(
    tmp_path: Path, made: tuple[list[list[Any]], bool]
) -> None:
    cells, from_1904 = made
    path = _file(tmp_path, "a.xlsx", workbook(cells, epoch_1904=from_1904))
    layout = read_layouts(settings())["mot_cua_xlsx"]
    ((grid,), hidden, _) = read_xlsx.grids_of(path, layout)
    told = list(map(list, zip(*(column.to_pylist() for column in grid.columns), strict=True)))
    exact = _exact(path, layout.decimal)[grid.first_row - 1 :]
    personal = COLUMNS.index("Chủ hồ sơ")  # read as text in any form, for nobody reads it
    for row in (*told, *exact):
        del row[personal]
    assert (told, hidden) == (exact, 0)
