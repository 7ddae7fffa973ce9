-- Grain: period, place, field. All counters side by side. Where a unit has no dossiers for a period, the form II.06 it
-- filled speaks for it.
create temporary table cell on commit drop as
with
dossier_cell as (
    select
        calendar, kind, label, place_id, field_code, false as from_summary,
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
        calendar, kind, label, place_id, field_code, false, 0, 0, resolved_early,
        resolved_on_time, resolved_late, withdrawn, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, yielding_finished,
        result_digitised, fully_digitised, result_electronic, dash_finished, dash_in_time
    from ended_cell
    union all
    select
        calendar, kind, label, place_id, field_code, false, 0, 0, 0, 0, 0, 0, in_progress,
        overdue, stopped, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from open_cell
),
told as (  -- the newest form of each unit and period
    select distinct on (form.calendar, form.kind, form.label, form.unit_code)
        form.delivery_id, form.calendar, form.kind, form.label, form.unit_code, delivery.night
    from (select distinct delivery_id, calendar, kind, label, unit_code from core.reported) as form
    join core.delivery as parsed on parsed.delivery_id = form.delivery_id and parsed.feed = 'summary_06a'
    join core.delivery on coalesce(delivery.same_as, delivery.delivery_id) = form.delivery_id
    where delivery.night <= (select night from tonight)
    and form.unit_code <> (select province from tonight)  -- the province is the sum of its units
    order by form.calendar, form.kind, form.label, form.unit_code, delivery.night desc, delivery.file_name desc,
        delivery.delivery_id desc
),
form as (
    select
        calendar, kind, label, unit_code, told.night, field_key, min(field_name) as field_name,
        coalesce(sum(value) filter (where measure in ('received_online', 'received_direct')), 0)::bigint as received,
        coalesce(sum(value) filter (where measure = 'received_online'), 0)::bigint as received_online,
        coalesce(sum(value) filter (where measure = 'resolved_early'), 0)::bigint as resolved_early,
        coalesce(sum(value) filter (where measure = 'resolved_on_time'), 0)::bigint as resolved_on_time,
        coalesce(sum(value) filter (where measure = 'resolved_late'), 0)::bigint as resolved_late,
        coalesce(sum(value) filter (where measure = 'in_progress_total'), 0)::bigint as in_progress,
        coalesce(sum(value) filter (where measure = 'in_progress_overdue'), 0)::bigint as overdue
    from core.reported
    join told using (delivery_id, calendar, kind, label, unit_code)
    group by calendar, kind, label, unit_code, told.night, field_key
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
    form.calendar, form.kind, form.label, place.place_id,
    case when form.field_key <> '*' then coalesce(field.field_code, form.field_name) end, true,
    form.received, form.received_online, form.resolved_early, form.resolved_on_time, form.resolved_late, 0,
    form.in_progress, form.overdue, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
from form
left join field using (field_key)
join ref.period using (calendar, kind, label)
join place  -- the form speaks for the unit as it was at the end of what it tells
    on not place.of_dossiers and place.unit_code = form.unit_code
    and least(period.end_on, form.night) >= place.since and least(period.end_on, form.night) < place.until
where not exists (
    select from dossier_cell
    join place as counted using (place_id)
    where dossier_cell.calendar = form.calendar
    and dossier_cell.kind = form.kind
    and dossier_cell.label = form.label
    and counted.unit_code = form.unit_code
)
