"""Rows that must be refused: a few synthetic dossiers, each breaking one rule, which never appear in a clean state."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from tthc.domain.dossier import Channel, Dossier, Status
from tthc.simulation.province import RECORDS, SOURCES, Province

SHARE = 0.0005  # of the dossiers, for each rule
MOST_OF_A_FILE = 0.2  # broken rows for one clean row, below what would have the file held
DUPLICATES = 0.001  # of the rows of a night


Place = tuple[str, str]  # source, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """A dossier that breaks one rule, in one file, every night; `raw` stands in a cell instead."""

    rule_id: str
    column: str
    source_id: str
    person: int
    dossier: Dossier
    raw: dict[str, str] = field(default_factory=dict)


def seed_dirt(province: Province, start: date) -> list[Dirt]:
    """The dirt of a province: each rule in turn in every source, in the file where it is most diluted.

    A province too small to hide a broken row goes without: a file with too many of them would be held as a whole.
    """
    rng = Random(f"{province.seed}/dirt")
    rows, days = _rows_of_files(province, start)
    dirty: Counter[Place] = Counter()
    seeded: list[Dirt] = []
    for number in range(max(1, round(len(province.lives) * SHARE))):
        for turn, (rule_id, break_) in enumerate(_RULES.items()):
            source = SOURCES[(number + turn) % len(SOURCES)]
            files = [file for file in sorted(rows) if dirty[file] + 1 <= MOST_OF_A_FILE * rows[file]]
            files = [file for file in files if file[0] == source] or files
            if not files:
                continue
            place = min(files, key=lambda file: (dirty[file] + 1) / rows[file])
            dirty[place] += 1
            dossier = _sound(rng, province, place[1], rng.choice(days[place]), 9001 + len(seeded))
            sound = Dirt(rule_id=rule_id, column="", source_id=place[0], person=0, dossier=dossier)
            seeded.append(break_(sound, province.last_night))
    return [replace(dirt, person=900_000 + number) for number, dirt in enumerate(seeded, start=1)]


def _rows_of_files(province: Province, start: date) -> tuple[dict[Place, int], dict[Place, list[date]]]:
    """Clean rows of each file, on the first or the last night, whichever has fewer; days it received dossiers on."""
    first, last = Counter[Place](), Counter[Place]()
    days: dict[Place, list[date]] = defaultdict(list)
    for life in province.lives:
        began, state = life.states[0]
        place = life.source_id, state.unit_code
        first[place] += life.exported_on(start, whole=True) is not None
        last[place] += life.exported_on(province.last_night, whole=start == province.last_night) is not None
        if began <= start:
            days[place].append(began)
    return {place: fewest for place in days if (fewest := min(first[place], last[place]))}, days


def _sound(rng: Random, province: Province, unit_code: str, day: date, number: int) -> Dossier:
    """An ordinary dossier in process, received on a day on which its unit received others, still without a flaw."""
    procedure = rng.choice(sorted(province.procedures.values(), key=lambda procedure: procedure.procedure_code))
    return Dossier(
        dossier_code=f"{province.offices[unit_code].prefix}-{day:%y%m%d}-{number:04d}",
        procedure_code=procedure.procedure_code,
        procedure_name=procedure.procedure_name,
        field_name=procedure.field_name,
        unit_code=unit_code,
        status=Status.IN_PROCESS,
        channel=Channel.DIRECT,
        submitted_at=day,
        received_at=day,
        due_at=province.calendar.add(day, 5),
    )


def _due_before_received(dirt: Dirt, last: date) -> Dirt:
    return _changed(dirt, "due_at", due_at=_received(dirt) - timedelta(days=3))


def _finished_before_received(dirt: Dirt, last: date) -> Dirt:
    before = _received(dirt) - timedelta(days=2)
    return _changed(dirt, "finished_at", status=Status.RESOLVED, finished_at=before)


def _date_invalid(dirt: Dirt, last: date) -> Dirt:
    column = "due_at" if dirt.dossier.dossier_code.endswith(("1", "3", "5", "7", "9")) else "received_at"
    year = _received(dirt).year
    return replace(
        dirt, column=column, raw={column: f"{year}0231080000" if dirt.source_id == RECORDS else f"31/02/{year}"}
    )


def _date_future(dirt: Dirt, last: date) -> Dirt:
    received = last + timedelta(days=40)
    return _changed(dirt, "received_at", received_at=received, due_at=received + timedelta(days=7))


def _unknown_status(dirt: Dirt, last: date) -> Dirt:
    word = "99" if dirt.source_id == RECORDS else "Đang chờ ý kiến giả định"
    return replace(dirt, column="status", raw={"status": word})


def _unknown_unit(dirt: Dirt, last: date) -> Dirt:
    return replace(dirt, column="unit_name", raw={"unit_name": "UBND xã Không Có Thật"})


def _code_malformed(dirt: Dirt, last: date) -> Dirt:
    return _changed(dirt, "procedure_code", procedure_code="2.00A15")


def _finish_missing(dirt: Dirt, last: date) -> Dirt:
    return _changed(dirt, "finished_at", status=Status.RESOLVED)


def _finish_unexpected(dirt: Dirt, last: date) -> Dirt:
    return _changed(dirt, "finished_at", finished_at=_received(dirt))


def _changed(dirt: Dirt, column: str, **changes: Any) -> Dirt:
    return replace(dirt, column=column, dossier=replace(dirt.dossier, **changes))


def _received(dirt: Dirt) -> date:
    assert dirt.dossier.received_at is not None
    return dirt.dossier.received_at


_RULES: dict[str, Callable[[Dirt, date], Dirt]] = {
    "DUE_BEFORE_RECEIVED": _due_before_received,
    "FINISHED_BEFORE_RECEIVED": _finished_before_received,
    "DATE_INVALID": _date_invalid,
    "DATE_FUTURE": _date_future,
    "UNKNOWN_STATUS": _unknown_status,
    "UNKNOWN_UNIT": _unknown_unit,
    "CODE_MALFORMED": _code_malformed,
    "FINISH_MISSING": _finish_missing,
    "FINISH_UNEXPECTED": _finish_unexpected,
}
RULES = tuple(_RULES)
