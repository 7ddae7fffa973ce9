-- Grain: owner of rows that are to be repaired: a unit, or a source where a row does not say whose it is.
select
    unit_code,
    case when unit_code is null then source_id end as source_id,
    sum(rows_quarantined)::bigint as refusals,
    string_agg(distinct rule_id, ', ' order by rule_id) as rules,
    min(first_night) as first_night
from mart.quarantine
group by 1, 2
order by refusals desc, unit_code, source_id
