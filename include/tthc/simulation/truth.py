"""The true figures of a night, counted dossier by dossier in plain Python: the oracle the warehouse is held against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from tthc.domain.dossier import Channel, Dossier, PaymentMethod, ServiceLevel, Status
from tthc.domain.period import ReportingPeriod, periods_between
from tthc.domain.text import clean
from tthc.simulation import readings


class ProcedureFacts(Protocol):
    """What the figures need to know of a procedure; `tthc.reference.procedures.Procedure` is one."""

    @property
    def field_code(self) -> str | None: ...
    @property
    def field_name(self) -> str | None: ...
    @property
    def service_level(self) -> ServiceLevel | None: ...
    @property
    def yields_result(self) -> bool | None: ...
    @property
    def max_working_days(self) -> int | None: ...


Procedures = Mapping[str, ProcedureFacts]
Cell = tuple[ReportingPeriod, str, str]  # period, unit, field

# metric, profile, counters of the numerator, counter of the denominator (None: a count)
_FIGURES: tuple[tuple[str, str, tuple[str, ...], str | None], ...] = (
    ("on_time", "TT01_06A", ("resolved_early", "resolved_on_time"), "resolved_total"),
    ("on_time", "IDX766", ("in_time_766",), "received"),
    ("on_time", "DASH", ("finished_with_due_in_time",), "finished_with_due"),
    ("on_time", "TT01_06A_STRICT", ("finished_with_due_in_time",), "finished_with_due"),
    ("on_time", "IDX766_STRICT", ("in_time_766_strict",), "received_strict"),
    ("overdue_open", "TT01_06A", ("in_progress_overdue",), "in_progress_total"),
    ("received", "TT01_06A", ("received",), None),
    ("resolved", "TT01_06A", ("resolved_total",), None),
    ("in_progress", "TT01_06A", ("in_progress_total",), None),
    ("withdrawn", "TT01_06A", ("withdrawn",), None),
    ("stopped", "TT01_06A", ("stopped",), None),
    ("paused", "TT01_06A", ("paused",), None),
    ("online_submission", "*", ("received_online",), "received"),
    ("online_submission", "IDX766", ("received_online_766",), "received"),
    ("online_submission_full", "*", ("received_full_online",), "received_full"),
    ("online_submission_offered", "*", ("received_offered_online",), "received_offered"),
    ("online_payment", "*", ("received_with_fee_paid_online",), "received_with_fee"),
    ("digitised_components", "*", ("received_digitised",), "received"),
    ("digitised_result", "*", ("finished_result_digitised",), "finished_with_result"),
    ("digitised_full", "*", ("finished_fully_digitised",), "finished_with_result"),
    ("digitised_result_received", "*", ("received_result_digitised",), "received_with_result"),
    ("electronic_result", "*", ("finished_result_electronic",), "finished_with_result"),
    ("reuse", "*", ("received_reused",), "received"),
)
FORM_06A = (
    "received_total", "received_online", "received_direct", "carried_over",
    "resolved_total", "resolved_early", "resolved_on_time", "resolved_late",
    "in_progress_total", "in_progress_in_time", "in_progress_overdue", "withdrawn", "stopped",
)  # fmt: skip


def true_figures(
    dossiers: Sequence[Dossier],
    night: date,
    *,
    province: str,
    procedures: Procedures,
    working_days: Mapping[date, int],
) -> list[dict[str, Any]]:
    """Every metric and profile the warehouse publishes, from each dossier's newest state as of the night.

    One mapping per (period_calendar, period_kind, period_label, unit_code, field_code, metric_id, profile) with
    numerator and denominator (None for counts), for every unit, the province and field `*`, where either is not 0.
    Only accepted states belong here: what is quarantined is not counted anywhere. `working_days` is
    `tthc.domain.working_days.working_index` from the first receipt to the night. A null channel is direct, a null
    yes or no is no, a null service level is the registry's, an unknown `yields_result` is yes; a payment counts by
    its method, whenever it was made; the readings of the dates stand in `readings`.
    """
    figures = []
    for (period, unit, field), counted in _cells(dossiers, night, province, procedures, working_days):
        for metric, profile, numerators, denominator in _FIGURES:
            numerator = sum(counted[name] for name in numerators)
            if numerator or (denominator and counted[denominator]):
                figures.append(
                    _key(period, unit, field)
                    | {
                        "metric_id": metric,
                        "profile": profile,
                        "numerator": numerator,
                        "denominator": counted[denominator] if denominator else None,
                    }
                )
    return figures


def true_form_06a(
    dossiers: Sequence[Dossier],
    night: date,
    *,
    province: str,
    procedures: Procedures,
    working_days: Mapping[date, int],
) -> list[dict[str, Any]]:
    """The counters of form II.06a (TT 01/2020/TT-VPCP) per period, unit and field, where one is not 0.

    `carried_over` is counted (received before the period and still open on the day before it), never derived.
    """
    return [
        _key(period, unit, field) | {name: counted[name] for name in FORM_06A}
        for (period, unit, field), counted in _cells(dossiers, night, province, procedures, working_days)
        if any(counted[name] for name in FORM_06A)
    ]


def field_of(dossier: Dossier, procedures: Procedures) -> str | None:
    """The field a dossier is counted under: the registry's code, else its name, else the row's own text.

    The row's text is NFC with its spaces collapsed. None: no field is known, the dossier counts under `*` alone.
    """
    procedure = procedures.get(dossier.procedure_code or "")
    known = (procedure.field_code or procedure.field_name) if procedure else None
    return clean(known or dossier.field_name or "") or None


def _key(period: ReportingPeriod, unit: str, field: str) -> dict[str, Any]:
    return {
        "period_calendar": period.calendar.value,
        "period_kind": period.kind.value,
        "period_label": period.label,
        "unit_code": unit,
        "field_code": field,
    }


def _cells(
    dossiers: Sequence[Dossier],
    night: date,
    province: str,
    procedures: Procedures,
    working_days: Mapping[date, int],
) -> list[tuple[Cell, Counter[str]]]:
    """Counters per period, unit and field, then their sums over fields and over units, in a stable order."""
    periods = _periods(dossiers, night)
    finest: dict[tuple[int, str, str | None], Counter[str]] = defaultdict(Counter)
    for dossier in dossiers:
        received, resolved = readings.received_on(dossier), readings.resolved_on(dossier)
        if received is None:
            continue
        field = field_of(dossier, procedures)
        procedure = procedures.get(dossier.procedure_code or "")
        for number, period in enumerate(periods):
            cut_off = period.cut_off(night)
            touched = received <= cut_off and (resolved is None or max(received, resolved) >= period.start)
            if touched:
                counted = _counters(dossier, received, period.start, cut_off, procedure, working_days)
                finest[number, dossier.unit_code, field].update(counted)
    summed: dict[tuple[int, str, str], Counter[str]] = defaultdict(Counter)
    for (number, unit, field), counter in finest.items():
        for of_unit in {unit, province}:
            summed[number, of_unit, "*"].update(counter)
            if field is not None:
                summed[number, of_unit, field].update(counter)
    return [((periods[number], unit, field), summed[number, unit, field]) for number, unit, field in sorted(summed)]


def _periods(dossiers: Sequence[Dossier], night: date) -> list[ReportingPeriod]:
    """The periods of both calendars between the first receipt and the night, earliest first."""
    receipts = [received for dossier in dossiers if (received := readings.received_on(dossier)) is not None]
    if not receipts:
        return []
    first = min(receipts)
    return [
        period
        for period in periods_between(first.year, night.year + 1)
        if period.start <= night and period.end >= first
    ]


def _counters(
    dossier: Dossier,
    received: date,
    start: date,
    cut_off: date,
    procedure: ProcedureFacts | None,
    working_days: Mapping[date, int],
) -> Iterator[str]:
    """The counters one dossier adds 1 to in one period."""
    yields_result = procedure is None or procedure.yields_result is not False
    finished = readings.finished_on(dossier)
    if received >= start:
        longest = procedure.max_working_days if procedure else None
        level = dossier.service_level or (procedure.service_level if procedure else None)
        yield from _of_receipt(
            dossier, level, has_result=yields_result and finished is not None and finished <= cut_off
        )
        strict = readings.counts_strictly(dossier, cut_off)
        if strict:
            yield "received_strict"
        if readings.in_time_by_index_766(dossier, cut_off, longest=longest, working_days=working_days):
            yield "in_time_766"
            if strict:
                yield "in_time_766_strict"
        if yields_result:
            yield "received_with_result"
        if not yields_result and dossier.channel is Channel.ONLINE:
            yield "received_online_766"
    elif readings.open_at(dossier, start - timedelta(days=1)):
        yield from ("received_total", "carried_over")
    resolved = readings.resolved_on(dossier)
    if resolved is not None and start <= resolved <= cut_off:
        yield from ("resolved_total", f"resolved_{readings.resolution_of(dossier)}")
        if dossier.status is Status.WITHDRAWN:
            yield "withdrawn"
    if readings.open_at(dossier, cut_off):
        yield "in_progress_total"
        yield "in_progress_overdue" if readings.overdue_at(dossier, cut_off) else "in_progress_in_time"
        if readings.stopped_by(dossier, cut_off):
            yield "stopped"
        if readings.paused_at(dossier, cut_off):
            yield "paused"
    if finished is not None and start <= finished <= cut_off:
        yield from _of_finish(dossier, finished, yields_result=yields_result)


def _of_receipt(dossier: Dossier, level: ServiceLevel | None, *, has_result: bool) -> Iterator[str]:
    """Counters of a dossier received in the period; `has_result`: it was finished by the cut-off with a result."""
    online = dossier.channel is Channel.ONLINE
    yield from ("received", "received_total", "received_online" if online else "received_direct")
    if online and has_result and dossier.result_electronic:
        yield "received_online_766"
    if has_result and dossier.result_digitised:
        yield "received_result_digitised"
    if level in (ServiceLevel.PARTIAL, ServiceLevel.FULL):
        yield "received_offered"
        if online:
            yield "received_offered_online"
    if level is ServiceLevel.FULL:
        yield "received_full"
        if online:
            yield "received_full_online"
    if (dossier.fee_amount or 0) > 0:
        yield "received_with_fee"
        if dossier.payment_method is PaymentMethod.ONLINE:
            yield "received_with_fee_paid_online"
    if dossier.components_digitised:
        yield "received_digitised"
    if dossier.data_reused:
        yield "received_reused"


def _of_finish(dossier: Dossier, finished: date, *, yields_result: bool) -> Iterator[str]:
    """Counters of a dossier of status 9 or 10 finished in the period."""
    due = readings.day_of(dossier.due_at)
    if due is not None:
        yield "finished_with_due"
        if finished <= due:
            yield "finished_with_due_in_time"
    if yields_result:
        yield "finished_with_result"
        if dossier.result_digitised:
            yield "finished_result_digitised"
            if dossier.components_digitised:
                yield "finished_fully_digitised"
        if dossier.result_electronic:
            yield "finished_result_electronic"
