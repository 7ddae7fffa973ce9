-- What publications since the last report changed of figures already published: how many by cause, and the ones that say
-- most: of the province and of the units that changed most one figure each, the headline before the rest. What an open
-- period gains by files is its course, not told; on today's boundary only what did not change as reported.
with
restated as (
    select distinct on (
        restatement.publication_id, period_calendar, period_label, restatement.unit_code, restatement.metric_id,
        restatement.profile
    )
        restatement.*, coalesce(entry.title, manual_indicator.title) as title, entry.title is null as is_manual
    from mart.restatement
    join ref.period
        on (period.calendar, period.kind, period.label)
        = (restatement.period_calendar, restatement.period_kind, restatement.period_label)
    join rollup.publication using (publication_id)
    left join ref.registry_entry as entry
        on (entry.registry_id, entry.metric_id, entry.profile)
        = (publication.registry_id, restatement.metric_id, restatement.profile)
        and period.end_on between entry.valid_from and entry.valid_to
    left join ref.manual_indicator on manual_indicator.indicator = restatement.metric_id
    where restatement.field_code = '*'
    and (restatement.cause in ('definition', 'geography', 'rule') or restatement.cause = 'file'
        and period.end_on <= publication.night)
    and restatement.publication_id in (
        select publication_id
        from rollup.publication
        where published_at > coalesce(
            (select max(recorded_at) from alerts.outbox where kind = 'report' and night <> :night), '-infinity'
        )
    )
    order by
        restatement.publication_id, period_calendar, period_label, restatement.unit_code, restatement.metric_id,
        restatement.profile, restatement.basis
),
ranked as (
    select
        *,
        exists (select from ref.unit where unit.unit_code = restated.unit_code and unit.level = 'province')
            as is_province,
        (metric_id, profile) = ('on_time', 'TT01_06A') as is_headline,
        abs(coalesce(new_numerator, 0) - coalesce(old_numerator, 0)) as change
    from restated
),
placed as (
    select
        *,
        row_number() over (
            partition by unit_code
            order by is_headline desc, period_calendar = 'VPCP_15_14' desc, change desc, publication_id desc,
                period_label, metric_id, profile
        ) as place_of_unit
    from ranked
)
select
    placed.*,
    (select unit.full_name from ref.unit where unit.unit_code = placed.unit_code order by valid_from desc limit 1)
        as unit_name,
    count(*) over () as figures,
    (select count(distinct unit_code) from restated) as units,
    (select jsonb_object_agg(cause, told) from (
        select cause, count(*) as told from restated group by cause
    ) as by_cause) as by_cause
from placed
order by
    place_of_unit, is_province desc, is_headline desc, period_calendar = 'VPCP_15_14' desc, change desc,
    publication_id desc, period_label, unit_code, metric_id, profile
limit 5
