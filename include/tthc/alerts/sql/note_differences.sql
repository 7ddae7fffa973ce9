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
),
opened as (
    insert into alerts.incident as known (
        rule_id, source_id, unit_code, severity, state, opened_on, last_seen_on, subject, detail
    )
    select
        'SUMMARY_DIFFERS', source_id, unit_code, 'warning', 'open', :night, :night,
        'SUMMARY_DIFFERS, ' || source_id || ', ' || coalesce(
            (select full_name from ref.unit where unit.unit_code = differing.unit_code order by valid_from desc limit 1),
            unit_code
        ) || ': ' || cells || ' ô của báo cáo khác số tính từ hồ sơ',
        'Lớn nhất: ' || left(largest, 1900)
    from differing
    on conflict (rule_id, source_id, unit_code) where state <> 'resolved' do update
    set last_seen_on = greatest(known.last_seen_on, excluded.last_seen_on),
        subject = excluded.subject, detail = excluded.detail
    returning incident_id, subject, detail, xmax = 0 as is_new
),
over as (
    update alerts.incident
    set state = 'resolved', resolved_on = greatest(opened_on, :night)
    where rule_id = 'SUMMARY_DIFFERS' and state <> 'resolved'
    and not exists (
        select from differing
        where differing.source_id = incident.source_id and differing.unit_code = incident.unit_code
    )
    returning incident_id, subject
)
insert into alerts.outbox (incident_id, kind, body)
select incident_id, 'opened', subject || '. ' || detail
from opened
where is_new
union all
select incident_id, 'resolved', subject || '. Đã hết.'
from over
