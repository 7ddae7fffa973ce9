create view mart.form_06a as
select
    counter.calendar as period_calendar,
    counter.kind as period_kind,
    counter.label as period_label,
    period.start_on as period_start,
    period.end_on as period_end,
    least(period.end_on, publication.night) as as_of,
    place.level as unit_level,
    counter.unit_code,
    place.full_name as unit_name,
    basis.basis,
    counter.field_code,
    case when counter.field_code = '*' then 'Tổng số' else coalesce(field.field_name, counter.field_code) end
        as field_name,
    total.resolved + counter.in_progress as received_total,
    counter.received_online,
    counter.received - counter.received_online as received_direct,
    total.resolved + counter.in_progress - counter.received as carried_over,
    total.resolved as resolved_total,
    counter.resolved_early,
    counter.resolved_on_time,
    counter.resolved_late,
    counter.in_progress as in_progress_total,
    counter.in_progress - counter.overdue as in_progress_in_time,
    counter.overdue as in_progress_overdue,
    counter.withdrawn,
    counter.stopped,
    counter.flags,
    publication.publication_id
from rollup.current_publication
join rollup.publication using (publication_id)
join rollup.counter
    on counter.first_publication <= publication.publication_id
    and (counter.last_publication is null or counter.last_publication >= publication.publication_id)
join ref.period using (calendar, kind, label)
cross join lateral (
    select unit.level, unit.full_name
    from ref.unit
    where unit.unit_code = counter.unit_code
    order by least(period.end_on, publication.night) between unit.valid_from and unit.valid_to desc, unit.valid_from desc
    limit 1
) as place
left join lateral (
    select procedure.field_name
    from ref.procedure
    where procedure.field_code = counter.field_code
    order by procedure.field_name
    limit 1
) as field on true
cross join lateral (select counter.resolved_early + counter.resolved_on_time + counter.resolved_late as resolved) as total
cross join lateral unnest(
    case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
) as basis (basis)
where not 'withheld' = any(counter.flags)
and (total.resolved <> 0 or counter.in_progress <> 0 or counter.received <> 0);
