"""The true counts of summary reports, dossier by dossier in plain Python, for one closed period and every unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from tthc.domain.dossier import Channel, Dossier, PaymentMethod, ServiceLevel, Status
from tthc.domain.period import ReportingPeriod
from tthc.reference.procedures import Procedure
from tthc.simulation import readings


def true_reports(
    dossiers: Iterable[Dossier], period: ReportingPeriod, procedures: Mapping[str, Procedure]
) -> dict[str, Counter[str]]:
    """Unit → measure of `measures.csv` → count, at the period's end. A unit that nothing happened in is missing.

    What waits for a supplement, is stopped, or was withdrawn stands apart, as the unit summary has it: `paused` is
    its part of `active_in_time` there.
    """
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    fee_bearing: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for dossier in dossiers:
        names = list(_measures(dossier, period, procedures))
        if names:
            counted[dossier.unit_code].update(names)
            for name in _procedures_told(dossier, names):
                fee_bearing[dossier.unit_code][name].add(dossier.procedure_code or "")
    fees = sum(bool(procedure.fee_bearing) for procedure in procedures.values())
    for unit, counter in counted.items():
        counter["fee_procedures"] = fees
        counter.update({name: len(codes) for name, codes in fee_bearing[unit].items()})
    return dict(counted)


def _measures(dossier: Dossier, period: ReportingPeriod, procedures: Mapping[str, Procedure]) -> Iterator[str]:
    received, resolved = readings.received_on(dossier), readings.resolved_on(dossier)
    if received is None or received > period.end:
        return
    if received >= period.start:
        yield from _of_receipt(dossier, procedures)
    elif readings.open_at(dossier, period.start - timedelta(days=1)):
        yield "carried_over"
    else:
        return
    yield "received_total"
    if resolved is not None and resolved <= period.end:
        yield from _of_end(dossier)
    else:
        yield from _of_progress(dossier, period.end)


def _of_receipt(dossier: Dossier, procedures: Mapping[str, Procedure]) -> Iterator[str]:
    yield "received"
    channel = {Channel.ONLINE: "received_online", Channel.POSTAL: "received_postal"}
    yield channel.get(dossier.channel or Channel.DIRECT, "received_counter")
    if dossier.channel is not Channel.ONLINE:
        yield "received_direct"
    yield "components_digitised" if dossier.components_digitised else "components_not_digitised"
    if dossier.data_reused:
        yield "data_reused"
    procedure = procedures.get(dossier.procedure_code or "")
    level = dossier.service_level or (procedure.service_level if procedure else None)
    if dossier.channel is Channel.ONLINE:
        yield "arisen_total"
        yield "arisen_full" if level is ServiceLevel.FULL else "arisen_partial"
    if procedure and procedure.fee_bearing:
        yield "fee_procedure_dossiers"
    if (dossier.fee_amount or 0) > 0:
        yield "obliged_dossiers"
        if dossier.payment_method is PaymentMethod.ONLINE:
            yield "obliged_paid_online"


def _of_end(dossier: Dossier) -> Iterator[str]:
    yield "resolved_any"
    yield "result_any_digitised" if dossier.result_digitised else "result_any_not_digitised"
    if dossier.result_digitised and dossier.components_digitised:
        yield "fully_any_digitised"
    if dossier.status is Status.WITHDRAWN:
        yield "returned_withdrawn"
    else:
        yield from ("finished_total", f"finished_{readings.resolution_of(dossier)}")


def _of_progress(dossier: Dossier, end: date) -> Iterator[str]:
    if dossier.status is Status.AWAITING_SUPPLEMENT and readings.paused_at(dossier, end):
        yield "supplement"
        return
    yield "active_total"
    yield "in_progress_overdue" if readings.overdue_at(dossier, end) else "active_in_time"
    if readings.stopped_by(dossier, end):
        yield "paused"


def _procedures_told(dossier: Dossier, names: list[str]) -> Iterator[str]:
    """Counts of procedures to which a dossier adds its own."""
    if "fee_procedure_dossiers" in names:
        yield "fee_procedures_used"
        if dossier.payment_method is not None and (dossier.fee_amount or 0) > 0:
            yield "fee_procedures_paid"
            if dossier.payment_method is PaymentMethod.ONLINE:
                yield "fee_procedures_paid_online"
