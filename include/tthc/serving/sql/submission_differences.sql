-- Grain: figure that is published otherwise than it was handed in; the largest difference first.
select
    period_calendar, period_label, version, unit_code, basis, field_code, metric_id, profile, submitted_numerator,
    submitted_denominator, current_numerator, current_denominator
from mart.submission_difference
where (cast(:period as text) is null or period_label = :period)
    and (cast(:unit as text) is null or unit_code = :unit)
    and (cast(:calendar as text) is null or period_calendar = :calendar)
order by abs(submitted_numerator - current_numerator) desc nulls first, period_label, unit_code, field_code, metric_id,
    profile, basis
