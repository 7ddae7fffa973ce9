-- Grain: owner (unit, or source where a row does not say whose it is), source and rule. Rows that are still to be repaired,
-- never a value of one; a file of one unit belongs to that unit even where a row does not say whose it is.
create view mart.quarantine as
with
single as (
    select delivery_id, min(unit_code) as unit_code
    from core.delivery_unit
    group by delivery_id
    having count(*) = 1
)
select
    coalesce(quarantine.unit_code, single.unit_code) as unit_code,
    delivery.source_id,
    quarantine.rule_id,
    cast(count(distinct (quarantine.delivery_id, quarantine.sheet, quarantine.row_no)) as int) as rows_quarantined,
    min(delivery.night) as first_night,
    max(delivery.night) as last_night
from core.quarantine
join core.delivery using (delivery_id)
left join single using (delivery_id)
where quarantine.state = 'open'
group by 1, 2, 3;
