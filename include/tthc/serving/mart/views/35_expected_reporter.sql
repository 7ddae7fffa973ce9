-- Who owes which source a report, how often, and from when until when: reporting.toml says so, a unit that has ceased
-- to exist owes nothing any more, though its old dossiers are still told of.
create view mart.expected_reporter as
with
named as (
    select rule.source_id, delivery_unit.unit_code, min(delivery.night) as since
    from ref.expected_reporter as rule
    join core.delivery using (source_id)
    join core.delivery_unit using (delivery_id)
    where rule.units = 'named'
    and delivery_unit.unit_code not in (select unit_code from ref.unit where level = 'province')  -- it adds up its units
    group by rule.source_id, delivery_unit.unit_code
    union all
    select rule.source_id, unit.unit_code, first.night
    from ref.expected_reporter as rule
    join ref.unit
        on unit.level = case rule.units when 'communes' then 'commune' when 'departments' then 'department' end
        or unit.unit_code = any(rule.unit_codes)
    cross join (select min(night) as night, max(night) as newest from core.delivery) as first
    where first.newest between unit.valid_from and unit.valid_to
)
select
    named.source_id,
    named.unit_code,
    rule.every,
    rule.working_days,
    named.since,
    (select max(valid_to) from ref.unit where unit.unit_code = named.unit_code) as until
from named
join ref.expected_reporter as rule using (source_id)
where rule.every <> 'never';
