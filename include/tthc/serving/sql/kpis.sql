-- Grain: unit, metric, profile; all fields together.
select
    unit_code, unit_name, unit_level, metric_id, profile, numerator, denominator, flags, status, units_expected,
    units_reported
from mart.kpi
where period_calendar = :calendar and period_label = :label and basis = :basis and field_code = '*'
    and unit_code = any(:units)
