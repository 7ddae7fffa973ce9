-- Grain: period of the current publication in which the province has any figure; the newest first.
select distinct
    period_calendar as calendar, period_kind as kind, period_label as label, period_start as start,
    period_end as "end", as_of
from mart.kpi
where unit_code = :province and field_code = '*'
order by calendar desc, "end" desc, start
