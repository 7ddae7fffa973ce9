-- Grain: unit. Whether it was to report for a period, and whether it has; of the province all units and itself.
select unit_code, units_expected, units_reported
from rollup.coverage
where calendar = :calendar and kind = :kind and label = :label and (:all_units or unit_code = :unit)
    and last_publication is null
order by unit_code
