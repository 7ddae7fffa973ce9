-- Grain: unit, metric, of one period. What may leave the department.
select
    period_kind, period_label, period_start, period_end, unit_level, unit_code, unit_name, metric_id, profile, numerator,
    denominator, suppressed, minimum_count, definition_version, publication_id
from mart.kpi_public
where period_label = :label
