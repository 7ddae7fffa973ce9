"""JSON of every kind: what is no JSON is refused whole, what is JSON and no list of records as well, and a record that
cannot be understood is refused alone. Read by the reader itself; `test_intake.py` loads records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exports import dossier, record
from tthc.domain.errors import FileRefused
from tthc.reference.layouts import read_layouts
from tthc.settings import settings
from tthc.staging.reader import Reading, read

SOUND = record(dossier("H42.8000-260105-0001"))
TEXT = json.dumps(SOUND, ensure_ascii=False)


def _apart(words: str) -> list[str]:
    return re.split("[ \n]+", words.strip())


# Beside values a record may hold: by the grammar of RFC 8259, written here and taken from nowhere.
NO_VALUES = _apart("""
01 -01 1. .5 1.e3 1e 1e+ 1eE2 +1 -  -a 0x10 1_000 １ 1,5 ∞ --1 1.2.3 2.e3 0e 0e+ 9.e+ -.5 -2. [1 [1, [1,] [,1] [,] [1,,2] [1 2]
[[1] ]1[ {1} {"a"} {"a":} {"a":1,} {"a":1,,"b":2} {,"a":1} {"a" 1} {"a":1 "b":2} {a:1} {'a':1} {"a":'b'} {1:1} {"a":1}}
{"a":{"b"} {[]:1} {"a":/**/1} {"a":1}# {"a":1}// "a 'a' a a" "\\x" "\\u12" "\\u12G4" "\\u" "\\ud8" "\\'" "\\0" "\\a"
True False None TRUE nulL nul truth undefined tru fals [true] [null  : , ; = ( <a> \\n "\\
""")
NO_VALUES += [
    '"a\tb"',
    '"a\nb"',
    '"a\x00b"',
    '"a\x1fb"',
    "{'a': 1}",
    "[1] [2]",
    "1 2",
    '"a" "b"',
    "\u00a0",
    "\u2028",
    "\ufeff",
]
NO_VALUES = [text for text in NO_VALUES if text != "[true]"]
VALUES = _apart("""
0 -0 1 -1 0.5 -0.0 1e5 1E5 1e+5 1e-5 0e1 0e+1 123.456e78 -1.5E-10 12345678901234567890123456789012345678901234567890
1e400 -1e400 1e-400 0.00000000000000000000000000000000000000000001 true false null "" "a" "\\u0061" "\\u00e9" "\\"" "\\\\" "\\/"
"\\b\\f\\n\\r\\t" "\\ud834\\udd1e" "\\ud800" "\\udc00\\ud800" "é" "ế" "𝄞" "\u007f" "\ufeff" [] [1] [1,2] [[]] [{}] {} {"":1} {"a":1}
{"a":{"b":[1,{"c":null}]}} [1,"a",null,true,{"a":[]}]
""")
VALUES += [
    '"\u2028"',
    "[ 1 ]",
    '{ "a" : 1 }',
    "[\n1\r\n,\t2]",
    '" a "',
    "[" * 400 + "]" * 400,
    '"' + "x" * 100_000 + '"',
]


def reading(tmp_path: Path, text: str | bytes) -> Reading:
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return read(path, read_layouts(settings())["dvcqg_json"])


def reason(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        reading(tmp_path, text)
    return refused.value.reason


def with_field(value: str, name: str = "GhiChu") -> str:
    """A list of one sound record that has one more field of this value, as written."""
    return f'[{TEXT[:-1]}, "{name}": {value}}}]'


@pytest.mark.parametrize("text", NO_VALUES, ids=repr)
def test_what_is_no_json_refuses_the_file_even_in_a_personal_field(tmp_path: Path, text: str) -> None:
    assert reason(tmp_path, with_field(text)) in {"JSON_SYNTAX", "FILE_TRUNCATED"}
    assert reason(tmp_path, f"[{text}]") in {"JSON_SYNTAX", "FILE_TRUNCATED", "JSON_SHAPE"}


@pytest.mark.parametrize("text", VALUES, ids=lambda text: text[:40].encode("unicode_escape").decode())
def test_any_value_may_stand_in_a_personal_field(tmp_path: Path, text: str) -> None:
    found = reading(tmp_path, with_field(text))
    assert (found.rows_read, found.table.num_rows, found.unlisted) == (1, 1, [])


@pytest.mark.parametrize("text", VALUES, ids=lambda text: text[:40].encode("unicode_escape").decode())
def test_any_value_may_stand_in_an_unlisted_field_or_where_a_record_is_due(tmp_path: Path, text: str) -> None:
    found = reading(tmp_path, with_field(text, "TruongMoi"))
    assert found.rows_read == 1 and all(name.startswith("TruongMoi") for name in found.unlisted)
    beside = reading(tmp_path, f"[{TEXT}, {text}, {TEXT}]")
    assert beside.table.column("row_no").to_pylist()[0] == 1 and beside.rows_read == 3
    if not text.startswith("{"):
        assert beside.ragged == [("", 2, "JSON_SHAPE")]
        assert reason(tmp_path, f"[{text}]") == "JSON_SHAPE"
    if text[:1] not in {"{", "["}:
        assert reason(tmp_path, text) == "JSON_SHAPE"


@pytest.mark.parametrize(
    "value",
    [value for value in VALUES if value not in {'""', "null"}],
    ids=lambda text: text[:40].encode("unicode_escape").decode(),
)
def test_a_value_of_another_shape_never_becomes_another_dossier_or_an_empty_list(tmp_path: Path, value: str) -> None:
    """A nested list is counted and summed: what is none must not read like an empty one."""
    changed = {name: field for name, field in SOUND.items() if name != "DanhSachLePhi"}
    text = json.dumps(changed)[:-1] + f', "DanhSachLePhi": {value}}}'
    fee = reading(tmp_path, f"[{text}]").table.column("fee_amount").to_pylist()[0]
    assert fee == ("" if value in {"[]", "[{}]"} else "{}")


def test_digits_are_kept_and_nothing_is_rounded(tmp_path: Path) -> None:
    for number in ("12345678901234567890", "1e400", "0.10", "-0", "1E5", "00"[:1]):
        text = TEXT.replace(json.dumps(SOUND["MaHoSo"]), number)
        assert reading(tmp_path, f"[{text}]").table.column("dossier_code").to_pylist() == [number]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[{TEXT}", "FILE_TRUNCATED"),
        (f"[{TEXT},", "FILE_TRUNCATED"),
        (f"[{TEXT[:-40]}", "FILE_TRUNCATED"),
        (f"[{TEXT}, {TEXT[:200]}", "FILE_TRUNCATED"),
        (f"[{TEXT}]]", "JSON_SYNTAX"),
        (f"[{TEXT}]\n[{TEXT}]", "JSON_SYNTAX"),
        (f"[{TEXT},]", "JSON_SYNTAX"),
        (f"[{TEXT} {TEXT}]", "JSON_SYNTAX"),
        (f"// danh sach\n[{TEXT}]", "JSON_SYNTAX"),
        (f"callback([{TEXT}])", "JSON_SYNTAX"),
        (f"{TEXT}\n{TEXT}\n", "JSON_SHAPE"),
        (TEXT, "JSON_SHAPE"),
        ('"a"', "JSON_SHAPE"),
        ("[1, 2, 3]", "JSON_SHAPE"),
        ("[[]]", "JSON_SHAPE"),
        ("[" * 100_000, "JSON_DEPTH"),
        ('[{"a":' * 50_000, "JSON_DEPTH"),
        (with_field("[" * 100_000 + "]" * 100_000), "JSON_DEPTH"),
        (f'[{TEXT[:-1]}, "MaHoSo": "x"}}]', "DUPLICATE_COLUMN"),
        (f'[{TEXT[:-1]}, "GhiChu": 1, "GhiChu": 2}}]', "DUPLICATE_COLUMN"),
        ("   ", "JSON_SYNTAX"),
        ("\ufeff", "JSON_SYNTAX"),
        (b"\xff\xfe\xff", "ENCODING"),
        (b"[\x80]", "ENCODING"),
        (f"[{TEXT}]".encode()[:-2] + "ế".encode()[:2], "FILE_TRUNCATED"),
        (f"[{TEXT}]".encode("utf-16-le"), "ENCODING"),
    ],
    ids=lambda part: part[:30] if isinstance(part, str) else None,
)
def test_a_file_that_is_no_list_of_records_has_its_reason(tmp_path: Path, text: str | bytes, expected: str) -> None:
    told = (
        {expected, "FILE_TRUNCATED"} if expected == "JSON_SYNTAX" and str(text).strip("\ufeff ") == "" else {expected}
    )
    if text == f"[{TEXT}]".encode("utf-16-le"):
        told = {"ENCODING", "JSON_SYNTAX"}  # without a mark these bytes are also text of one character each
    assert reason(tmp_path, text) in told


def test_utf16_with_its_mark_and_spaces_around_are_read(tmp_path: Path) -> None:
    for text in (
        f" \r\n\t[ {TEXT} ,\n {TEXT} ] \n",
        f"[{TEXT},{TEXT}]".encode("utf-16"),
        "\ufeff" + f"[{TEXT},{TEXT}]",
    ):
        assert reading(tmp_path, text).table.num_rows == 2


def test_an_object_that_names_a_field_twice_is_understood_by_nobody(tmp_path: Path) -> None:
    fee = json.dumps(SOUND)[:-1].replace('"DanhSachLePhi": [],', "")
    text = f'[{fee}, "DanhSachLePhi": [{{"Gia": "1", "Gia": "2"}}], "ChuHoSo2": {{"a": 1, "a": 2}}}}]'
    assert reading(tmp_path, text).table.column("fee_amount").to_pylist() == ["{}"]


def _spelt(value: Any, how: Callable[[str], str]) -> Any:
    """The same with other names of fields, at every depth."""
    if isinstance(value, dict):
        return {how(name): _spelt(part, how) for name, part in value.items()}
    return [_spelt(part, how) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("how", [str.upper, str.lower, " {} ".format], ids=["upper", "lower", "spaces"])
def test_names_in_another_spelling_are_those_of_the_layout_in_nested_lists_too(
    tmp_path: Path, how: Callable[[str], str]
) -> None:
    row = dossier("H42.8000-260105-0001", fee_amount="8.000", data_reused="x", supplement_count="1")
    row |= {"supplement_requested_at": "06/01/2026", "components_digitised": "x"}
    plain = reading(tmp_path, json.dumps([record(row)]))
    assert "8000" in plain.table.column("fee_amount").to_pylist()
    other = reading(tmp_path, json.dumps([_spelt(record(row), how)]))
    assert other.table.equals(plain.table) and other.unlisted == []


def test_half_characters_and_zeros_are_told_as_broken_ones(tmp_path: Path) -> None:
    text = TEXT.replace('"MaHoSo": "', '"MaHoSo": "\\ud800').replace('"GhiChu"', '"X"')[:-1]
    found = reading(tmp_path, f'[{text}, "la\\u0000\\udfff": "a", "{"b" * 50_000}": 1}}]')
    assert found.table.column("dossier_code").to_pylist()[0].startswith("\ufffd")
    assert "la\ufffd\ufffd" in found.unlisted and max(map(len, found.unlisted)) < 200
    "".join(found.header).encode()
