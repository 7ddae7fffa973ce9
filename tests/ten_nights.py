"""Makes nights of exports for the independent program: new, changed, corrected, late and re-sent files of every layout.

All persons are synthetic ("NGƯỜI GIẢ"). Units, procedures and departments are those of the reference data of Hà Tĩnh.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import date, time, timedelta

from independent_rows import FORM, Moment, table
from independent_statements import SOURCE as STATED
from ten_nights_files import CHANNELS, Row, as_csv, as_form, as_json, as_statements, as_xlsx

NIGHTS = tuple(
    date(2026, month, day)
    for month, day in ((3, 12), (3, 13), (3, 14), (3, 15), (3, 16), (3, 31), (4, 1), (4, 2), (4, 14), (4, 15))
)
_TIMES = (None, None, time(8, 30), time(11, 5, 20), time(17), time(17, 20), time(23, 50), time(0, 1))
_STATED = (
    "published_on_time", "disclosed_on_time", "dossiers_synchronised", "offered_online", "petitions_on_time",
    "petitions_satisfied", "satisfaction_portal", "satisfaction_survey", "documents_signed", "chỉ_tiêu_lạ",
)  # fmt: skip
_SILENT = ("18838", "18844", "18790")  # communes that send forms only


class Province:
    """Dossiers of one seed and what becomes of them."""

    def __init__(self, seed: int, dossiers: int) -> None:
        self.random = random.Random(seed)
        units = [row for row in table("units.csv") if row["province_code"] == "42" and row["level"] != "province"]
        self._old = [unit for unit in units if unit["valid_to"]]
        self._new = [
            u for u in units if u["level"] == "commune" and not u["valid_to"] and u["unit_code"] not in _SILENT
        ]
        self._departments = [unit for unit in units if unit["level"] == "department"]
        self._split = [unit for unit in self._old if unit["unit_code"] in ("18082", "18796")]
        (self.province,) = (u for u in table("units.csv") if (u["unit_code"], u["valid_to"]) == ("42", ""))
        self._procedures = table("procedures.csv")
        self.silent = [u for u in units if u["unit_code"] in _SILENT and not u["valid_to"]]
        self._all = [self._dossier(number) for number in range(dossiers)]

    def _dossier(self, number: int) -> Row:
        pick, chance = self.random, self.random.random()
        if chance < 0.15:
            received = date(2024, 12, 1) + timedelta(pick.randrange(212))  # up to the last day of the old units
            unit = pick.choice(self._split if pick.random() < 0.1 else self._old)
        else:
            recent = date(2025, 12, 1) + timedelta(pick.randrange(136))
            received = recent if chance < 0.8 else date(2025, 7, 1) + timedelta(pick.randrange(160))
            unit = pick.choice(self._departments if pick.random() < 0.15 else self._new)
        procedure = pick.choice(self._procedures)
        if pick.random() < 0.1:
            procedure = {
                "procedure_code": f"9.{pick.randrange(100, 120):06}",
                "field_name": pick.choice(("", "Lĩnh vực thử", "LĨNH VỰC THỬ")),
                "procedure_name": "Thủ tục thử",
            }
        due = None if pick.random() < 0.08 else received + timedelta(pick.choice((0, 1, 3, 5, 10, 20, 40)))
        drift = pick.choice((0, 0, 0, -1, 1, -3, 4, 15))
        end = max(received, (due or received + timedelta(pick.randrange(9))) + timedelta(drift))
        fee = pick.choice((0, 0, 8000, 15000, 1250000))
        sources = pick.choice(
            (
                ("mot_cua_csv",),
                ("mot_cua_csv", "dvcqg_json"),
                ("mot_cua_xlsx",),
                ("dvcqg_json",),
                ("mot_cua_xlsx", "mot_cua_csv"),
            )
        )
        return {
            "code": f"{pick.choice(('H99.01', 'H99.02', 'H99.77', 'H99.78'))}-{received:%y%m%d}-{number:05}", "unit": unit,
            "procedure": procedure, "received": Moment(received, pick.choice(_TIMES)), "end": Moment(end, pick.choice(_TIMES)),
            "due": due and Moment(due, pick.choice(_TIMES)), "last": pick.choice((9, 9, 9, 10, 10, 10, 10, 7, 8)), "fee": fee,
            "method": pick.choice(("Trực tuyến", "Trực tuyến", "Tiền mặt", "Chuyển khoản", "")) if fee else "",
            "channel": pick.choice(CHANNELS), "level": pick.choice(("", "Toàn trình", "Một phần", "Cung cấp thông tin")),
            "sources": sources, "supplements": pick.choice((0, 0, 0, 0, 1, 2, 3)), "components": pick.random() < 0.6,
            "reused": pick.random() < 0.4, "result": pick.random() < 0.7, "electronic": pick.random() < 0.6,
            "open": pick.choice((2, 4, 4, 4, 5, 6)), "late_by": pick.choice((0, 0, 0, 1, 3, 7)), "loose": pick.random(),
        }  # fmt: skip

    def snapshot(self, dossier: Row, night: date) -> Row:
        """The row an export of that night holds."""
        received, end = dossier["received"], dossier["end"]
        ended = end.day <= night
        status = dossier["last"] if ended else dossier["open"]
        row: Row = dossier | {"status": status, "finished": end if ended else None, "returned": None, "requested": None}
        if status == 10:
            row["returned"] = Moment(min(night, end.day + timedelta(self.random.randrange(6))), time(9))
            if dossier["loose"] < 0.2:
                row["finished"] = None
        if status in (7, 8) and dossier["loose"] < 0.15:
            row["finished"] = None
        if status == 5 and not row["supplements"]:
            row["supplements"] = 1
        if row["supplements"] and not (status == 5 and dossier["loose"] < 0.15):
            until = min(night, end.day)
            days = self.random.randrange((until - received.day).days + 1)
            row["requested"] = Moment(received.day + timedelta(days), self.random.choice((None, time(10, 15))))
        if status not in (9, 10):
            row["result"] = row["electronic"] = False
        if dossier["loose"] > 0.98:
            row |= {"status": self.random.choice((1, 3)), "finished": None, "returned": None}
            if self.random.random() < 0.5 and not dossier["unit"]["valid_to"]:
                row["received"] = row["due"] = row["requested"] = None
        return row

    def correct(self, dossier: Row) -> None:
        """A clerk changes his mind: another due day, another fee, another end, another unit."""
        pick, received = self.random, dossier["received"].day
        change = pick.randrange(6)
        if change == 0:
            dossier["due"] = Moment(received + timedelta(pick.randrange(30)), pick.choice(_TIMES))
        elif change == 1:
            dossier["end"] = Moment(received + timedelta(pick.randrange(60)), pick.choice(_TIMES))
        elif change == 2:
            dossier["last"] = pick.choice((7, 8, 9, 10))
        elif change == 3 and not dossier["unit"]["valid_to"]:
            dossier["unit"] = pick.choice(self._new)
        elif change == 4:
            dossier["fee"], dossier["method"] = 30000, "Trực tuyến"
        else:
            dossier["supplements"], dossier["channel"] = pick.randrange(4), pick.choice(CHANNELS)

    def nights(self, nights: tuple[date, ...] = NIGHTS) -> dict[date, dict[str, bytes]]:
        """Night → `<source>/<file>` → content."""
        made: dict[date, dict[str, bytes]] = {}
        for number, night in enumerate(nights):
            batches: dict[tuple[str, int], list[Row]] = {}
            for place, dossier in enumerate(self._all):
                due_here = [n for n in nights if n >= dossier["received"].day][dossier["late_by"] :][:1]
                if not due_here or night < due_here[0]:
                    continue
                if night > due_here[0] and self.random.random() < 0.85:
                    continue
                if night > due_here[0] and self.random.random() < 0.6:
                    self.correct(dossier)
                for source in dossier["sources"]:
                    if self.random.random() < 0.9:
                        for part in {place % 3, self.random.choice((place % 3, place % 3, (place + 1) % 3))}:
                            batches.setdefault((source, part), []).append(self.snapshot(dossier, night))
            files = {
                f"{source}/{night:%Y%m%d}-{part}.{source[-4:].strip('_')}": self.write(source, rows, night)
                for (source, part), rows in sorted(batches.items())
            }
            files |= dict(self._forms(number, night))
            files |= dict(self._statements(number, night))
            for back in (
                1,
                2,
            ):  # last night's file again; and one of the night before that, after others came in between
                if number >= back:
                    again = sorted(name for name in made[nights[number - back]] if name not in files)
                    name = self.random.choice(again)
                    files[name] = made[nights[number - back]][name]
            made[night] = files
        return made

    def write(self, source: str, rows: list[Row], night: date) -> bytes:
        rows = self._spoil([dict(row) for row in rows], night)
        return (
            as_json(rows)
            if source == "dvcqg_json"
            else as_xlsx(rows, self.random)
            if source == "mot_cua_xlsx"
            else as_csv(rows, self.random)
        )

    def _spoil(self, rows: list[Row], night: date) -> list[Row]:
        """Rows that a rule of the pages refuses, and a row that stands twice."""
        for row in rows:
            row["unit_name"] = _name(row["unit"], self.random)
            row["procedure_code"] = row["procedure"]["procedure_code"]
            name = row["procedure"]["field_name"]
            row["field"] = name if row["procedure_code"][0] == "9" else _spelt(name, self.random)
        for row in self.random.sample(rows, len(rows) // 60):
            received, spoil = row["received"], self.random.randrange(6)
            if spoil == 0 and received:
                row["due"] = Moment(received.day - timedelta(1))
            elif spoil == 1:
                row["unit_name"] = "UBND xã Không Có Thật"
            elif spoil == 2:
                row["procedure_code"] = "12.34"
            elif spoil == 3 and received:
                row["received"] = Moment(night + timedelta(2))
                row |= {"due": None, "finished": None, "requested": None, "returned": None}
            elif spoil == 4 and row["status"] == 4:
                row["finished"] = Moment(night)
            elif spoil == 5 and row["status"] == 9:
                row["finished"] = None
        if len(rows) > 20:
            rows.append(dict(rows[0]))
            rows.append(dict(rows[1]) | {"fee": 77000, "method": ""})
        return rows

    def _forms(self, number: int, night: date) -> Iterator[tuple[str, bytes]]:
        for place, unit in enumerate([*self.silent, self._new[0]]):
            for label, start, end in (
                ("Quý IV/2025", date(2025, 9, 15), date(2025, 12, 14)),
                ("Quý I/2026", date(2025, 12, 15), date(2026, 3, 14)),
            ):
                if end <= night and (number + place) % 4 == 0:
                    yield (
                        f"{FORM}/{night:%Y%m%d}-{unit['unit_code']}-{end:%m}.xlsx",
                        as_form(unit, label, start, end, self.random),
                    )

    def _statements(self, number: int, night: date) -> Iterator[tuple[str, bytes]]:
        """Forms of manual input: filled anew, corrected, emptied, of merged and split units, with lines that are refused."""
        at = {
            (unit["unit_code"], bool(unit["valid_to"])): unit for unit in [*self._old, *self._new, *self._departments]
        }
        now = [at[code, False] for code in ("18373", "18352", "18754", "42-SNV")] + [self.province]
        before = [at[code, True] for code in ("18796", "18754", "18757", "18376", "18379")]
        for place, unit in enumerate([*now, *now, *before]):
            if (number + place) % 3:
                continue
            label, start, end = (
                ("Quý II/2025", date(2025, 3, 15), date(2025, 6, 14))
                if unit["valid_to"]
                else (
                    ("Quý I/2026", date(2025, 12, 15), date(2026, 3, 14)),
                    ("Tháng 3/2026", date(2026, 3, 1), date(2026, 3, 31)),
                )[place // len(now)]
            )
            if start <= night:
                lines = [self._line(name) for name in self.random.sample(_STATED, 6)]
                # One name over several nights, or another each night: an emptied line takes back only what its own file said.
                name = self.random.choice((f"{place}", f"{place}-{night:%d%m}"))
                yield f"{STATED}/{name}.xlsx", as_statements(unit, label, start, end, lines)

    def _line(self, name: str) -> tuple[str, int | str, int | str, str]:
        whole = self.random.choice((0, 3, 40, 700))
        part = self.random.randint(0, whole) + (self.random.random() < 0.05)
        told: tuple[int | str, int | str] = ("", "") if self.random.random() < 0.25 else (part, whole)
        return name, *told, "1 / 2" if self.random.random() < 0.2 else ""


def _name(unit: Row, pick: random.Random) -> str:
    short, full = unit["name"], f"{unit['kind']} {unit['name']}"
    if unit["level"] == "department":
        return _spelt(short, pick)
    return _spelt(
        pick.choice(
            (short, full, f"UBND {full}", f"Ủy ban nhân dân {full}", f"Trung tâm Phục vụ hành chính công {full}")
        ),
        pick,
    )


def _spelt(text: str, pick: random.Random) -> str:
    how = pick.random()
    return (
        unicodedata.normalize("NFD", text)
        if how < 0.2
        else text.upper()
        if how < 0.25
        else f"{text} "
        if how < 0.3
        else text
    )
