"""A long CSV file read in pieces, and a sheet followed block by block, say what the whole says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from exports import csv_list, dossier, xlsx_list
from odd_files import sheet_of
from tthc.domain.errors import FileRefused
from tthc.reference.layouts import read_layouts
from tthc.settings import settings
from tthc.staging import at_once, inspect_workbook, read_csv
from tthc.staging.careful_csv import read_carefully
from tthc.staging.reader import Reading
from tthc.staging.reader_process import ReaderPool
from tthc.staging.sheet_cells import SheetCells

LINES = st.lists(
    st.sampled_from(
        [
            "a,b",
            '"a",b',
            'a,"b,c"',
            '"a\nb",c',
            'a,"b',
            'x"y,"z',
            "a",
            "a,b,c",
            "ế,Đ",
            'a,"b""c"',
            "a\rb,c",
            'b",c',
            '"',
            'a,"b"x',
        ]
    ),
    min_size=1,
    max_size=8,
)


@profile(max_examples=600, deadline=None, derandomize=True)
@given(LINES, st.booleans(), st.integers(1, 12), st.sampled_from([set(), {1}, {0, 1}]))
def test_pieces_say_what_the_careful_reader_says(lines: list[str], ended: bool, size: int, left: set[int]) -> None:
    """Of the whole at once: also where a cell goes on in the next piece, or a lone quote stands in one of them."""
    data = ("\n".join(lines) + ("\n" if ended else "")).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_csv, "_PIECE", size)
        try:
            whole = read_carefully(data, b"", ",", 2, 1)
        except FileRefused as refused:
            with pytest.raises(FileRefused, match=re.escape(refused.detail)):
                read_csv._Table(data, read_csv._Form(",", 2), left, read_csv._pieces(data, 0), 1)
            return
        table = read_csv._Table(data, read_csv._Form(",", 2), left, read_csv._pieces(data, 0), 1)
        if set(lines) <= {"a,b", "ế,Đ"}:
            assert all(part.plain for part in table.parts)
        if table.form.width > 2:  # every line has one cell more than the header, an empty one
            assert all(line.endswith(",") for line in data.decode().splitlines())
            return
        read, every = table.columns(), list(range(len(whole.numbers)))
        unread = table.unread(every)
        assert table.row_numbers().to_pylist() == [number + 1 for number in whole.numbers]
        assert [odd for part in table.parts for odd in part.odd] == [(row + 1, why) for row, why in whole.odd]
        assert list(table.padded()) == whole.padded
        assert unread.keys() == left
        for at, cells in enumerate(whole.columns):
            assert (unread[at] if at in left else read[at]).to_pylist() == cells.to_pylist()
            assert table.unread(every[1::2]).get(at, cells[1::2]).to_pylist() == cells[1::2].to_pylist()


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"a" ,"b"  ', ["a", "b"]),
        ('"a"b,c', ['"a"b', "c"]),
        ('Công ty "A" B,c', ['Công ty "A" B', "c"]),
        ('"Công ty "A" B",c', ['"Công ty "A" B"', "c"]),
        ('"Công ty ""A"" B",c', ['Công ty "A" B', "c"]),
        (' "a",b', [' "a"', "b"]),
    ],
)
def test_quotes_are_kept_but_around_a_whole_cell(line: str, cells: list[str]) -> None:
    data = (line + "\nx,y\n").encode()
    table = read_csv._Table(data, read_csv._Form(",", 2), set(), read_csv._pieces(data, 0), 1)
    assert [column[0].as_py() for column in table.columns()] == cells


WORKBOOK = xlsx_list([dossier(f"H42.1-260105-{number:04d}") for number in range(12)])
CELLS = [
    f'<c r="{letters}{row}" t="s"><v>1</v></c>' for row in (1, 2, 10, 1048576) for letters in ("A", "Z", "AA", "XFD")
]


@pytest.mark.parametrize("form", ["{}", "<x:{}", "{} ", "<c s='1' {}"])
@pytest.mark.parametrize("block", [1, 7, 64, 5000])
def test_a_sheet_is_followed_however_it_is_cut_and_written(form: str, block: int) -> None:
    written = {"{}": lambda cell: cell, "<x:{}": lambda cell: cell.replace("<c ", "<x:c ")}.get(
        form, lambda cell: cell.replace('<c r="', "<c s='1' r=\"")
    )
    for cells, in_order in ((CELLS, True), ([*CELLS, CELLS[-1]], False), (CELLS[::-1], False), (CELLS[:2] * 2, False)):
        sheet = "".join(map(written, cells)).encode() + b"</sheetData>"
        seen = SheetCells()
        for at in range(0, len(sheet), block):
            seen.add(sheet[at : at + block])
        assert seen.in_order == in_order
        if len(cells) >= len(CELLS):
            assert (seen.rows, seen.columns) == (1048576, 16384)


@pytest.mark.parametrize("block", range(600, 680))
def test_a_workbook_is_sound_wherever_a_block_of_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Also within the number of a text, of which the rest stands in the next block."""
    monkeypatch.setattr(inspect_workbook, "_BLOCK", block)
    (tmp_path / "a").write_bytes(WORKBOOK)
    look = inspect_workbook.look_into(tmp_path / "a")
    assert (look.odd, look.rows) == (None, 13)


@pytest.mark.parametrize("block", range(600, 680, 7))
@pytest.mark.parametrize("pointer", ["x", "", "-1", "1234567890", "1.5"])
def test_a_pointer_at_no_text_is_found_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, pointer: str
) -> None:
    monkeypatch.setattr(inspect_workbook, "_BLOCK", block)
    rows = [f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, 30)]
    rows[20] = rows[20].replace("<v>0<", f"<v>{pointer or ' '}<")
    (tmp_path / "a").write_bytes(sheet_of("".join(rows)))
    with pytest.raises(inspect_workbook.FileRefused, match="points at no text"):
        inspect_workbook.look_into(tmp_path / "a")


def test_a_table_handed_over_in_parts_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = at_once._LONG + 1
    head, row = csv_list([dossier("H42.1-260105-0000")]).split(b"\r\n")[:2]
    (tmp_path / "a").write_bytes(
        head + b"\n" + b"\n".join(row.replace(b"260105-0000", b"260105-%d" % number) for number in range(count))
    )
    with ReaderPool(1) as pool:
        reading = pool.read(tmp_path / "a", read_layouts(settings())["mot_cua_csv"])
    assert isinstance(reading, Reading)
    assert reading.table["dossier_code"].to_pylist() == [f"H42.1-260105-{number}" for number in range(count)]
    assert reading.table["row_no"].to_pylist() == list(range(2, count + 2))
