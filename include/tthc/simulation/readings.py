"""What one dossier is on one day, read plainly from its dates: resolved, open, paused, overdue, in time.

Where form 06a, index 766 and practice leave a choice, the reading taken stands beside its function.
Nothing here knows the warehouse: these are the sentences its figures are checked against.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time

from tthc.domain.dossier import FINISHED, NEVER_COUNTED, Dossier, Status

Moment = date | datetime | None


def day_of(moment: Moment) -> date | None:
    """The day of a moment."""
    return moment.date() if isinstance(moment, datetime) else moment


def has_time(moment: Moment) -> bool:
    """Whether a moment carries a time of day; midnight is how exports write a bare day."""
    return isinstance(moment, datetime) and moment.time() != time.min


def received_on(dossier: Dossier) -> date | None:
    """The day of receipt, None for what is in no figure: not accepted (1, 3), or without a receipt date."""
    return None if dossier.status in NEVER_COUNTED else day_of(dossier.received_at)


def ended_at(dossier: Dossier) -> Moment:
    """When processing ended: the finish (9, 10), the withdrawal (7) or the stop (8), all kept in finished_at.

    A returned dossier (10) without a finish is finished on returned_at. Any other status has no end.
    """
    if dossier.status is Status.RETURNED:
        return dossier.finished_at or dossier.returned_at
    if dossier.status in (Status.RESOLVED, Status.WITHDRAWN, Status.STOPPED):
        return dossier.finished_at
    return None


def resolved_on(dossier: Dossier) -> date | None:
    """The day a dossier left the work in progress (form 06a): its finish or withdrawal; a stop does not count."""
    return None if dossier.status is Status.STOPPED else day_of(ended_at(dossier))


def finished_on(dossier: Dossier) -> date | None:
    """The day a result existed: statuses 9 and 10 only."""
    return day_of(ended_at(dossier)) if dossier.status in FINISHED else None


def stopped_by(dossier: Dossier, cut_off: date) -> bool:
    """Stopped (8) on or before the cut-off; without a date of the stop it is never read as stopped."""
    ended = day_of(ended_at(dossier))
    return dossier.status is Status.STOPPED and ended is not None and ended <= cut_off


def paused_at(dossier: Dossier, cut_off: date) -> bool:
    """The clock stands: awaiting a supplement (5) from the last request on, awaiting payment (6) always.

    A dossier of status 5 without a request date is not paused; status 6 has no date that could be tested.
    """
    if dossier.status is Status.AWAITING_PAYMENT:
        return True
    requested = day_of(dossier.supplement_requested_at)
    return dossier.status is Status.AWAITING_SUPPLEMENT and requested is not None and requested <= cut_off


def open_at(dossier: Dossier, cut_off: date) -> bool:
    """In progress at the end of the cut-off day: received by then and not resolved by then."""
    received, resolved = received_on(dossier), resolved_on(dossier)
    return received is not None and received <= cut_off and (resolved is None or resolved > cut_off)


def overdue_at(dossier: Dossier, cut_off: date) -> bool:
    """Open, running, and the due day has passed; the due day itself is not over, no due date is never over."""
    due = day_of(dossier.due_at)
    running = not paused_at(dossier, cut_off) and not stopped_by(dossier, cut_off)
    return open_at(dossier, cut_off) and running and due is not None and due < cut_off


def resolution_of(dossier: Dossier) -> str:
    """`early`, `on_time` or `late` of a resolved dossier, by days; withdrawn and without a due date are on time."""
    resolved, due = resolved_on(dossier), day_of(dossier.due_at)
    if dossier.status is Status.WITHDRAWN or due is None or resolved is None or resolved == due:
        return "on_time"
    return "early" if resolved < due else "late"


def in_time_by_index_766(
    dossier: Dossier, cut_off: date, *, longest: int | None, working_days: Mapping[date, int]
) -> bool:
    """Whether index 766 counts a received dossier as in time at the cut-off (QĐ 766/QĐ-TTg, component 2.1).

    More than one supplement request is late, a last request after the cut-off taken off first; this comes before
    status 6, which is in time. The end of a dossier awaiting a supplement (5) is the request. An end after the
    cut-off means open at the cut-off: in time while the due day has not passed. Without a due date the working days
    after the receipt, up to the end or the cut-off, are held against `longest`; unknown is in time.
    """
    requests, requested = dossier.supplement_count or 0, day_of(dossier.supplement_requested_at)
    if requested is not None and requested > cut_off:
        requests -= 1
    if requests > 1:
        return False
    if dossier.status is Status.AWAITING_PAYMENT:
        return True
    awaiting = dossier.status is Status.AWAITING_SUPPLEMENT
    end = dossier.supplement_requested_at if awaiting else ended_at(dossier)
    end_day, due, due_day = day_of(end), dossier.due_at, day_of(dossier.due_at)
    if end_day is None or end_day > cut_off:
        end, end_day = None, cut_off
    if due_day is None:
        received = received_on(dossier)
        return longest is None or received is None or working_days[end_day] - working_days[received] <= longest
    if has_time(end) and has_time(due):
        assert isinstance(end, datetime) and isinstance(due, datetime)
        return end <= due
    return end_day <= due_day


def counts_strictly(dossier: Dossier, cut_off: date) -> bool:
    """Whether the strict index counts a received dossier: not withdrawn, not awaiting payment, with a due date."""
    ended = day_of(ended_at(dossier))
    withdrawn = dossier.status is Status.WITHDRAWN and ended is not None and ended <= cut_off
    return not withdrawn and dossier.status is not Status.AWAITING_PAYMENT and dossier.due_at is not None
