-- What reports of the province's side and of the national portal's say of the same cell, each side by its source that ranks
-- first. Forms II.06a too. A report of an open period is compared with one of the same night only.
create view mart.source_report_difference as
with
told as (
    select distinct on (reported.period_calendar, reported.period_label, reported.unit_code, reported.field_code,
        reported.measure, source.level) reported.*, source.level
    from mart.reported
    join ref.source using (source_id)
    order by reported.period_calendar, reported.period_label, reported.unit_code, reported.field_code, reported.measure,
        source.level, source.priority, reported.report
)
select
    province.period_calendar,
    province.period_kind,
    province.period_label,
    province.period_start,
    province.period_end,
    province.unit_code,
    province.unit_name,
    province.field_code,
    province.measure,
    province.measure_name,
    province.reported as province_reported,
    nation.reported as nation_reported,
    province.reported - nation.reported as difference,
    province.source_id as province_source_id,
    province.report as province_report,
    province.file_name as province_file_name,
    province.row_no as province_row_no,
    province.night as province_night,
    nation.source_id as nation_source_id,
    nation.report as nation_report,
    nation.file_name as nation_file_name,
    nation.row_no as nation_row_no,
    nation.night as nation_night,
    province.publication_id
from told as province
join told as nation
    using (period_calendar, period_label, unit_code, field_code, measure)
where province.level = 'province' and nation.level = 'nation'
and (province.night = nation.night or least(province.night, nation.night) >= province.period_end);
