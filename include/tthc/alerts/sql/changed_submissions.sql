-- Periods handed in of which a figure is published otherwise by now: one incident a period and unit, continued until
-- the figures agree again or the next version is handed in. What was handed in as interim is expected to move.
select
    'SUBMITTED_CHANGED' as rule_id,
    'submission ' || submission.period_calendar || '.' || submission.period_label as source_id,
    submission.unit_code,
    'warning' as severity,
    cast(:night as date) as night,
    'SUBMITTED_CHANGED, kỳ ' || submission.period_label || ', ' || submission.unit_code || ': ' || changed.figures
        || ' số liệu khác bản chốt số ' || submission.version || ' / figures differ from version ' || submission.version
        || ' handed in' as subject,
    format(
        '%s, kỳ %s, của %s đơn vị; xem: tthc submissions differences --period %s',
        submission.period_calendar, submission.period_label, changed.units, submission.period_label
    ) as detail
from mart.submission
join (
    select submission_id, count(*) as figures, count(distinct unit_code) as units
    from mart.submission_difference
    where not is_interim
    group by submission_id
) as changed using (submission_id)
order by submission.period_calendar, submission.period_label, submission.unit_code
