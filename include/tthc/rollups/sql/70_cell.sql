-- Grain: period, place, field. All counters side by side. Where a unit has no dossiers for a period, the form II.06 it
-- filled speaks for it.
create temporary table cell (
    calendar text,
    kind text,
    label text,
    place_id int,
    field_code text,
    from_summary boolean default false,
    :counter_columns
) on commit drop;

insert into cell (calendar, kind, label, place_id, field_code, :counters_of(received))
select calendar, kind, label, place_id, field_code, :counters_of(received)
from received_cell;

insert into cell (calendar, kind, label, place_id, field_code, :counters_of(ended))
select calendar, kind, label, place_id, field_code, :counters_of(ended)
from ended_cell;

insert into cell (calendar, kind, label, place_id, field_code, :counters_of(open))
select calendar, kind, label, place_id, field_code, :counters_of(open)
from open_cell;

insert into cell (
    calendar, kind, label, place_id, field_code, from_summary, received, received_online,
    resolved_early, resolved_on_time, resolved_late, in_progress, overdue
)
with
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
select
    form.calendar, form.kind, form.label, place.place_id,
    case when form.field_key <> '*' then coalesce(field.field_code, form.field_name) end, true, form.received,
    form.received_online, form.resolved_early, form.resolved_on_time, form.resolved_late, form.in_progress, form.overdue
from form
left join field using (field_key)
join ref.period using (calendar, kind, label)
join place  -- the form speaks for the unit as it was at the end of what it tells
    on not place.of_dossiers and place.unit_code = form.unit_code
    and least(period.end_on, form.night) >= place.since and least(period.end_on, form.night) < place.until
where not exists (
    select from cell
    join place as counted using (place_id)
    where (cell.calendar, cell.kind, cell.label, counted.unit_code)
        = (form.calendar, form.kind, form.label, form.unit_code)
)
