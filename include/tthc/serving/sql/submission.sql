-- Grain: version. The newest first, or the one asked for.
select
    submission.submission_id, submission.version, submission.as_of, submission.is_interim, submission.units_expected,
    submission.units_reported, submission.waiver, submission.submitted_at, publication.publication_id,
    publication.published_at, publication.night
from mart.submission
join mart.publication using (publication_id)
where submission.period_calendar = :calendar and submission.period_label = :label and submission.unit_code = :unit
    and (cast(:version as int) is null or submission.version = :version)
order by submission.version desc
limit 1
