-- Grain: as 80_fresh, only what differs from the figures that hold now. What the figure rules are asked about.
create temporary table changed on commit drop as
select
    row_number() over () as row_id,
    fresh.*,
    fresh.resolved_early + fresh.resolved_on_time + fresh.resolved_late + fresh.in_progress - fresh.received
        as carried_over,
    case when fresh.unit_code = tonight.province and fresh.basis <> 'current_boundary' then
        fresh.received + fresh.in_progress + fresh.resolved_early + fresh.resolved_on_time + fresh.resolved_late
        - coalesce(units.total, 0)
    end as sum_of_units
from fresh
cross join tonight
left join (
    select
        calendar, kind, label, field_code,
        sum(received + in_progress + resolved_early + resolved_on_time + resolved_late) as total
    from fresh
    cross join tonight
    where unit_code <> tonight.province and basis <> 'current_boundary'
    group by calendar, kind, label, field_code
) as units using (calendar, kind, label, field_code)
