"""Text judged by its bytes at once is composed exactly as text looked at cell by cell; the short copy of a workbook that
only its header is looked for in says the same texts as the whole."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from exports import dossier, xlsx_list
from tthc.reference.layouts import read_layouts
from tthc.settings import settings
from tthc.staging import read_xlsx
from tthc.staging.composed import composed, is_ascii, is_composed

LETTERS = [chr(number) for number in range(1, sys.maxunicode + 1) if not 0xD800 <= number <= 0xDFFF]
CELLS = st.lists(
    st.one_of(st.none(), st.text("aZ1 ấđỘôƠ\u0302\u0301\u0323\u00c5\u212b\u0340\u2000각\u1100", max_size=5))
)


def test_no_letter_that_composing_changes_passes_for_composed() -> None:
    """Every letter of Unicode, alone and behind letters it might join."""
    for letter in LETTERS:
        text = f"e{letter}ê{letter}"
        if unicodedata.normalize("NFC", text) != text:
            assert not is_composed(np.frombuffer(text.encode(), np.uint8)), f"U+{ord(letter):04X}"


def test_what_vietnamese_is_written_in_passes_without_being_taken_apart() -> None:
    words = "Đăng ký khai sinh, Ủy ban nhân dân xã Ỷ Lan, ƯỚC NGUYỆN, ẵ ẫ ậ ặ ẽ ễ ệ ĩ ị õ ỗ ộ ỡ ợ ũ ụ ữ ự ỹ ỵ đ"
    assert is_composed(np.frombuffer(words.encode(), np.uint8))


@profile(max_examples=200, deadline=None, derandomize=True)
@given(CELLS, st.integers(0, 3), st.integers(1, 9))
def test_a_columnis_composed_cell_by_cell(cells: list[str | None], skipped: int, block: int) -> None:
    """Whatever part of an array it is, in whatever pieces, and wherever a block of bytes ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tthc.staging.composed._BLOCK", block)
        column = pa.array([*["e\u0301"] * skipped, *cells, "x\u0301"], pa.string())[skipped : skipped + len(cells)]
        wanted = [None if cell is None else unicodedata.normalize("NFC", cell) for cell in cells]
        pieces = pa.chunked_array([column[:2], column[2:]], pa.string())
        for cut in (column, pieces):
            assert composed(pa.table({"a": cut, "b": column})).to_pydict() == {"a": wanted, "b": wanted}
        plain = all(cell is None or cell.isascii() for cell in cells)
        assert is_ascii(column) == is_ascii(pieces) == plain


def _texts(count: int) -> bytes:
    return b"<sst>" + b"".join(b"<si><t>%d</t></si>" % number for number in range(count)) + b"</sst>"


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (b'<c r="A1" t="s"><v>2</v></c><c r="B1" t="s"><v>0</v></c>', 3),
        (b'<c r="A1" t="s"><f>A2</f><v>7</v></c><c r="B1" t="s"><v>0</v></c>', 9),
        (b'<c r="A1" t=\'s\'><v>7</v></c><c r="B1" t="s"><v>0</v></c>', 9),
        (b'<c r="A1" t="s"><v>12</v></c>', 9),
    ],
    ids=["as usual", "a formula", "written otherwise", "points at nothing"],
)
def test_texts_are_left_out_only_where_every_pointer_is_known(cells: bytes, kept: int) -> None:
    assert read_xlsx._first_texts(_texts(9), cells) == _texts(kept)


def test_an_empty_text_counts_as_one() -> None:
    texts = b"<x:sst><x:si/><x:si><x:t>a</x:t></x:si><x:si><x:t>b</x:t></x:si></x:sst>"
    wanted = b"<x:sst><x:si/><x:si><x:t>a</x:t></x:si></x:sst>"
    assert read_xlsx._first_texts(texts, b'<x:c t="s"><x:v>1</x:v></x:c>') == wanted


def test_a_long_list_is_opened_short_for_its_header(tmp_path: Path) -> None:
    rows = [dossier(f"H42.1-260105-{number:04d}") for number in range(300)]
    (tmp_path / "a").write_bytes(xlsx_list(rows))
    layout = read_layouts(settings())["mot_cua_xlsx"]
    short = read_xlsx._first_rows(tmp_path / "a", layout)
    assert not isinstance(short, Path) and len(short.getvalue()) < 40_000
    ((grid,), *_) = read_xlsx.grids_of(tmp_path / "a", layout)
    assert "Mã hồ sơ" in grid.header and len(grid.columns[0]) == 300
