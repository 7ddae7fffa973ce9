-- Grain: period, unit, field. Dossiers that only one side tells or both tell differently; the most of them first.
select
    period_calendar, period_label, unit_code, unit_name, field_code, dossiers, only_province, only_nation, in_both, differing,
    status_differs, unit_differs, procedure_differs, received_differs, due_differs, finished_differs
from mart.source_difference
where (cast(:unit as text) is null or unit_code = :unit)
    and (cast(:period as text) is null or period_label = :period)
    and period_calendar = :calendar
    and (:fields or field_code = '*')
    and only_province + only_nation + differing > 0
order by
    period_label, unit_level <> 'province', only_province + only_nation + differing desc, unit_code, field_code <> '*',
    field_code
