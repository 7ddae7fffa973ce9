"""Valid files changed at random: some in ways whose effect is known, to a row, and some blindly. A mutant is made from a
seed and its number alone, so that the one which failed can be made again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from exports import Row, csv_of, dossier, form_06a, json_list, table, workbook
from exports import counts as form_counts
from odd_files import SHEET, Members, members, packed

ROWS = 12
SOURCES = ("mot_cua_csv", "mot_cua_xlsx", "dvcqg_json")
Counts = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file. `expected`: (read, accepted, quarantined, dropped, duplicate) where the change has a known effect."""

    number: int
    change: str
    source: str
    content: bytes
    expected: Counts | None = None


def base_rows() -> list[Row]:
    """The dossiers every mutant is made of; each is sound and unlike the others."""
    rows = []
    for at in range(ROWS):
        ended = {"finished_at": f"{10 + at}/01/2026", "status": "9"} if at % 2 else {}
        channel = ("Trực tiếp", "Trực tuyến", "Bưu chính công ích (BCCI)")[at % 3]
        rows.append(
            dossier(
                f"H42.3-260105-{at:04d}",
                due_at=f"{12 + at}/01/2026",
                channel=channel,
                fee_amount=str(1000 * at),
                **ended,
                **{"Chủ hồ sơ": "NGƯỜI GIẢ"},
            )
        )
    return rows


def mutant(seed: int, number: int) -> Mutant:
    """The mutant of this number; the same for the same seed, on every machine."""
    random = Random(seed * 1_000_003 + number)
    if number % 4 == 0:
        return _known(random, number)
    if number % 16 == 1:
        form = form_06a([("Hộ tịch", form_counts(online=3, direct=4, on_time=5, in_time=2))])
        return Mutant(number, "a form", "tong_hop_06a_xlsx", _blindly(random, form))
    source = random.choice(SOURCES)
    return Mutant(number, "blind", source, _blindly(random, written(base_rows(), source, random)))


# Changes of known effect, on the rows
def _known(random: Random, number: int) -> Mutant:
    rows, source = base_rows(), random.choice(SOURCES)
    change = random.choice(list(_CHANGES))
    expected = _CHANGES[change](random, rows)
    return Mutant(number, change, source, written(rows, source, random), expected)


def _sound(random: Random, rows: list[Row]) -> Counts:
    del random
    return (len(rows), len(rows), 0, 0, 0)


def _drop(random: Random, rows: list[Row]) -> Counts:
    del rows[random.randrange(len(rows))]
    return (len(rows), len(rows), 0, 0, 0)


def _shuffle(random: Random, rows: list[Row]) -> Counts:
    random.shuffle(rows)
    return (len(rows), len(rows), 0, 0, 0)


def _twice(random: Random, rows: list[Row]) -> Counts:
    rows.insert(random.randrange(len(rows)), dict(random.choice(rows)))
    return (len(rows), len(rows) - 1, 0, 0, 1)


def _contradict(random: Random, rows: list[Row]) -> Counts:
    row = random.choice(rows)
    rows.append({**row, "fee_amount": "7"})
    return (len(rows), len(rows) - 2, 2, 0, 0)


def _spoil(column: str, *texts: str) -> Callable[[Random, list[Row]], Counts]:
    def change(random: Random, rows: list[Row]) -> Counts:
        random.choice(rows)[column] = random.choice(texts)
        return (len(rows), len(rows) - 1, 1, 0, 0)

    return change


_CHANGES: dict[str, Callable[[Random, list[Row]], Counts]] = {
    "nothing": _sound,
    "a row dropped": _drop,
    "rows shuffled": _shuffle,
    "a row twice": _twice,
    "a row that contradicts another": _contradict,
    "no dossier code": _spoil("dossier_code", "", " ", "\u200b"),
    "a status nobody knows": _spoil("status", "44", "Xong rồi", "0", "-1"),
    "another procedure code": _spoil("procedure_code", "1.00065", "1.0006567", "x", "１.000656", "1.000656.H42"),
    "another unit": _spoil("unit_name", "UBND xã Không Có", "Tien Dien", ""),
}


