-- Counters that are new or changed hold from this publication on.
insert into rollup.counter (
    calendar, kind, label, unit_code, field_code, basis, first_publication, flags,
    received, received_online, resolved_early, resolved_on_time, resolved_late, withdrawn, in_progress,
    overdue, stopped, dossiers_received, index_in_time, online_with_result, full_received, full_online,
    fee_received, fee_paid_online, components_digitised, data_reused, yielding_received,
    yielding_received_digitised, yielding_finished, result_digitised, fully_digitised, result_electronic,
    dash_finished, dash_in_time
)
select
    calendar, kind, label, unit_code, field_code, basis, tonight.publication_id, flags,
    received, received_online, resolved_early, resolved_on_time, resolved_late, withdrawn, in_progress,
    overdue, stopped, dossiers_received, index_in_time, online_with_result, full_received, full_online,
    fee_received, fee_paid_online, components_digitised, data_reused, yielding_received,
    yielding_received_digitised, yielding_finished, result_digitised, fully_digitised, result_electronic,
    dash_finished, dash_in_time
from fresh
cross join tonight
where not exists (
    select from rollup.counter as held
    where (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.field_code, fresh.basis)
        = (held.calendar, held.kind, held.label, held.unit_code, held.field_code, held.basis)
    and held.last_publication is null
)
