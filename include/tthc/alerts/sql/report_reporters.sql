-- Each unit that owes a source a report on this night, as reporting.toml says, and whether it came; with the files of that
-- night. Nothing is late yet when the run ends: who is missing after the last day is the incident REPORTER_MISSING.
with
heard as (
    select distinct delivery.source_id, delivery_unit.unit_code
    from core.delivery
    join core.delivery_unit using (delivery_id)
    where delivery.night = :night
),
files as (
    select
        source_id,
        count(*) filter (where verdict not in ('held', 'rejected')) as loaded,
        count(*) filter (where verdict = 'held') as held,
        count(*) filter (where verdict = 'rejected') as rejected,
        sum(rows_quarantined) as rows_quarantined
    from core.delivery
    where night = :night
    group by source_id
),
units as (
    select
        expected.source_id,
        count(*) as expected,
        count(heard.unit_code) as received,
        count(*) - count(heard.unit_code) as missing
    from mart.expected_reporter as expected
    left join heard using (source_id, unit_code)
    where expected.every = 'night' and cast(:night as date) between expected.since and expected.until
    group by expected.source_id
)
select
    source_id,
    coalesce(expected, 0) as expected,
    coalesce(received, 0) as received,
    coalesce(missing, 0) as missing,
    coalesce(loaded, 0) as loaded,
    coalesce(held, 0) as held,
    coalesce(rejected, 0) as rejected,
    coalesce(rows_quarantined, 0) as rows_quarantined
from units
full join files using (source_id)
order by source_id
