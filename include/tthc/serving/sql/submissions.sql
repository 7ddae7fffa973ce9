-- Grain: version of what was handed in; the newest period first.
select
    submission.period_calendar, submission.period_label, submission.unit_code, submission.version,
    submission.is_interim, submission.as_of, submission.publication_id, submission.units_reported,
    submission.units_expected, submission.waiver, submission.submitted_by, submission.reason, submission.submitted_at,
    case when submission.is_newest then (
        select count(*) from mart.submission_difference as difference
        where difference.submission_id = submission.submission_id
    ) end as changed_since
from mart.submission
order by submission.as_of desc, submission.period_calendar desc, submission.period_label, submission.unit_code,
    submission.version desc
