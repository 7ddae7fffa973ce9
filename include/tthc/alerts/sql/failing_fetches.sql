-- What a source's portal failed to deliver for a night: one row a reason and unit, one for the source where nothing came.
with
newest as (
    select unit_code, outcome, reason, detail, night
    from core.fetch
    where source_id = :source and night = :night
),
failure as (
    select
        reason as rule_id,
        case when everything.failed then '*' else unit_code end as unit_code,
        count(*) as amount,
        min(detail) as detail
    from newest
    cross join (select bool_and(outcome = 'failed') as failed from newest) as everything
    where outcome = 'failed'
    group by 1, 2
)
select
    rule_id,
    cast(:source as text) as source_id,
    unit_code,
    'error' as severity,
    cast(:night as date) as night,
    rule_id || ', ' || :source || case when unit_code <> '*' then ', ' || coalesce(
        (select full_name from ref.unit where unit.unit_code = failure.unit_code order by valid_from desc limit 1),
        unit_code
    ) else '' end || ': không lấy được dữ liệu từ cổng'
        || case when amount > 1 then ' (' || amount || ' đơn vị)' else '' end || ' / the portal did not deliver' as subject,
    coalesce(detail, '') as detail
from failure
order by rule_id, unit_code
