-- Who was expected to report, from which source, on which night or for which period (its last day stands for the
-- night), and whether they did: reporting.toml says who and by when. A report whose figures are all 0, and a list without
-- rows that was believed, is a reported zero.
create view mart.coverage as
with
heard as (
    select delivery.source_id, delivery.night, delivery_unit.unit_code, min(delivery.recorded_at) as reported_at,
        sum(delivery_unit.row_count) = 0 as is_zero
    from core.delivery
    join core.delivery_unit using (delivery_id)
    group by delivery.source_id, delivery.night, delivery_unit.unit_code
),
told as (
    select delivery.source_id, reported.calendar, reported.kind, reported.label, reported.unit_code,
        min(delivery.recorded_at) as reported_at, sum(reported.value) = 0 as is_zero
    from core.reported
    join core.delivery using (delivery_id)
    where delivery.verdict in ('loaded', 'loaded_with_quarantine')
    group by delivery.source_id, reported.calendar, reported.kind, reported.label, reported.unit_code
    union all  -- a form of manual input in which at least one line is filled
    select delivery.source_id, said.calendar, said.kind, said.label, said.unit_code, min(delivery.recorded_at),
        sum(said.denominator) = 0
    from core.manual_input as said
    join core.delivery using (delivery_id)
    where said.numerator is not null
    group by delivery.source_id, said.calendar, said.kind, said.label, said.unit_code
),
turn as (
    select rule.source_id, period.calendar, period.label, period.kind, night.night as due_from, rule.working_days, false
        as is_period
    from ref.expected_reporter as rule
    cross join (
        select night from core.delivery
        union
        select night from alerts.dispatch where night is not null  -- a night that ran and brought nothing
    ) as night
    join ref.period on period.kind = 'month' and night.night between period.start_on and period.end_on
    where rule.every = 'night'
    union all
    select rule.source_id, period.calendar, period.label, period.kind, period.end_on, rule.working_days, true
    from ref.expected_reporter as rule
    join ref.period on period.kind = rule.every and period.calendar = 'VPCP_15_14'
    cross join (select min(night) as oldest, max(night) as newest from core.delivery) as known
    where period.end_on between known.oldest and known.newest
        or exists (select from told where (told.source_id, told.kind, told.label)
            = (rule.source_id, period.kind, period.label))
),
due as (
    select turn.*, coalesce(deadline.day, turn.due_from + turn.working_days) as last_day
    from turn
    left join ref.calendar as start on start.day = turn.due_from
    left join lateral (
        select min(day) as day  -- with no day to spare, a day on which nobody works moves to the next one that is worked
        from ref.calendar
        where working_index = start.working_index
            + case when start.is_working then turn.working_days else greatest(turn.working_days, 1) end
    ) as deadline on true
)
select
    due.calendar as period_calendar,
    due.label as period_label,
    due.due_from as night,
    due.source_id,
    named.unit_code,
    true as expected,
    case
        when reported.at is null and now() < due.last_day + 1 then 'not_due'
        when reported.at is null then 'missing'
        when coalesce(heard.is_zero, told.is_zero) then 'zero'
        when reported.at < due.last_day + 1 then 'on_time'
        else 'late'
    end as state,
    reported.at as reported_at,
    due.last_day as due_on
from due
join mart.expected_reporter as named
    on named.source_id = due.source_id
    and due.due_from <= named.until
    and (due.is_period or named.since <= due.due_from)
left join heard
    on not due.is_period
    and (heard.source_id, heard.night, heard.unit_code) = (due.source_id, due.due_from, named.unit_code)
left join told
    on due.is_period
    and (told.source_id, told.calendar, told.kind, told.label, told.unit_code)
        = (due.source_id, due.calendar, due.kind, due.label, named.unit_code)
cross join lateral (select coalesce(heard.reported_at, told.reported_at) as at) as reported;
