"""The life of one dossier from filing to collection: each state it passes through, with the day it began."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from tthc.domain.dossier import FINISHED, Channel, Dossier, PaymentMethod, Status
from tthc.reference.procedures import Procedure
from tthc.simulation.offices import Office
from tthc.simulation.schedule import WorkCalendar, desk_moment

WINDOW_DAYS = 90  # how long an export goes on telling of a closed dossier
_CLOSED = FINISHED | {Status.WITHDRAWN, Status.STOPPED, Status.NOT_ACCEPTED}

# Shares of all accepted dossiers; assumed.
_WITHDRAWN, _STOPPED, _SUPPLEMENTED, _OBLIGED, _FORGOTTEN = 0.012, 0.01, 0.06, 0.05, 0.004
_SILENT = 0.12  # of requests for a supplement are never answered
_ASKED_AGAIN = 0.2  # of supplemented dossiers
_NO_DUE_DATE, _DATE_NOT_KEPT = 0.015, 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A dossier's states in order, each with the day from which it is the newest; where it is exported; whose it is.

    `also_in` names a second source that exports the same states. `person` numbers a synthetic applicant.
    """

    source_id: str
    also_in: str | None
    person: int
    states: tuple[tuple[date, Dossier], ...]

    def state_on(self, night: date) -> Dossier | None:
        """The newest state at the end of a night's day, None before the dossier exists."""
        return next((dossier for began, dossier in reversed(self.states) if began <= night), None)

    def exported_on(self, night: date, *, whole: bool) -> Dossier | None:
        """The state an export of a night tells: of every dossier known, or of those open or changed of late."""
        for began, dossier in reversed(self.states):
            if began <= night:
                recent = began >= night - timedelta(days=WINDOW_DAYS)
                return dossier if whole or recent or dossier.status not in _CLOSED else None
        return None


