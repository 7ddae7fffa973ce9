"""What a province exports on one night: which dossiers, in which file, on which row, with which seeded dirt."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random

from tthc.domain.dossier import Dossier
from tthc.simulation.dirt import DUPLICATES, Dirt, Place
from tthc.simulation.lists import FIRST_ROW, SHEET, Line, hand_of, write_csv, write_xlsx
from tthc.simulation.province import LISTS, RECORDS, Province
from tthc.simulation.readings import day_of
from tthc.simulation.records import write_json

_BLANK_ROW, _FOOTER = 0.15, 0.3  # shares of the files that have one

Mention = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Seeded:
    """Where the dirt of a night lies. `row_no` is the row of the sheet from 1, in JSON the place in the array."""

    dirt: list[Mention] = field(default_factory=list)
    duplicates: list[Mention] = field(default_factory=list)
    blank_rows: list[Mention] = field(default_factory=list)
    footers: list[Mention] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # file → rows that hold a dossier, broken and repeated ones too


def write_exports(directory: Path, province: Province, dirt: list[Dirt] | None, night: date, *, whole: bool) -> Seeded:
    """One file per unit and source that has a dossier to tell of; `dirt` None leaves every file spotless.

    `whole`: every dossier known by the night, else those open or changed of late.
    """
    seeded = Seeded()
    files = _lines(province, dirt or [], night, whole=whole)
    largest = {place[0]: place for place in sorted(files, key=lambda place: (len(files[place]), place))}
    for (source, unit), lines in sorted(files.items()):
        rng = Random(f"{province.seed}/{source}/{unit}")
        hand = hand_of(rng)
        always = largest[source] == (source, unit)
        footer = dirt is not None and source in LISTS and (rng.random() < _FOOTER or always)
        blank = dirt is not None and source in LISTS and (rng.random() < _BLANK_ROW or always)
        rows: list[Line | None] = list(lines)
        if dirt is not None:
            _spoil(rows, Random(f"{province.seed}/{source}/{unit}/{night}"), blank=blank, repeat=always)
        path = directory / source / f"{unit}.{source.rpartition('_')[2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if source == RECORDS:
            write_json(path, [line for line in rows if line])
        elif source == "mot_cua_csv":
            write_csv(path, rows, hand, footer=footer)
        else:
            write_xlsx(path, rows, hand, footer=footer, night=night)
        _mention(seeded, source, path.name, rows, footer=footer)
    return seeded


def _lines(province: Province, dirt: list[Dirt], night: date, *, whole: bool) -> dict[Place, list[Line]]:
    """The numbered lines of every file of a night, dirt between the others."""
    known: dict[Place, list[tuple[Dossier, int, Dirt | None]]] = defaultdict(list)
    for life in province.lives:
        state = life.exported_on(night, whole=whole)
        for source in filter(None, (life.source_id, life.also_in)):
            if state:
                known[source, state.unit_code].append((state, life.person, None))
    for broken in dirt:
        entries = known[broken.source_id, broken.dossier.unit_code]
        entries.insert(broken.person % (len(entries) + 1), (broken.dossier, broken.person, broken))
    return {
        place: [_line(province, number, *entry) for number, entry in enumerate(entries, start=1)]
        for place, entries in known.items()
    }


def _line(province: Province, number: int, dossier: Dossier, person: int, dirt: Dirt | None) -> Line:
    on = day_of(dossier.received_at) or day_of(dossier.submitted_at) or province.first_day
    return Line(
        number=number,
        dossier=dossier,
        unit_name=province.offices[dossier.unit_code].name_on(on),
        person=person,
        raw=dirt.raw if dirt else {},
        rule_id=dirt.rule_id if dirt else None,
        column=dirt.column if dirt else None,
    )


def _spoil(rows: list[Line | None], rng: Random, *, blank: bool, repeat: bool) -> None:
    """Repeat a sound row exactly, and put a blank row somewhere in the middle."""
    sound = [line for line in rows if line and line.rule_id is None]
    times = int(repeat) + (rng.random() < DUPLICATES * len(sound))
    for line in rng.sample(sound, k=min(times, len(sound))):
        rows.insert(rng.randrange(rows.index(line) + 1, len(rows) + 1), line)
    if blank:
        rows.insert(len(rows) // 2, None)


def _mention(seeded: Seeded, source: str, name: str, rows: list[Line | None], *, footer: bool) -> None:
    seen: set[str] = set()
    sheet = SHEET if source == "mot_cua_xlsx" else ""
    number = FIRST_ROW[source] - 1
    for number, line in enumerate(rows, start=FIRST_ROW[source]):
        where: Mention = {"source_id": source, "file": name, "sheet": sheet, "row_no": number}
        if line is None:
            seeded.blank_rows.append(where)
        elif line.rule_id:
            seeded.dirt.append(where | {"rule_id": line.rule_id, "column": line.column or ""})
        elif line.dossier.dossier_code in seen:
            seeded.duplicates.append(where)
        else:
            seen.add(line.dossier.dossier_code)
    if footer:
        seeded.footers.append({"source_id": source, "file": name, "sheet": sheet, "row_no": number + 1})
    seeded.rows[f"{source}/{name}"] = sum(line is not None for line in rows)
