"""A walk: what happens to a warehouse step by step, drawn from a seed. Files of new nights, late ones, files sent again,
quarantine judged again, definitions, weights, working days and the order of trust changed, quarters handed in.

All persons are synthetic ("NGƯỜI GIẢ"); the files are those of `lives.py` and `ten_nights_files.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest import mock

from exports import workbook
from independent_counters import Definition
from independent_rows import FORM, SOURCES, table
from independent_statements import SOURCE as STATED
from laid_over import DEFINED, VERSION_OF_ON_TIME, overlay
from lives import Life, deliveries, draw
from ten_nights_files import Row, as_form, as_statements
from tthc import handing_in, pipeline
from tthc.reference.sources import Source, read_sources
from tthc.settings import Settings
from tthc.warehouse import reference_tables
from warehouses import Warehouse, units_read_once

NIGHTS = tuple(
    date(2026, month, day)
    for month, day in ((1, 14), (1, 31), (2, 16), (3, 1), (3, 13), (3, 14), (3, 16), (3, 31), (4, 2), (4, 15), (6, 14), (7, 1))
)  # fmt: skip
LISTED = "procedure_catalogue"
_NOBODY = "UBND xã Không Có Thật"
_QUARTER = ("Quý IV/2025", date(2025, 9, 15), date(2025, 12, 14))
_LISTS = ({"9.300001": "Hộ tịch lạ"}, {"9.300001": "Đất đai lạ", "9.300002": "Hộ tịch lạ"})
_THIRD = Definition("on_time", "TT01_06A", ("resolved_early",), ("kept",), "2026.3", date(2026, 3, 1))
_THIRD_WRITTEN = VERSION_OF_ON_TIME.format(version="2026.3", numerator="resolved_early", start="2026-03-01")

File = tuple[date, str, bytes]  # night, `<source>/<file>`, content


class Reference:
    """The reference files of a walk and how they stand; `write` lays them down."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = overlay(folder)
        self._shipped = {
            name: (folder / name).read_text("utf-8") for name in ("agencies.csv", "kpis.toml", "unit_successions.csv")
        }
        self.third_version = self.other_weights = self.day_off = self.turned = self.nobody_known = False

    def write(self) -> None:
        agencies, kpis, steps = self._shipped.values()
        if self.nobody_known:
            agencies += f"{_NOBODY},18394,,,made up\n"
        if self.third_version:
            kpis += _THIRD_WRITTEN
        if self.other_weights:
            steps = steps.replace("true,0.4,", "true,0.3,").replace("true,0.6,", "true,0.7,")
        days = [f"2026-0{month}-05,false,made up" for month in (1, 2, 3, 6)] if self.day_off else []
        told = {
            "agencies.csv": agencies, "kpis.toml": kpis, "unit_successions.csv": steps,
            "calendar.csv": "\n".join(["date,is_working,source", *days, ""]),
            "order_of_trust.toml": f"turned = {str(self.turned).lower()}\n",  # no overlay can turn sources.toml round: `loaded` does
        }  # fmt: skip
        for name, text in told.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def definitions(self) -> tuple[Definition, ...]:
        return (*DEFINED, _THIRD) if self.third_version else DEFINED

    @property
    def sources(self) -> tuple[str, ...]:
        return SOURCES[::-1] if self.turned else SOURCES

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """Within, whatever loads reference data finds the sources in this order of trust."""

        def read(settings: Settings) -> Mapping[str, Source]:
            known = read_sources(settings)
            places = dict(zip(self.sources, sorted(known[name].priority for name in SOURCES), strict=True))
            return {name: replace(one, priority=places.get(name, one.priority)) for name, one in known.items()}

        with units_read_once(), mock.patch.object(reference_tables, "read_sources", read):
            yield