class Course:
    """Leads one accepted dossier through its life, one event after the other."""

    def __init__(
        self, rng: Random, calendar: WorkCalendar, office: Office, procedure: Procedure, dossier: Dossier
    ) -> None:
        received = dossier.received_at
        assert received is not None
        self._rng, self._calendar, self._office, self._procedure = rng, calendar, office, procedure
        self._dossier = dossier
        self._now = received if isinstance(received, datetime) else datetime.combine(received, time(8))
        limit = procedure.max_working_days or rng.choice((1, 2, 3, 5))
        late = rng.random() < office.late_share
        effort = limit + 1 + int(rng.expovariate(0.3)) if late else int(limit * rng.betavariate(3, 2) + 0.5)
        self._target = calendar.add(self._now.date(), effort)  # the day the office will be done
        self._due = datetime.combine(calendar.add(self._now.date(), limit), time(17))
        self._has_due, self._due_is_day = rng.random() >= _NO_DUE_DATE, rng.random() < 0.2
        self._states: list[tuple[date, Dossier]] = []

    def run(self) -> list[tuple[date, Dossier]]:
        """All states from acceptance on; the last ones may lie in the future of any night."""
        rng = self._rng
        self._become(Status.ACCEPTED, due_at=self._due_at())
        self._work_until(self._calendar.add(self._now.date(), rng.choice((0, 0, 0, 1))))
        self._become(Status.IN_PROCESS)
        fate = rng.random()
        if fate < _WITHDRAWN + _STOPPED:
            self._work_a_while()
            ended = None if rng.random() < _DATE_NOT_KEPT else self._stamp(self._now)
            self._become(Status.WITHDRAWN if fate < _WITHDRAWN else Status.STOPPED, finished_at=ended)
        elif fate < _WITHDRAWN + _STOPPED + _FORGOTTEN:
            pass  # nobody works on it any more
        elif rng.random() >= _SUPPLEMENTED or self._supplemented():
            if (self._dossier.fee_amount or 0) > 0 and rng.random() < _OBLIGED:
                self._pay_obligation()
            self._finish()
        return self._states

    def _supplemented(self) -> bool:
        """One or two rounds of a request and its answer; False: the last request is never answered."""
        rng = self._rng
        for round_ in range(1, 2 + (rng.random() < _ASKED_AGAIN)):
            self._work_a_while()
            asked = self._stamp(self._now)
            kept = asked if rng.random() >= _DATE_NOT_KEPT else self._dossier.supplement_requested_at
            self._become(Status.AWAITING_SUPPLEMENT, supplement_count=round_, supplement_requested_at=kept)
            if rng.random() < _SILENT:
                if rng.random() < 0.5:
                    self._work_until(self._calendar.add(self._now.date(), 30))
                    self._become(Status.STOPPED, finished_at=self._stamp(self._now))
                return False
            self._await_applicant(1 + int(rng.expovariate(0.2)))
            self._become(Status.IN_PROCESS, supplement_requested_at=asked)
        return True

    def _pay_obligation(self) -> None:
        """A financial obligation found on the way: the dossier waits until it is paid."""
        self._work_a_while()
        self._become(Status.AWAITING_PAYMENT, payment_method=None, paid_at=None)
        self._await_applicant(self._rng.randrange(1, 7))
        method = payment_of(self._rng, self._office)
        self._become(Status.IN_PROCESS, payment_method=method, paid_at=self._stamp(self._now))

    def _finish(self) -> None:
        rng = self._rng
        self._work_until(self._target)
        if self._now.date() == self._due.date() and rng.random() < 0.1:  # after hours: on time by day, not by hour
            self._now = max(self._now, self._due) + timedelta(minutes=rng.randrange(1, 60))
        digitised = self._procedure.yields_result is not False and rng.random() < self._office.digitised_share
        result = {"result_digitised": digitised, "result_electronic": digitised and rng.random() < 0.93}
        wait = rng.choice((0, 0, 0, 0, 1, 1, 2, 5, 9, 400))
        if rng.random() >= _DATE_NOT_KEPT or wait > 9:
            self._become(Status.RESOLVED, finished_at=self._stamp(self._now), **result)
            result = {}
        # Otherwise only the collection was recorded, and counts as the finish.
        self._work_until(self._calendar.add(self._now.date(), wait))
        self._become(Status.RETURNED, returned_at=self._stamp(self._now), **result)

    def _work_a_while(self) -> None:
        """To some working day between now and the day the office will be done."""
        ahead = max(1, (self._target - self._now.date()).days)
        self._work_until(self._calendar.add(self._now.date() + timedelta(days=self._rng.randrange(ahead)), 0))

    def _work_until(self, day: date) -> None:
        self._now = desk_moment(self._rng, max(day, self._now.date()), after=self._now)

    def _await_applicant(self, days: int) -> None:
        """Working days that are the applicant's: the due date and the office's own day move with them."""
        self._work_until(self._calendar.add(self._now.date(), days))
        self._due = datetime.combine(self._calendar.add(self._due.date(), days), self._due.time())
        self._target = self._calendar.add(self._target, days)
        self._dossier = replace(self._dossier, due_at=self._due_at())

    def _due_at(self) -> date | datetime | None:
        if not self._has_due:
            return None
        return self._due.date() if self._due_is_day else self._stamp(self._due)

    def _stamp(self, moment: datetime) -> date | datetime:
        return moment.date() if self._office.days_only else moment

    def _become(self, status: Status, **changes: Any) -> None:
        self._dossier = replace(self._dossier, status=status, **changes)
        self._states.append((self._now.date(), self._dossier))


def payment_of(rng: Random, office: Office) -> PaymentMethod:
    """How a fee is paid at an office."""
    if rng.random() < office.paid_online_share:
        return PaymentMethod.ONLINE
    return rng.choice((PaymentMethod.CASH, PaymentMethod.CASH, PaymentMethod.TRANSFER))


def channel_of(rng: Random, office: Office, procedure: Procedure) -> Channel | None:
    """How a dossier arrives; a few exports leave the cell empty, which counts as direct."""
    if rng.random() < 0.003:
        return None
    if procedure.service_level != "thong_tin" and rng.random() < office.online_share:
        return Channel.ONLINE
    return Channel.POSTAL if rng.random() < 0.06 else Channel.DIRECT
