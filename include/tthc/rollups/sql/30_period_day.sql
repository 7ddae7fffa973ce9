-- Grain: day, calendar, period containing it, up to the night. Carries the period's cut-off: the earlier of end and night.
create temporary table period_day on commit drop as
select
    day.day::date as day,
    period.calendar,
    period.kind,
    period.label,
    least(period.end_on, (select night from tonight)) as cut_off,
    cut_off_day.working_index as cut_off_index
from ref.period
cross join generate_series(period.start_on, least(period.end_on, (select night from tonight)), interval '1 day') as day (day)
left join ref.calendar as cut_off_day on cut_off_day.day = least(period.end_on, (select night from tonight))
where period.start_on <= (select night from tonight)
