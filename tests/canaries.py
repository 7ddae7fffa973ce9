"""Made-up persons in every kind of file, and the search for them in whatever a run leaves behind.

The persons are synthetic and marked as such; nobody has these numbers.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import sqlite3
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import openpyxl

from exports import csv_list, csv_of, dossier, json_list, table, xlsx_list

NAME, OTHER_NAME, PAPER, PHONE = "NGƯỜI GIẢ QUỲNH NGỌC", "Người Giả Thạch Sanh", "042099771234", "0977123456"
CODES = [f"H42.18-260105-77{number:03d}" for number in range(130)]
CANARIES = frozenset({NAME, OTHER_NAME, PAPER, PHONE, *CODES})
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
PERSON = {"Chủ hồ sơ": NAME, "Số CCCD": PAPER, "Số điện thoại": PHONE}


def odd_files() -> dict[str, bytes]:
    """Good rows and rows refused for many reasons, columns nobody listed, files refused whole, and a telling file name
    and sheet; each with persons in it. Source folder / file name → content."""
    good = [dossier(code, **PERSON) for code in CODES[:6]]
    bad = [
        dossier(CODES[6], due_at="01/01/2026", **PERSON),
        dossier(CODES[7], status=NAME, **PERSON),
        dossier(CODES[8], channel=PHONE, **PERSON),
        dossier(CODES[9], fee_amount=PAPER + "x", unit_name=f"UBND xã {OTHER_NAME}", **PERSON),
        dossier(CODES[10], received_at=OTHER_NAME, **PERSON),
        dossier(CODES[11], procedure_code=PAPER, **PERSON),
        dossier(CODES[12], field_name=f"{NAME} {PHONE}", procedure_name=NAME, **PERSON),
    ]
    unlisted = table(good[:2])
    for row, cell in zip(unlisted, ["Ghi chú riêng", f"{OTHER_NAME} {PHONE}", f"{PAPER} {CODES[13]}"], strict=True):
        row.append(cell)
    fields = json.loads(json_list([dossier(CODES[14], **PERSON)]))
    fields[0] |= {"NguoiLienHe": {"HoTen": OTHER_NAME, "SoMay": PHONE}, f"GhiChu {CODES[15]}": CODES[15]}
    records = json.dumps(fields, ensure_ascii=False).encode()
    person_for_header = [[NAME, PAPER, PHONE, CODES[16]], [OTHER_NAME, PAPER, PHONE, CODES[16]]]
    return {
        "mot_cua_csv/tot-va-xau.csv": csv_list(good + bad),
        "mot_cua_csv/cot-la.csv": csv_of(unlisted),
        f"mot_cua_csv/HS_{CODES[17]}_{PHONE}.csv": csv_list([dossier(CODES[17], due_at="không rõ", **PERSON)]),
        f"mot_cua_csv/{PAPER}/{CODES[18]}.csv": csv_list([dossier(CODES[18], **PERSON)]),
        "mot_cua_csv/khong-tieu-de.csv": csv_of(person_for_header),
        "mot_cua_xlsx/khong-phai-so.xlsx": f"{NAME};{PAPER};{PHONE};{CODES[19]}".encode(),
        "mot_cua_xlsx/trang.xlsx": named_sheet(
            xlsx_list([dossier(CODES[20], **PERSON), dossier(CODES[21], status=OTHER_NAME, **PERSON)]), CODES[22]
        ),
        "dvcqg_json/truong-la.json": records,
        "dvcqg_json/cut.json": records[:-9],
    }


def named_sheet(workbook: bytes, title: str) -> bytes:
    """The same workbook with another name of its sheet."""
    book, out = openpyxl.load_workbook(io.BytesIO(workbook)), io.BytesIO()
    book.worksheets[0].title = title
    book.save(out)
    return out.getvalue()


def persons(text: str, canaries: Iterable[str] = CANARIES) -> set[str]:
    """The canaries a text holds, also in capitals, decomposed, or escaped as JSON and HTML do."""
    spellings = {text, html.unescape(text)}
    spellings.add(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))
    seen = unicodedata.normalize("NFC", "\n".join(spellings)).casefold()
    return {canary for canary in canaries if unicodedata.normalize("NFC", canary).casefold() in seen}


def leaks(sinks: Iterable[tuple[str, str]], canaries: Iterable[str] = CANARIES) -> set[tuple[str, str]]:
    """(sink, canary) of every canary found."""
    wanted = list(canaries)
    return {(name, canary) for name, text in sinks for canary in persons(text, wanted)}


def texts_below(folder: Path, without: Iterable[Path] = ()) -> Iterator[tuple[str, str]]:
    """Name and text of every file, and the names of files; archives and workbooks part by part."""
    left_out = tuple(without)
    for path in folder.rglob("*"):
        if any(path.is_relative_to(other) for other in left_out):
            continue
        yield f"name of {path}", str(path.relative_to(folder))
        if not path.is_file():
            continue
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for part in archive.namelist():
                    yield f"{path}!{part}", archive.read(part).decode("utf-8", "replace")
        else:
            yield str(path), _unpacked(path.read_bytes())


def sqlite_tables(path: Path) -> Iterator[tuple[str, str]]:
    """Every row of every table of Airflow's database."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            rows = connection.execute(f'select * from "{name}"').fetchall()
            yield (
                name,
                "\n".join(_unpacked(cell) if isinstance(cell, bytes) else str(cell) for row in rows for cell in row),
            )


def warehouse_tables(query: Callable[[str], Iterable[Iterable[Any]]]) -> Iterator[tuple[str, str]]:
    """Every row of every table of a warehouse; `query`: statement → rows."""
    tables = query(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema')"
    )
    for (name,) in list(tables):
        yield name, "\n".join(str(line) for (line,) in query(f"select t::text from {name} as t"))


def _unpacked(content: bytes) -> str:
    """Packed bytes unpacked; a byte that is no text does not hide the text around it."""
    for unpack in (gzip.decompress, zlib.decompress):
        with suppress(OSError, EOFError, zlib.error):
            return unpack(content).decode("utf-8", "replace")
    return content.decode("utf-8", "replace")
