-- Grain: cell in which the newest report of a unit and period differs from its dossiers; the largest first.
select
    unit_code, unit_name, period_calendar, period_label, field_code, measure, measure_name, profile, reported, recomputed,
    difference, source_id, report, file_name, night, row_no
from mart.reported_difference
where (cast(:unit as text) is null or unit_code = :unit)
    and (cast(:period as text) is null or period_label = :period)
    and (cast(:calendar as text) is null or period_calendar = :calendar)
order by abs(difference) desc, unit_code, period_calendar, period_label, field_code, measure, source_id, report
