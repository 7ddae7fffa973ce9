-- Figures that a report and the dossiers tell differently: one incident a source and unit, continued while a cell
-- differs. A later report or later dossiers that agree end it, in the publication that shows it.
with
differing as (
    select
        reported.source_id,
        reported.unit_code,
        count(*) as cells,
        (array_agg(
            format(
                '%s, kỳ %s %s, lĩnh vực %s, «%s»: báo cáo %s, tính từ hồ sơ %s (tệp %s, đêm %s)',
                reported.layout_id, reported.calendar, reported.label, reported.field_code, measure.title,
                reported.reported, reported.recomputed, reported.file_name, to_char(reported.night, 'DD/MM/YYYY')
            )
            order by
                abs(reported.reported - reported.recomputed) desc, reported.field_code = '*', reported.calendar,
                reported.label, reported.field_code, reported.measure, reported.layout_id
        ))[1] as largest
    from rollup.reported
    join ref.measure using (measure)
    where reported.reported <> reported.recomputed
    group by reported.source_id, reported.unit_code
)
select
    'SUMMARY_DIFFERS' as rule_id,
    source_id,
    unit_code,
    'warning' as severity,
    cast(:night as date) as night,
    'SUMMARY_DIFFERS, ' || source_id || ', ' || coalesce(
        (select full_name from ref.unit where unit.unit_code = differing.unit_code order by valid_from desc limit 1),
        unit_code
    ) || ': ' || cells || ' ô của báo cáo khác số tính từ hồ sơ / cells of reports differ from the dossiers' as subject,
    'Lớn nhất: ' || left(largest, 1900) as detail
from differing
order by source_id, unit_code
