-- Grain: cell that reports of both sides tell, and tell differently; the largest difference first.
select
    period_calendar, period_label, unit_code, unit_name, field_code, measure, measure_name, province_reported,
    nation_reported, difference, province_source_id, province_report, province_file_name, province_row_no, province_night,
    nation_source_id, nation_report, nation_file_name, nation_row_no, nation_night
from mart.source_report_difference
where (cast(:unit as text) is null or unit_code = :unit)
    and (cast(:period as text) is null or period_label = :period)
    and period_calendar = :calendar
    and difference <> 0
order by abs(difference) desc, period_label, unit_code, field_code, measure
