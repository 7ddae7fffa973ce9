-- Grain: field whose figures are withheld; form II.06 has no row of it.
select distinct field_code
from mart.kpi
where period_calendar = :calendar and period_label = :label and basis = :basis and unit_code = :unit
    and 'withheld' = any(flags)
