-- Each unit a source is expected to hear from on this night, and whether it did; with the files of that night.
-- A source that was heard in the four weeks before and is silent tonight is missing with all its units.
with
heard as (
    select distinct delivery.source_id, delivery_unit.unit_code, delivery.night
    from core.delivery
    join core.delivery_unit using (delivery_id)
    where delivery.night between cast(:night as date) - 28 and :night
),
reporter as (
    select source_id, unit_code, bool_or(night = :night) as received
    from heard
    group by source_id, unit_code
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
        source_id,
        count(*) as expected,
        count(*) filter (where received) as received,
        count(*) filter (where not received) as missing
    from reporter
    group by source_id
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
