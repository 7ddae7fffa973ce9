-- One row a source that waits for reports: of the newest night or period whose last day has passed, the units that have
-- told nothing for it, nor since. The share of them decides how grave it is; a source nobody reports to is an error.
with
owed as materialized (
    select distinct source_id, unit_code, night, due_on, reported_at is not null as has_reported
    from mart.coverage
    where night > (select max(night) from core.delivery) - 400  -- the longest turn is a year
),
newest as (
    select source_id, max(night) as night
    from owed
    where due_on < cast(:today as date)
    group by source_id
),
judged as (
    select source_id, unit_code, night, due_on, exists (
        select from owed as later
        where (later.source_id, later.unit_code) = (owed.source_id, owed.unit_code)
        and later.night >= owed.night and later.has_reported
    ) as has_reported
    from owed
    join newest using (source_id, night)
),
missing as (
    select
        source_id,
        night,
        due_on,
        count(*) as expected,
        count(*) filter (where not has_reported) as missing,
        (array_agg(
            coalesce(
                (
                    select full_name
                    from ref.unit
                    where unit.unit_code = judged.unit_code
                    order by valid_from desc
                    limit 1
                ),
                unit_code
            )
            order by unit_code
        ) filter (where not has_reported))[1\:20] as names
    from judged
    group by source_id, night, due_on
)
select
    'REPORTER_MISSING' as rule_id,
    source_id,
    '*' as unit_code,
    case when missing = expected then 'error' else 'warning' end as severity,
    cast(:night as date) as night,
    'REPORTER_MISSING, ' || source_id || ': ' || missing || '/' || expected
        || ' đơn vị chưa báo cáo / units have not reported' as subject,
    'Đêm ' || to_char(missing.night, 'DD/MM/YYYY') || ', hạn ' || to_char(due_on, 'DD/MM/YYYY') || ': '
        || array_to_string(names, ', ')
        || case when missing > cardinality(names) then
            ', và ' || missing - cardinality(names) || ' đơn vị khác / and ' || missing - cardinality(names) || ' others'
        else '' end as detail,
    missing.missing::int as width
from missing
where missing > 0
order by source_id
