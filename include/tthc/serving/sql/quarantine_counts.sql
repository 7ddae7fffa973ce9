-- Grain: owner (unit, or source where the unit is unknown), file, column and rule.
select
    unit_code,
    source_id,
    file_name,
    night,
    rule_id,
    reason,
    expected,
    min(first_night) as first_night,
    count(*) as row_count,
    count(*) filter (where ordinal = 1) as first_count
from quarantine_open
group by 1, 2, 3, 4, 5, 6, 7
order by 1, 2, 4, 3, 5, 6