class Walk:
    """A warehouse and what has been delivered to it. A step returns the causes that its restatements may have."""

    def __init__(self, warehouse: Warehouse, reference: Reference, seed: int, lives: int) -> None:
        self.warehouse, self.reference, self.pick = warehouse, reference, random.Random(seed)
        self.delivered: list[File] = []
        self.late: list[File] = []
        self.handed_in: list[int] = []
        self.lists = {_list_of(fields): fields for fields in _LISTS}  # a list of procedures → what it says
        self._nights = self._files(seed, lives)

    def _files(self, seed: int, lives: int) -> Iterator[list[File]]:
        """The files of one night after another."""
        nights = sorted(self.pick.sample(NIGHTS, 8))
        told = deliveries([self._misnamed(draw(number, nights, seed, 0)) for number in range(lives)], nights)
        unit = next(u for u in table("units.csv") if (u["unit_code"], u["valid_to"]) == ("18838", ""))
        forms = [as_form(unit, *_QUARTER, random.Random(f"{seed} {version}")) for version in "AB"]
        stated = [
            as_statements(unit, *_QUARTER, [("apologies", part, 9, ""), ("documents_signed", *other, "1 / 2")])
            for part, other in ((3, (1, 2)), (4, ("", "")))
        ]
        for number, night in enumerate(nights):
            files = [(night, name, content) for name, content in told.get(night, {}).items()]
            for source, name, versions in (
                (FORM, "a.xlsx", forms),
                (LISTED, "a.xlsx", list(self.lists)),
                (STATED, "a.xlsx", stated),
            ):
                if self.pick.random() < 0.7:  # A, B, A …
                    files.append((night, f"{source}/{name}", versions[number % 2]))
            yield files

    def _misnamed(self, life: Life) -> Life:
        """Some rows name a unit that nobody knows yet. A field is spelt in one way: where a file brings the spelling by
        which a field is called from then on, figures of other units move to it, and the ledger does not name the file."""

        def row(told: Row) -> Row:
            spelt = told | {"field": told["field"] and "Lĩnh vực lạ"}
            if self.pick.random() < 0.1:
                spelt |= {"unit_name": _NOBODY, "code": told["code"].replace("H99.0", "H99.7")}
            return spelt

        return replace(life, told=tuple(replace(one, row=row(one.row)) for one in life.told))

    def step(self) -> tuple[str, set[str]]:
        """Take one step that is possible now: what happened, and the causes its restatements may have."""
        steps: list[tuple[float, bool, Callable[[], tuple[str, set[str]]]]] = [
            (6, True, self.next_night),
            (4, bool(self.late), self.late_file),
            (1, bool(self.delivered), self.sent_again),
            (1, bool(self.delivered), self.judged_again),
            (1, bool(self.delivered), lambda: self.changed("third_version", "definition")),
            (1, bool(self.delivered), lambda: self.changed("other_weights", "geography")),
            (1, bool(self.delivered), lambda: self.changed("day_off", "rule")),
            (1, bool(self.delivered), lambda: self.changed("turned", "rule")),
            (1, any(night >= date(2026, 3, 14) for night, _, _ in self.delivered), self.hand_in),
        ]
        possible = [(weight, take) for weight, can, take in steps if can]
        ((_, take),) = self.pick.choices(possible, [weight for weight, _ in possible])
        return take()

    def _deliver(self, *files: File) -> None:
        for night in sorted({night for night, _, _ in files}):
            self.warehouse.load_only(night, {name: content for at, name, content in files if at == night})
        self.delivered += files

    def next_night(self) -> tuple[str, set[str]]:
        files = next(self._nights, [])
        kept_back = [file for file in files if self.pick.random() < 0.25 and self.delivered]
        self.late += kept_back
        self._deliver(*(file for file in files if file not in kept_back))
        names = ", ".join(
            f"{night} {name}" for night, name, _ in files if (night, name) not in [f[:2] for f in kept_back]
        )
        return f"next night: {names}", {"time", "file"}

    def late_file(self) -> tuple[str, set[str]]:
        file = self.late.pop(self.pick.randrange(len(self.late)))
        before = max(night for night, _, _ in self.delivered)
        self._deliver(file)
        return f"late file: {file[0]} {file[1]}", {"file", "time"} if file[0] > before else {"file"}

    def sent_again(self) -> tuple[str, set[str]]:
        """Bytes of any night come again on the newest, under their own name or another."""
        night, name, content = self.pick.choice(self.delivered)
        newest = max(at for at, _, _ in self.delivered)
        if self.pick.random() < 0.3:
            name = name.replace(".", "-again.")
        taken = [(at, called) for at, called, _ in [*self.delivered, *self.late]]
        same = [(at, called.split("/")[0], bytes_) for at, called, bytes_ in [*self.delivered, *self.late]]
        if (newest, name) in taken or (newest, name.split("/")[0], content) in same:
            again = self.warehouse.load_only(newest, {name: content}) if night == newest else None
            assert again is None or set(again.files) <= {"already_known", "held"}, "the same bytes twice in one night"
            return f"the same bytes in the same night: {newest} {name}", set()
        self._deliver((newest, name, content))
        return f"sent again: {newest} {name} of {night}", {"file"}

    def judged_again(self) -> tuple[str, set[str]]:
        """The name that nobody knew is an alias from now on; what waits is judged again."""
        self.reference.nobody_known = True
        self.refer()
        with self.warehouse.kept(), mock.patch.object(pipeline, "init"):
            done = pipeline.replay(self.warehouse.settings)
        return f"judged again: {done.rows_repaired} rows repaired, {done.files_entered} files entered", {"rule"}

    def changed(self, what: str, cause: str) -> tuple[str, set[str]]:
        setattr(self.reference, what, not getattr(self.reference, what))
        self.refer()
        return f"reference: {what} {getattr(self.reference, what)}", {cause}

    def hand_in(self) -> tuple[str, set[str]]:
        self.warehouse.publish()
        silent = self.warehouse.value(
            "select bool_or(units_reported < units_expected) from mart.kpi where unit_code = '42' "
            "and (period_calendar, period_label) = ('VPCP_15_14', '2026-Q1') and 'manual_input' <> all(flags)"
        )
        with self.warehouse.kept():
            version, is_new = handing_in.submit(
                self.warehouse.settings, unit="42", calendar="VPCP_15_14", label="2026-Q1", by="NGƯỜI GIẢ",
                reason="báo cáo quý", waiver="thử" if silent else None,
            )  # fmt: skip
        if is_new:
            self.handed_in.append(version)
        return f"handed in: version {version}", set()

    def refer(self) -> None:
        self.reference.write()
        with self.reference.loaded():
            pipeline.init(self.warehouse.settings)


def _list_of(fields: Mapping[str, str]) -> bytes:
    rows = [[code, f"Thủ tục thử {code}", name] for code, name in fields.items()]
    return workbook([["Mã số", "Tên", "Lĩnh vực"], *rows])
