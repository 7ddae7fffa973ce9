-- Grain: row of the newest form II.06 of each unit and period. Where its numbers belong, if they are to be counted.
create temporary table form on commit drop as
with
told as (  -- the newest form of each unit and period
    select distinct on (form.calendar, form.kind, form.label, form.unit_code)
        form.delivery_id, form.calendar, form.kind, form.label, form.unit_code, delivery.night,
        delivery.delivery_id as told_by
    from (select distinct delivery_id, calendar, kind, label, unit_code from core.reported) as form
    join core.delivery as parsed on parsed.delivery_id = form.delivery_id and parsed.feed = 'summary_06a'
    join core.delivery on coalesce(delivery.same_as, delivery.delivery_id) = form.delivery_id
    where delivery.night <= (select night from tonight)
    and coalesce(delivery.delivery_id <= (select newest_delivery from tonight), true)  -- of a publication: what it knew
    and form.unit_code <> (select province from tonight)  -- the province is the sum of its units
    order by form.calendar, form.kind, form.label, form.unit_code, delivery.night desc, delivery.file_name desc,
        delivery.delivery_id desc
),
line as (
    select
        calendar, kind, label, unit_code, told.night, told.told_by, sheet, row_no, field_key,
        coalesce(sum(value) filter (where measure in ('received_online', 'received_direct')), 0)::bigint as received,
        coalesce(sum(value) filter (where measure = 'received_online'), 0)::bigint as received_online,
        coalesce(sum(value) filter (where measure = 'resolved_early'), 0)::bigint as resolved_early,
        coalesce(sum(value) filter (where measure = 'resolved_on_time'), 0)::bigint as resolved_on_time,
        coalesce(sum(value) filter (where measure = 'resolved_late'), 0)::bigint as resolved_late,
        coalesce(sum(value) filter (where measure = 'in_progress_total'), 0)::bigint as in_progress,
        coalesce(sum(value) filter (where measure = 'in_progress_overdue'), 0)::bigint as overdue
    from core.reported
    join told using (delivery_id, calendar, kind, label, unit_code)
    group by calendar, kind, label, unit_code, told.night, told.told_by, sheet, row_no, field_key
)
select
    line.calendar, line.kind, line.label, line.unit_code, place.place_id,
    case when line.field_key <> '*' then coalesce(field.field_code, line.field_key) end as field_code,
    line.told_by as delivery_id, line.sheet, line.row_no, line.received, line.received_online, line.resolved_early,
    line.resolved_on_time, line.resolved_late, line.in_progress, line.overdue
from line
left join rollup.field using (field_key)
join ref.period using (calendar, kind, label)
join place  -- the form speaks for the unit as it was at the end of what it tells
    on not place.of_dossiers and place.unit_code = line.unit_code
    and least(period.end_on, line.night) >= place.since and least(period.end_on, line.night) < place.until
