-- Grain: unit and source, of the turns (nights, or periods by their last day) within a period.
with
turn as (
    select distinct source_id, unit_code, night, state, due_on, reported_at
    from mart.coverage
    where night between :start and :as_of
)
select
    unit_code,
    source_id,
    count(*) as expected,
    count(*) filter (where state = 'on_time') as on_time,
    count(*) filter (where state = 'late') as late,
    count(*) filter (where state = 'missing') as missing,
    count(*) filter (where state = 'zero') as zero,
    count(*) filter (where state = 'not_due') as not_due,
    (array_agg(night order by night desc))[1] as last_night,
    (array_agg(state order by night desc))[1] as last_state,
    (array_agg(due_on order by night desc))[1] as last_due,
    max(reported_at) as last_heard
from turn
group by unit_code, source_id
order by unit_code, source_id
