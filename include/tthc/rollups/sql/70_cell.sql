-- Grain: period, unit, field. All counters side by side. Where a unit has no dossiers for a period, the form II.06 it
-- filled speaks for it.
create temporary table cell on commit drop as
with
dossier_cell as (
    select
        calendar, kind, label, unit_code, current_code, is_split, field_code, false as from_summary,
        received, received_online, 0::bigint as resolved_early, 0::bigint as resolved_on_time,
        0::bigint as resolved_late, 0::bigint as withdrawn, 0::bigint as in_progress, 0::bigint as overdue,
        0::bigint as stopped, received as dossiers_received, index_in_time, online_with_result, full_received,
        full_online, fee_received, fee_paid_online, components_digitised, data_reused, yielding_received,
        yielding_received_digitised, 0::bigint as yielding_finished, 0::bigint as result_digitised,
        0::bigint as fully_digitised, 0::bigint as result_electronic, 0::bigint as dash_finished,
        0::bigint as dash_in_time
    from received_cell
    union all
    select
        calendar, kind, label, unit_code, current_code, is_split, field_code, false, 0, 0, resolved_early,
        resolved_on_time, resolved_late, withdrawn, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, yielding_finished,
        result_digitised, fully_digitised, result_electronic, dash_finished, dash_in_time
    from ended_cell
    union all
    select
        calendar, kind, label, unit_code, current_code, is_split, field_code, false, 0, 0, 0, 0, 0, 0, in_progress,
        overdue, stopped, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from open_cell
),
told as (  -- the newest form of each unit and period
    select distinct on (summary.calendar, summary.kind, summary.label, summary.unit_code) summary.delivery_id,
        summary.calendar, summary.kind, summary.label, summary.unit_code
    from core.summary_06a as summary
    join core.delivery on summary.delivery_id in (delivery.delivery_id, delivery.same_as)
    where delivery.night <= (select night from tonight)
    order by
        summary.calendar, summary.kind, summary.label, summary.unit_code, delivery.night desc, delivery.file_name desc,
        delivery.delivery_id desc
),
field as (
    select distinct on (field_key) field_key, coalesce(field_code, field_name) as field_code
    from ref.procedure
    where field_key is not null
    order by field_key, origin desc, field_code nulls last, field_name
)
select * from dossier_cell
union all
select
    summary.calendar, summary.kind, summary.label, summary.unit_code, summary.unit_code, false,
    coalesce(field.field_code, summary.field_name), true,
    summary.received_online + summary.received_direct, summary.received_online, summary.resolved_early,
    summary.resolved_on_time, summary.resolved_late, 0, summary.in_progress_total, summary.in_progress_overdue,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
from core.summary_06a as summary
join told using (delivery_id, calendar, kind, label, unit_code)
left join field using (field_key)
where not exists (
    select from dossier_cell
    where dossier_cell.calendar = summary.calendar
    and dossier_cell.kind = summary.kind
    and dossier_cell.label = summary.label
    and dossier_cell.unit_code = summary.unit_code
)