# Ways of writing the same rows
def written(rows: list[Row], source: str, random: Random | None = None) -> bytes:
    """The rows as a file of a source, plainly, or in any of the ways that mean the same."""
    if random is None:
        random = Random(0)
    if source == "dvcqg_json":
        return json_list(rows)
    cells = table(rows)
    order = list(range(len(cells[0])))
    random.shuffle(order)
    cells = [[line[at] for at in order] for line in cells]
    if source == "mot_cua_xlsx":
        dates = random.choice(("text", "real"))
        return workbook(cells, dates=dates)
    content = csv_of(cells, random.choice((",", ";", "\t")))
    if random.random() < 0.3:
        content = content.replace(b"\r\n", random.choice((b"\n", b"\r")))
    return random.choice((bytes, _marked, _wide))(content)


def _marked(content: bytes) -> bytes:
    return b"\xef\xbb\xbf" + content


def _wide(content: bytes) -> bytes:
    return content.decode().encode("utf-16")


# Blind changes, on the bytes
def _blindly(random: Random, content: bytes) -> bytes:
    if content.startswith(b"PK") and random.random() < 0.75:
        return _workbook(random, members(content))
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        content = random.choice((_flip, _flip, _cut, _repeat, _delete, _insert, _recode))(random, content)
    return content


def _place(random: Random, content: bytes) -> int:
    return random.randrange(len(content) + 1)


def _flip(random: Random, content: bytes) -> bytes:
    out = bytearray(content)
    for _ in range(random.choice((1, 2, 8))):
        if out:
            out[random.randrange(len(out))] = random.randrange(256)
    return bytes(out)


def _cut(random: Random, content: bytes) -> bytes:
    return content[: _place(random, content)]


def _repeat(random: Random, content: bytes) -> bytes:
    at, size = _place(random, content), random.choice((1, 20, 200, 2000))
    return content[:at] + content[at : at + size] * random.choice((2, 3, 50)) + content[at + size :]


def _delete(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    return content[:at] + content[at + random.choice((1, 5, 100)) :]


_HOSTILE = (
    b'"', b"\0", b"\r", b"\n\n", b",", b";", b"{", b"]", b"\xff", b"\xef\xbb\xbf", "\u202e".encode(), b"&#0;", b"<!DOCTYPE a>",
    b"nan", b"1e999", b"-", b"9" * 40, b"</row>", b"#REF!", "ế".encode()[:2], b"\\ud800", b"[" * 50, b"=1+1",
)  # fmt: skip


def _insert(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    return content[:at] + random.choice(_HOSTILE) * random.choice((1, 1, 3)) + content[at:]


def _recode(random: Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(random.choice(("utf-16", "utf-16-be", "cp1258", "cp1252", "utf-8-sig", "utf-7")), "replace")


def _workbook(random: Random, parts: Members) -> bytes:
    """Members changed before they are packed, so that checksums fit and what reads them has to cope."""
    names = list(parts)
    one, other = random.choice(names), random.choice(names)
    what = random.randrange(8)
    if what == 0:
        del parts[one]
    elif what == 1:
        parts[one], parts[other] = parts[other], parts[one]
    elif what == 2:
        parts[one] = _blindly(random, parts[one])
    elif what == 3:
        parts[other + random.choice(("x", ".xml", "/../x"))] = parts[one]
    elif what == 4:
        parts[SHEET] = _attributes(random, parts[SHEET])
    else:
        parts[SHEET] = random.choice((_flip, _repeat, _delete, _insert))(random, parts[SHEET])
    pairs = list(parts.items())
    if random.random() < 0.3:
        random.shuffle(pairs)
    return packed(pairs)


def _attributes(random: Random, sheet: bytes) -> bytes:
    """Some numbers and names within tags and cells are others."""
    found = list(re.finditer(rb'(?<=")[A-Z]{0,3}\d+(?=")|(?<=<v>)\d+(?=</v>)|(?<=t=")\w+(?=")', sheet))
    for match in sorted(random.sample(found, min(len(found), 3)), key=lambda match: -match.start()):
        text = random.choice(
            (b"0", b"-1", b"A1", b"B2", b"C3", b"ZZ9", b"XFD1048576", b"s", b"e", b"b", b"1e9", b"", b"99999")
        )
        sheet = sheet[: match.start()] + text + sheet[match.end() :]
    return sheet
