-- Grain: target. Only targets whose unit has a figure in the period.
select target_id, numerator, denominator, met, flags, status
from mart.kpi_vs_target
where period_calendar = :calendar and period_label = :label and basis = :basis
