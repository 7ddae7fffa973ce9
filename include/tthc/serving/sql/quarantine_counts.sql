-- Grain: owner (unit, or source where the unit is unknown), file, column and rule.
select
    coalesce(quarantine.unit_code, delivery.only_unit) as unit_code,
    delivery.source_id,
    delivery.file_name,
    delivery.night,
    quarantine.rule_id,
    quarantine.reason,
    count(*) as row_count,
    count(*) filter (where quarantine.ordinal = 1) as first_count
from quarantine_delivery as delivery
join core.quarantine on quarantine.delivery_id = delivery.parsed_id
group by 1, 2, 3, 4, 5, 6
order by 1, 2, 3, 5, 6
