-- Grain: unit that was heard from since the first day of a period, up to the published night. What it stated itself tells
-- nothing of its dossiers and does not count.
select distinct unit_code
from mart.coverage
where night between :start and (select night from mart.publication where is_current) and state in ('on_time', 'late', 'zero')
    and source_id not in (select source_id from mart.manual_input)
