-- Counters that no longer hold end with the publication before this one.
update rollup.counter as held
set last_publication = tonight.publication_id - 1
from tonight
where held.last_publication is null
and not exists (
    select from fresh
    where (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.field_code, fresh.basis)
        = (held.calendar, held.kind, held.label, held.unit_code, held.field_code, held.basis)
    and row(
        fresh.flags,
        fresh.received, fresh.received_online, fresh.resolved_early, fresh.resolved_on_time,
        fresh.resolved_late, fresh.withdrawn, fresh.in_progress, fresh.overdue, fresh.stopped,
        fresh.dossiers_received, fresh.index_in_time, fresh.online_with_result, fresh.full_received,
        fresh.full_online, fresh.fee_received, fresh.fee_paid_online, fresh.components_digitised,
        fresh.data_reused, fresh.yielding_received, fresh.yielding_received_digitised,
        fresh.yielding_finished, fresh.result_digitised, fresh.fully_digitised, fresh.result_electronic,
        fresh.dash_finished, fresh.dash_in_time
    ) is not distinct from row(
        held.flags,
        held.received, held.received_online, held.resolved_early, held.resolved_on_time, held.resolved_late,
        held.withdrawn, held.in_progress, held.overdue, held.stopped, held.dossiers_received,
        held.index_in_time, held.online_with_result, held.full_received, held.full_online, held.fee_received,
        held.fee_paid_online, held.components_digitised, held.data_reused, held.yielding_received,
        held.yielding_received_digitised, held.yielding_finished, held.result_digitised, held.fully_digitised,
        held.result_electronic, held.dash_finished, held.dash_in_time
    )
)
