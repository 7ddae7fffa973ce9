"""Lives of dossiers: what desks say of a dossier night after night, drawn so that every reading of the definitions and
every edge of time is met often. A life is drawn from its own number, so it can be drawn again alone.

All persons are synthetic ("NGƯỜI GIẢ"); the reference files are those of `laid_over.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from independent_rows import Moment
from laid_over import PROCEDURES
from ten_nights_files import CHANNELS, WORDS, Row, as_csv, as_json, as_xlsx

Files = dict[str, bytes]
# First and last days of months, quarters and years of both calendars, and the days beside them; the change of boundaries;
# the swapped days of 2026 (2/1 off, Saturday 10/1 worked) and Tết (14/2 to 22/2).
EDGES = tuple(
    date(year, month, day)
    for year, month, day in (
        (2025, 6, 30), (2025, 7, 1), (2025, 12, 14), (2025, 12, 15), (2025, 12, 31), (2026, 1, 1), (2026, 1, 2),
        (2026, 1, 9), (2026, 1, 10), (2026, 1, 12), (2026, 1, 14), (2026, 1, 15), (2026, 1, 31), (2026, 2, 1),
        (2026, 2, 13), (2026, 2, 14), (2026, 2, 15), (2026, 2, 16), (2026, 2, 22), (2026, 2, 23), (2026, 2, 28),
        (2026, 3, 1), (2026, 3, 13), (2026, 3, 14), (2026, 3, 15), (2026, 3, 16), (2026, 3, 31), (2026, 4, 1),
        (2026, 4, 14), (2026, 4, 15), (2026, 6, 14), (2026, 6, 15), (2026, 6, 30), (2026, 7, 1),
    )
)  # fmt: skip
_TIMES = (None, None, None, time(0), time(0, 1), time(8), time(17), time(17, 0, 1), time(17, 20), time(23, 59, 59))
_OLD = (
    ("18082", "phường Đại Nài"), ("18796", "xã Kỳ Lợi"), ("18373", "thị trấn Tiên Điền"), ("18376", "xã Xuân Yên"),
    ("18394", "xã Xuân Liên"),
)  # fmt: skip
_NEW = ("xã Tiên Điền", "UBND xã Cổ Đạm", "phường Sông Trí", "phường Vũng Áng", "Thành Sen", "phường Trần Phú")
_HEIR = "phường Hà Huy Tập"  # got a part of Đại Nài, and ends with February 2026
_DEPARTMENTS = ("Sở Nội vụ", "Sở Tài chính")
_SOURCES = (("mot_cua_csv",), ("mot_cua_csv",), ("mot_cua_xlsx",), ("dvcqg_json",), ("mot_cua_csv", "dvcqg_json"))
_UNREGISTERED = ("9.300001", "9.300002")


@dataclass(frozen=True)
class Told:
    """What one file of one night says of the dossier."""

    night: date
    source: str
    row: Row


@dataclass(frozen=True)
class Life:
    """`happened`: what a reader is told of it beside its rows."""

    number: int
    happened: tuple[str, ...]
    told: tuple[Told, ...]

    def __str__(self) -> str:
        """As a person reads it: a line for each time a file spoke of it."""
        columns = {
            "unit_name": "unit", "procedure_code": "procedure", "status": "status", "received": "received", "due": "due",
            "finished": "finished", "returned": "returned", "supplements": "asked", "requested": "last asked",
            "channel": "channel", "level": "level", "fee": "fee", "method": "paid", "components": "parts",
            "result": "result", "electronic": "e-result", "reused": "reused",
        }  # fmt: skip
        lines = [["night", "source", *columns.values()]]
        lines += [[str(t.night), t.source, *(_shown(t.row[name]) for name in columns)] for t in self.told]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = (" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
        return "\n".join((f"life {self.number} ({', '.join(self.happened)})", *table))


def _shown(cell: object) -> str:
    if isinstance(cell, Moment):
        return f"{cell.day:%d/%m/%y}" + (f" {cell.at:%H:%M:%S}" if cell.at is not None else "")
    return {None: "", True: "x", False: ""}.get(cell, str(cell)) if isinstance(cell, bool | None) else str(cell)


class _Drawing:
    """One life as it is drawn: facts that the nights change."""

    def __init__(self, number: int, nights: Sequence[date], seed: int) -> None:
        self.pick = random.Random(f"{seed}/{number}")
        self.number, self.nights = number, nights
        self.happened: list[str] = []
        self.facts = self._facts()

    def happens(self, what: str, share: float) -> bool:
        if self.pick.random() >= share:
            return False
        self.happened.append(what)
        return True

    def day(self, first: date, last: date) -> date:
        """A day between two, the edges of time more often than others."""
        edges = [edge for edge in EDGES if first <= edge <= last]
        if edges and self.pick.random() < 0.6:
            return self.pick.choice(edges)
        return first + timedelta(self.pick.randrange(max((last - first).days, 0) + 1))

    def moment(self, day: date) -> Moment:
        return Moment(day, self.pick.choice(_TIMES))

    def _facts(self) -> Row:
        pick, last = self.pick, self.nights[-1]
        if self.happens("an old unit", 0.2):
            received = self.day(date(2025, 5, 1), date(2025, 6, 30))
            unit = pick.choice(_OLD)[1]
        elif self.happens("an heir that is split again", 0.06):
            received, unit = self.day(date(2025, 11, 20), min(last, date(2026, 2, 28))), _HEIR
        else:
            received = self.day(date(2025, 12, 10) if pick.random() < 0.9 else date(2025, 7, 1), last)
            unit = pick.choice(_DEPARTMENTS if self.happens("a department", 0.15) else _NEW)
        due = None if self.happens("no due day", 0.15) else self._due(received)
        code = pick.choice([*PROCEDURES, *PROCEDURES, *_UNREGISTERED])
        fee = pick.choice((0, 0, 15000, 1250000))
        prefix = (
            "H99.77"
            if unit in [name for _, name in _OLD] or unit == _HEIR
            else pick.choice(("H99.01", "H99.02", "H99.77"))
        )
        return {
            "code": f"{prefix}-{received:%y%m%d}-{self.number:05}", "procedure_code": code, "unit_name": unit,
            "procedure": {"procedure_name": f"Thủ tục thử {code}"}, "field": pick.choice(("Lĩnh vực lạ", "LĨNH VỰC LẠ", "")),
            "received": self.moment(received), "due": due and self.moment(due), "end": self._end(received, due),
            "last": pick.choice((9, 9, 9, 10, 10, 10)), "open": pick.choice((2, 4, 4)), "returned_after": pick.randrange(6),
            "supplements": 0, "asked_after": 0, "fee": fee, "channel": pick.choice(CHANNELS),
            "method": pick.choice(("Trực tuyến", "Trực tuyến", "Tiền mặt", "Chuyển khoản", "")) if fee else "",
            "level": pick.choice(("", "", "Toàn trình", "Một phần", "Cung cấp thông tin")),
            **{name: pick.random() < 0.6 for name in ("components", "result", "electronic", "reused")},
        }  # fmt: skip

    def _due(self, received: date) -> date:
        if self.happens("due on the day of receipt", 0.08):
            return received
        if self.pick.random() < 0.4:
            return self.day(received, received + timedelta(75))
        return received + timedelta(self.pick.choice((1, 2, 3, 5, 7, 10, 20, 40)))

    def _end(self, received: date, due: date | None) -> Moment:
        if self.happens("never ends", 0.2):
            return Moment(date(2030, 1, 1))
        if due and self.pick.random() < 0.5:  # around the due day, often on it, then hours may decide
            return self.moment(max(received, due + timedelta(self.pick.choice((-2, -1, 0, 0, 0, 1, 2)))))
        return self.moment(self.day(received, received + timedelta(60)))

    def changes(self) -> list[tuple[str, Callable[[], None]]]:
        """What a life is: changes of facts, each done between two nights or before the first."""
        facts, pick = self.facts, self.pick
        received = facts["received"].day

        def supplement() -> None:
            facts.update(
                open=pick.choice((5, 5, 5, 4)), supplements=pick.choice((1, 1, 2, 3)), asked_after=pick.randrange(40)
            )

        def apology() -> None:
            later = (facts["due"] or facts["received"]).day + timedelta(pick.choice((1, 5, 10, 30)))
            facts.update(due=self.moment(later))

        def filed_anew() -> None:
            day = self.day(received, received + timedelta(10))
            facts.update(received=self.moment(day), due=None, end=self._end(day, None))

        return [
            ("asked for a supplement", supplement),
            ("back from the supplement", lambda: facts.update(open=4, supplements=max(1, facts["supplements"]))),
            ("waits for payment", lambda: facts.update(open=6)),
            ("withdrawn", lambda: facts.update(last=7)),
            ("stopped", lambda: facts.update(last=8)),
            ("not accepted", lambda: facts.update(last=3, open=pick.choice((1, 3)))),
            ("accepted after all", lambda: facts.update(last=9, open=4)),
            ("an apology with a new due day", apology),
            ("due day taken back", lambda: facts.update(due=None)),
            ("an end corrected", lambda: facts.update(end=self._end(received, facts["due"] and facts["due"].day))),
            ("in progress again", lambda: facts.update(end=Moment(date(2030, 1, 1)), open=4)),
            ("receipt corrected", filed_anew),
            ("handed to another unit", lambda: facts.update(unit_name=pick.choice((*_NEW, *_DEPARTMENTS)))
             if received >= date(2025, 7, 1) else None),
            ("another channel", lambda: facts.update(channel=pick.choice(CHANNELS))),
            ("paid online", lambda: facts.update(fee=30000, method="Trực tuyến")),
            ("free of charge", lambda: facts.update(fee=0, method="")),
            ("digitised", lambda: facts.update(components=True, result=True, electronic=True)),
            ("not digitised", lambda: facts.update(components=False, result=False, electronic=False, reused=False)),
            ("another procedure", lambda: facts.update(procedure_code=pick.choice([*PROCEDURES, *_UNREGISTERED]))),
        ]  # fmt: skip

    def row(self, night: date) -> Row:
        """What a list of that night says: no event of the days to come."""
        facts = self.facts
        received = facts["received"].day
        ended = max(facts["end"].day, received) <= night
        end = Moment(max(facts["end"].day, received), facts["end"].at)
        status = facts["last"] if ended else facts["open"]
        row = {name: cell for name, cell in facts.items() if name not in ("end", "last", "open")}
        row |= {"status": status, "finished": end if ended else None, "returned": None, "requested": None}
        if status == 10:
            row["returned"] = Moment(min(night, end.day + timedelta(facts["returned_after"])), time(9))
            if self.pick.random() < 0.2:
                row["finished"] = None  # the day of collection stands in
        if status in (1, 3):
            row |= {"finished": None, "due": row["due"] if self.pick.random() < 0.5 else None}
        if status in (7, 8) and self.pick.random() < 0.15:
            row["finished"] = None
        if status == 5 or facts["supplements"]:
            row["supplements"] = max(1, facts["supplements"])
            day = min(night, received + timedelta(facts["asked_after"]))
            row["requested"] = (
                None if status == 5 and self.pick.random() < 0.1 else Moment(day, self.pick.choice(_TIMES))
            )
        return row


def _refused(row: Row, night: date, pick: random.Random) -> Row:
    """The row with a mistake that a rule refuses, so that the state told before stays."""
    received = row["received"].day
    return row | pick.choice(
        (
            {"due": Moment(received - timedelta(1))}, {"unit_name": "xã Không Có Thật", "code": row["code"].replace("H99.0", "H99.7")},
            {"received": Moment(night + timedelta(1)), "due": None}, {"status": 9, "finished": None},
            {"status": 4, "finished": Moment(max(received, night))}, {"procedure_code": "12.34"},
            {"unit_name": "xã Kỳ Xuân", "procedure_code": "12.34"},  # a unit that only refused rows name has not reported
        )
    )  # fmt: skip


def draw(number: int, nights: Sequence[date], seed: int, refused: float) -> Life:
    """The life of this number; `refused`: the share of its rows that a rule refuses."""
    drawing = _Drawing(number, nights, seed)
    pick, told = drawing.pick, []
    first = drawing.facts["received"].day
    begun = [night for night in nights if night >= first]
    if len(begun) > 1 and drawing.happens("told late", 0.2):
        begun = begun[1:]
    sources = ("mot_cua_csv",) if refused else pick.choice(_SOURCES)
    for place, night in enumerate(begun):
        for what, change in pick.sample(drawing.changes(), pick.choice((0, 1, 1, 2, 3))):
            drawing.happened.append(f"{night:%d/%m} {what}")
            change()
        if drawing.facts["received"].day > night or (place and drawing.happens(f"{night:%d/%m} left out", 0.25)):
            continue
        for source in sources:
            row = drawing.row(night)
            if row["status"] not in (1, 3) and drawing.happens(f"{night:%d/%m} refused", refused):
                row = _refused(row, night, pick)
            if len(sources) > 1 and drawing.happens(f"{night:%d/%m} sources differ", 0.3):
                row |= {"fee": 50000, "method": "Trực tuyến", "channel": "Trực tuyến"}
            told.append(Told(night, source, row))
    return Life(number, tuple(drawing.happened), tuple(told))


_WRITERS = {
    "mot_cua_csv": ("csv", as_csv),
    "mot_cua_xlsx": ("xlsx", as_xlsx),
    "dvcqg_json": ("json", lambda rows, _: as_json(rows)),
}


def deliveries(lives: Sequence[Life], nights: Sequence[date]) -> Mapping[date, Files]:
    """The files of each night; on the last but one the oldest files come once more."""
    made: dict[date, Files] = {}
    for night in nights:
        files: Files = {}
        for source, (ending, write) in _WRITERS.items():
            for part in (0, 1):
                rows = [
                    t.row
                    for life in lives
                    if life.number % 2 == part
                    for t in life.told
                    if (t.night, t.source) == (night, source)
                ]
                if rows:
                    content = write(rows, random.Random(f"{night} {source}"))
                    files[f"{source}/{night:%Y%m%d}-{part}.{ending}"] = content
        made[night] = files
    made[nights[-2]] |= {name: content for name, content in made[nights[0]].items() if "-0." in name}
    return {night: files for night, files in made.items() if files}


def traits(lives: Sequence[Life]) -> Iterator[str]:
    """Everything that happened in these lives and every status they were told in, once for each time."""
    for life in lives:
        yield from (what.split(" ", 1)[1] if what[0].isdigit() else what for what in life.happened)
        yield from (WORDS[told.row["status"]] for told in life.told)
