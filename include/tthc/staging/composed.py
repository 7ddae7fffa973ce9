"""Whether a column's text is plain or composed (NFC), judged by its bytes at once; what is not is composed.

Nearly every column is: its letters are ASCII, or those Vietnamese is written in. So only the others are taken apart.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BLOCK = 1 << 18  # bytes that stay in a processor's cache from one test to the next


def composed(table: pa.Table) -> pa.Table:
    """The same columns of text, composed (NFC). One after the other: shared out, so short a work loses more by waiting
    for the interpreter."""
    columns = [pa.chunked_array(map(_composed_part, column.chunks), pa.string()) for column in table.columns]
    return pa.table(columns, table.column_names)


def _composed_part(column: pa.Array) -> pa.Array:
    if is_composed(_bytes_of(column)):
        return column
    words = column.dictionary_encode()
    normal = pc.utf8_normalize(words.dictionary, form="NFC")
    return column if normal.equals(words.dictionary) else pc.take(normal, words.indices)


def is_ascii(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether no cell holds a letter beyond ASCII."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return all(_greatest(_bytes_of(chunk)) < 0x80 for chunk in chunks)


def _bytes_of(column: pa.Array) -> np.ndarray:
    """What the cells of a string array hold, one behind the other."""
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return np.empty(0, np.uint8)
    first, last = np.frombuffer(offsets, np.int32)[[column.offset, column.offset + len(column)]]
    return np.frombuffer(data, np.uint8)[first:last]


def _greatest(data: np.ndarray) -> int:
    return int(data.max(initial=0))


def is_composed(data: np.ndarray) -> bool:
    """Whether all letters are ASCII, U+0080 to U+02FF or U+1E80 to U+1EFF, of which NFC changes none in any company.
    In UTF-8 they begin with C2 to CB, or with E1 BA or E1 BB."""
    if _greatest(data) < 0xCC:
        return True
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK + 1]  # with the first byte of the next one
        if _greatest(block) > 0xE1 or (block - np.uint8(0xCC) < 0xE1 - 0xCC).any():
            return False
        if ((block[:-1] == 0xE1) & (block[1:] & 0xFE != 0xBA)).any():
            return False
    return True
