-- What publications since the last report changed of closed periods: how many figures by cause, and the ones that say most,
-- the province before its units and the headline before the rest.
with
restated as (
    select restatement.*, entry.title
    from mart.restatement
    join ref.period
        on (period.calendar, period.kind, period.label)
        = (restatement.period_calendar, restatement.period_kind, restatement.period_label)
    join rollup.publication using (publication_id)
    join ref.registry_entry as entry
        on (entry.registry_id, entry.metric_id, entry.profile)
        = (publication.registry_id, restatement.metric_id, restatement.profile)
        and period.end_on between entry.valid_from and entry.valid_to
    where restatement.basis = 'as_reported' and restatement.field_code = '*' and restatement.cause <> 'time'
    and restatement.publication_id in (
        select publication_id
        from rollup.publication
        where published_at > coalesce(
            (select max(recorded_at) from alerts.outbox where kind = 'report' and night <> :night), '-infinity'
        )
    )
)
select
    restated.*,
    (select unit.full_name from ref.unit where unit.unit_code = restated.unit_code order by valid_from desc limit 1)
        as unit_name,
    count(*) over () as figures,
    (select count(distinct unit_code) from restated) as units,
    (select string_agg(cause || ' ' || told, ', ' order by told desc, cause) from (
        select cause, count(*) as told from restated group by cause
    ) as by_cause) as by_cause
from restated
order by
    exists (select from ref.unit where unit.unit_code = restated.unit_code and unit.level = 'province') desc,
    (metric_id, profile) = ('on_time', 'TT01_06A') desc, period_calendar = 'VPCP_15_14' desc,
    abs(coalesce(new_numerator, 0) - coalesce(old_numerator, 0)) desc, publication_id desc, period_label, unit_code,
    metric_id, profile
limit 5
