-- What summary reports told, cell by cell, the newest word of each, beside what the dossiers give.
create view mart.reported as
select
    reported.calendar as period_calendar,
    reported.kind as period_kind,
    reported.label as period_label,
    period.start_on as period_start,
    period.end_on as period_end,
    reported.unit_code,
    place.full_name as unit_name,
    reported.field_code,
    reported.measure,
    measure.title as measure_name,
    measure.profile,
    measure.recomputed as counters,
    reported.reported,
    reported.recomputed,
    reported.reported - reported.recomputed as difference,
    reported.source_id,
    reported.layout_id as report,
    reported.file_name,
    nullif(reported.sheet, '') as sheet,
    reported.row_no,
    reported.night,
    current_publication.publication_id
from rollup.current_publication
cross join rollup.reported
join ref.period using (calendar, kind, label)
join ref.measure using (measure)
cross join lateral (
    select unit.full_name
    from ref.unit
    where unit.unit_code = reported.unit_code
    order by period.end_on between unit.valid_from and unit.valid_to desc, unit.valid_from desc
    limit 1
) as place;

create view mart.reported_difference as
select reported.*
from mart.reported
where difference <> 0;
