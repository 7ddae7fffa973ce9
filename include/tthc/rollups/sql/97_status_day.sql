-- Grain: night, unit, field. What was in progress on the night, and how near it was to its due day.
insert into rollup.status_day
select
    tonight.night,
    state.unit_code,
    coalesce(state.field_code, ''),
    count(*),
    count(*) filter (where not halted.halted and state.due_on < tonight.night),
    count(*) filter (
        where not halted.halted and state.due_on >= tonight.night
        and due_day.working_index - night_day.working_index <= 3
    ),
    count(*) filter (where halted.halted and state.stopped_on is null)
from state
cross join tonight
cross join lateral (
    select
        state.status = 6
        or state.status = 5 and coalesce(state.supplement_requested_on <= tonight.night, false)
        or coalesce(state.stopped_on <= tonight.night, false) as halted
) as halted
left join ref.calendar as due_day on due_day.day = state.due_on
left join ref.calendar as night_day on night_day.day = tonight.night
where state.resolved_on is null or state.resolved_on > tonight.night
group by tonight.night, state.unit_code, coalesce(state.field_code, '')
