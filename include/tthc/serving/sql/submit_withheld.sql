-- Grain: unit with a withheld figure.
select distinct unit_code
from mart.kpi
where period_calendar = :calendar and period_label = :label and (:all_units or unit_code = :unit)
    and 'withheld' = any(flags)
order by unit_code
