-- Grain: period, unit (and the province), field (and '*'), basis. Today's counters: as reported, and on today's boundary
-- where whole mergers have moved to their successor; basis '*' where both say the same.
create temporary table fresh on commit drop as
with
based as (
    select 'as_reported' as basis, unit_code as place, false as flag_split, * from cell
    union all
    select 'current_boundary', current_code, is_split, * from cell
),
summed as (
select
    calendar,
    kind,
    label,
    coalesce(place, (select province from tonight)) as unit_code,
    coalesce(field_code, '*') as field_code,
    basis,
    array_remove(array[
        case when bool_or(from_summary) then 'from_summary' end,
        case when bool_or(flag_split) then 'split_unit' end
    ], null) as flags,
    sum(received)::bigint as received,
    sum(received_online)::bigint as received_online,
    sum(resolved_early)::bigint as resolved_early,
    sum(resolved_on_time)::bigint as resolved_on_time,
    sum(resolved_late)::bigint as resolved_late,
    sum(withdrawn)::bigint as withdrawn,
    sum(in_progress)::bigint as in_progress,
    sum(overdue)::bigint as overdue,
    sum(stopped)::bigint as stopped,
    sum(dossiers_received)::bigint as dossiers_received,
    sum(index_in_time)::bigint as index_in_time,
    sum(online_with_result)::bigint as online_with_result,
    sum(full_received)::bigint as full_received,
    sum(full_online)::bigint as full_online,
    sum(fee_received)::bigint as fee_received,
    sum(fee_paid_online)::bigint as fee_paid_online,
    sum(components_digitised)::bigint as components_digitised,
    sum(data_reused)::bigint as data_reused,
    sum(yielding_received)::bigint as yielding_received,
    sum(yielding_received_digitised)::bigint as yielding_received_digitised,
    sum(yielding_finished)::bigint as yielding_finished,
    sum(result_digitised)::bigint as result_digitised,
    sum(fully_digitised)::bigint as fully_digitised,
    sum(result_electronic)::bigint as result_electronic,
    sum(dash_finished)::bigint as dash_finished,
    sum(dash_in_time)::bigint as dash_in_time
from based
group by grouping sets (
    (calendar, kind, label, basis, place, field_code),
    (calendar, kind, label, basis, place),
    (calendar, kind, label, basis, field_code),
    (calendar, kind, label, basis)
)
having not (grouping(field_code) = 0 and field_code is null)  -- a dossier of no known field is in '*' only
)
select
    calendar, kind, label, unit_code, field_code,
    case when count(*) = 2 then '*' else min(basis) end as basis,
    flags,
    received, received_online, resolved_early, resolved_on_time, resolved_late, withdrawn, in_progress,
    overdue, stopped, dossiers_received, index_in_time, online_with_result, full_received, full_online,
    fee_received, fee_paid_online, components_digitised, data_reused, yielding_received,
    yielding_received_digitised, yielding_finished, result_digitised, fully_digitised, result_electronic,
    dash_finished, dash_in_time
from summed
group by
    calendar, kind, label, unit_code, field_code, flags,
    received, received_online, resolved_early, resolved_on_time, resolved_late, withdrawn, in_progress,
    overdue, stopped, dossiers_received, index_in_time, online_with_result, full_received, full_online,
    fee_received, fee_paid_online, components_digitised, data_reused, yielding_received,
    yielding_received_digitised, yielding_finished, result_digitised, fully_digitised, result_electronic,
    dash_finished, dash_in_time
