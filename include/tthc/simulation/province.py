"""A province as it might be: its offices, what is filed there over half a year, and the life of every dossier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate, cycle
from random import Random
from typing import Any

from tthc.domain.dossier import Channel, Dossier, PaymentMethod, ServiceLevel, Status
from tthc.reference.lists import read_calendar_overrides
from tthc.reference.procedures import Procedure, read_procedures
from tthc.settings import Settings
from tthc.simulation.lives import Course, Life, channel_of, payment_of
from tthc.simulation.offices import Office, read_offices
from tthc.simulation.procedures import Demand
from tthc.simulation.schedule import WorkCalendar, desk_moment, filing_days, home_moment

LISTS = ("mot_cua_csv", "mot_cua_xlsx")
RECORDS = "dvcqg_json"
SOURCES = (*LISTS, RECORDS)
HISTORY_DAYS = 183

_FEES = (5_000, 8_000, 10_000, 20_000, 30_000, 50_000, 75_000, 150_000, 500_000)
_OVERLAP = 0.01  # of the synchronised records are in a provincial list too
_REFUSED_ONLINE, _REFUSED_AT_DESK = 0.02, 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """Everything that will ever be exported cleanly, and what is needed to read it."""

    code: str
    seed: int
    offices: dict[str, Office]
    procedures: dict[str, Procedure]
    overrides: dict[date, bool]
    calendar: WorkCalendar
    first_day: date
    last_night: date
    lives: list[Life]


def draw_province(settings: Settings, *, province: str, dossiers: int, seed: int, start: date, nights: int) -> Province:
    """A province of `dossiers` dossiers filed in the half year before the last of `nights` nights from `start` on.

    Nothing is filed before the units of the first night existed. The same arguments give the same province.
    """
    rng = Random(f"{seed}/{province}")
    last = start + timedelta(days=nights - 1)
    first = last - timedelta(days=HISTORY_DAYS - 1)
    overrides, procedures = read_calendar_overrides(settings), read_procedures(settings)
    offices = read_offices(settings, province, rng, first, last)
    first = max([first, *(_begin(office) for office in offices if office.level == "commune" and office.open_on(start))])
    calendar = WorkCalendar(first - timedelta(days=30), last + timedelta(days=750), overrides)
    desk = _Desk(rng, calendar, offices, Demand(rng, procedures), last)
    days = filing_days(rng, calendar, first, last, dossiers)
    places = _every_file_once(rng, offices, dossiers)
    lives = [desk.file(person, day, places.get(person)) for person, day in enumerate(days, start=1)]
    return Province(
        code=province,
        seed=seed,
        offices={office.unit_code: office for office in offices},
        procedures=procedures,
        overrides=overrides,
        calendar=calendar,
        first_day=first,
        last_night=last,
        lives=lives,
    )


def _begin(office: Office) -> date:
    """The first day on which an office has a name, the oldest date when that is not known."""
    return min(span.valid_from or date.min for span, _ in office.names)


def _every_file_once(rng: Random, offices: list[Office], dossiers: int) -> dict[int, tuple[Office, str]]:
    """Person number → place, such that every file has a dossier; none if there are too few dossiers for that."""
    single = cycle(SOURCES)
    pairs = [
        (office, source) for office in offices for source in (SOURCES if office.level == "commune" else (next(single),))
    ]
    chosen = rng.sample(range(1, dossiers + 1), k=min(len(pairs), dossiers))
    return dict(zip(chosen, pairs, strict=False)) if dossiers >= 2 * len(pairs) else {}


class _Desk:
    """Takes in dossiers, one after the other."""

    def __init__(self, rng: Random, calendar: WorkCalendar, offices: list[Office], demand: Demand, last: date) -> None:
        self._rng, self._calendar, self._offices, self._demand, self._last = rng, calendar, offices, demand, last
        departments = (office.unit_code for office in offices if office.level == "department")
        self._source_of = dict(zip(departments, cycle(SOURCES), strict=False))
        self._open: dict[date, tuple[list[Office], list[float]]] = {}
        self._numbers: Counter[str] = Counter()

    def file(self, person: int, day: date, place: tuple[Office, str] | None) -> Life:
        """The life of one dossier filed on a day, at a given place or where chance takes it."""
        rng = self._rng
        office, source = place if place and place[0].open_on(day) else self._place(day)
        procedure = self._demand.draw(office)
        channel = channel_of(rng, office, procedure)
        works = self._calendar.works(day)
        at_desk = self._calendar.add(day, 0)
        if channel is not Channel.ONLINE and not works and at_desk > self._last:
            channel, at_desk = Channel.ONLINE, day
        submitted, received = self._arrival(day if channel is Channel.ONLINE else at_desk, channel)
        if not office.open_on(received.date()):  # the unit was merged in between: its last day is the receipt
            submitted = received = desk_moment(rng, day)
        stamp: Callable[[datetime], date | datetime] = datetime.date if office.days_only else lambda moment: moment
        dossier = Dossier(
            dossier_code=self.code(office, submitted.date()),
            procedure_code=procedure.procedure_code,
            procedure_name=procedure.procedure_name,
            field_name=procedure.field_name,
            unit_code=office.unit_code,
            status=Status.REGISTERED,
            channel=channel,
            submitted_at=submitted,
            service_level=self._level(procedure),
        )
        states = [(submitted.date(), dossier)]
        if rng.random() < (_REFUSED_ONLINE if channel is Channel.ONLINE else _REFUSED_AT_DESK):
            states.append((received.date(), replace(dossier, status=Status.NOT_ACCEPTED)))
        else:
            taken = self._intake(office, procedure, channel, received)
            accepted = replace(dossier, received_at=stamp(received), **taken)
            states += Course(rng, self._calendar, office, procedure, accepted).run()
        also_in = rng.choice(LISTS) if source == RECORDS and rng.random() < _OVERLAP else None
        if source == RECORDS:
            states = [(began, _as_recorded(state)) for began, state in states]
        return Life(source_id=source, also_in=also_in, person=person, states=tuple(states))

    def code(self, office: Office, day: date) -> str:
        """The next dossier code of an office on a day (mã hồ sơ), `H42.15-260312-0001`."""
        stem = f"{office.prefix}-{day:%y%m%d}"
        self._numbers[stem] += 1
        return f"{stem}-{self._numbers[stem]:04d}"

    def _place(self, day: date) -> tuple[Office, str]:
        if day not in self._open:
            offices = [office for office in self._offices if office.open_on(day)]
            self._open[day] = (
                offices,
                list(accumulate(office.weight * self._demand.business(office) for office in offices)),
            )
        offices, weights = self._open[day]
        office = self._rng.choices(offices, cum_weights=weights)[0]
        return office, self._source_of.get(office.unit_code) or self._rng.choice(SOURCES)

    def _arrival(self, day: date, channel: Channel | None) -> tuple[datetime, datetime]:
        """When a dossier is filed and when it is received: at the desk at once, online by the next working hour."""
        rng = self._rng
        if channel is not Channel.ONLINE:
            moment = desk_moment(rng, day)
            return moment, moment
        submitted = home_moment(rng, day)
        if submitted.hour < 16 and self._calendar.works(day) and rng.random() < 0.8:
            return submitted, desk_moment(rng, day, after=submitted)
        return submitted, desk_moment(rng, self._calendar.add(day, 1))

    def _level(self, procedure: Procedure) -> ServiceLevel | None:
        """The level a row states itself: mostly the registry's, sometimes none or another one, which then counts."""
        chance = self._rng.random()
        if chance < 0.06:
            return None
        return self._rng.choice((*ServiceLevel,)) if chance < 0.1 else procedure.service_level

    def _intake(
        self, office: Office, procedure: Procedure, channel: Channel | None, received: datetime
    ) -> dict[str, Any]:
        """What is recorded at intake beside the dates: fee, payment, digitisation, reuse."""
        rng = self._rng
        taken: dict[str, Any] = {
            "components_digitised": rng.random() < (0.97 if channel is Channel.ONLINE else office.digitised_share),
            "data_reused": rng.random() < 0.8 * office.digitised_share,
        }
        if procedure.fee_bearing is False:
            return taken
        taken["fee_amount"] = 0 if rng.random() < 0.07 else rng.choice(_FEES)
        if taken["fee_amount"] and rng.random() < 0.97:
            method = payment_of(rng, office)
            taken |= {"payment_method": method, "paid_at": received.date() if office.days_only else received}
        return taken


def _as_recorded(dossier: Dossier) -> Dossier:
    """What the synchronised record can tell of a dossier: the level and the day of payment are not in it."""
    return replace(
        dossier,
        service_level=None,
        payment_method=PaymentMethod.ONLINE if dossier.payment_method is PaymentMethod.ONLINE else None,
        paid_at=None,
        result_electronic=dossier.result_digitised,
    )
