-- What was handed in (chốt số liệu), every version, as it stood then; and what is published today that differs from it.
create view mart.submission as
select
    submission.submission_id,
    submission.calendar as period_calendar,
    submission.kind as period_kind,
    submission.label as period_label,
    submission.unit_code,
    submission.version,
    submission.version = max(submission.version) over (
        partition by submission.calendar, submission.label, submission.unit_code
    ) as is_newest,
    submission.is_interim,
    submission.as_of,
    submission.publication_id,
    submission.units_expected,
    submission.units_reported,
    submission.waiver,
    submission.submitted_by,
    submission.reason,
    submission.submitted_at
from core.submission;

create view mart.submitted_kpi as
select submission.submission_id, submission.version, kpi.*
from core.submission
join core.submitted_row on submitted_row.submission_id = submission.submission_id and submitted_row.view_name = 'kpi'
cross join lateral jsonb_populate_record(null::mart.kpi, submitted_row.content) as kpi;

create view mart.submitted_kpi_vs_target as
select submission.submission_id, submission.version, kpi_vs_target.*
from core.submission
join core.submitted_row
    on submitted_row.submission_id = submission.submission_id and submitted_row.view_name = 'kpi_vs_target'
cross join lateral jsonb_populate_record(null::mart.kpi_vs_target, submitted_row.content) as kpi_vs_target;

create view mart.submitted_form_06a as
select submission.submission_id, submission.version, form_06a.*
from core.submission
join core.submitted_row
    on submitted_row.submission_id = submission.submission_id and submitted_row.view_name = 'form_06a'
cross join lateral jsonb_populate_record(null::mart.form_06a, submitted_row.content) as form_06a;

create view mart.submitted_ranking as
select submission.submission_id, submission.version, ranking.*
from core.submission
join core.submitted_row on submitted_row.submission_id = submission.submission_id and submitted_row.view_name = 'ranking'
cross join lateral jsonb_populate_record(null::mart.ranking, submitted_row.content) as ranking;

-- A figure without a row is 0; a withheld one has no number, which differs from every number.
create view mart.submission_difference as
with
newest as (
    select submission.*, exists (
        select from ref.unit where unit.unit_code = submission.unit_code and unit.level = 'province'
    ) as has_all_units
    from mart.submission
    where is_newest
),
submitted as (
    select submitted_kpi.*
    from newest
    join mart.submitted_kpi using (submission_id)
),
published as (
    select newest.submission_id, kpi.*
    from newest
    join mart.kpi
        on (kpi.period_calendar, kpi.period_label) = (newest.period_calendar, newest.period_label)
        and (newest.has_all_units or kpi.unit_code = newest.unit_code)
),
pair as (
    select
        coalesce(submitted.submission_id, published.submission_id) as submission_id,
        coalesce(submitted.unit_code, published.unit_code) as unit_code,
        coalesce(submitted.basis, published.basis) as basis,
        coalesce(submitted.field_code, published.field_code) as field_code,
        coalesce(submitted.metric_id, published.metric_id) as metric_id,
        coalesce(submitted.profile, published.profile) as profile,
        case when submitted.submission_id is null then 0 else submitted.numerator end as submitted_numerator,
        case when submitted.submission_id is null and published.denominator is not null then 0
            else submitted.denominator end as submitted_denominator,
        case when published.submission_id is null then 0 else published.numerator end as current_numerator,
        case when published.submission_id is null and submitted.denominator is not null then 0
            else published.denominator end as current_denominator
    from submitted
    full join published
        on (published.submission_id, published.unit_code, published.basis, published.field_code, published.metric_id,
            published.profile)
        = (submitted.submission_id, submitted.unit_code, submitted.basis, submitted.field_code, submitted.metric_id,
            submitted.profile)
)
select
    newest.submission_id,
    newest.period_calendar,
    newest.period_kind,
    newest.period_label,
    newest.version,
    newest.is_interim,
    pair.unit_code,
    pair.basis,
    pair.field_code,
    pair.metric_id,
    pair.profile,
    pair.submitted_numerator,
    pair.submitted_denominator,
    pair.current_numerator,
    pair.current_denominator
from pair
join newest using (submission_id)
where (pair.submitted_numerator, pair.submitted_denominator)
    is distinct from (pair.current_numerator, pair.current_denominator);
