-- Grain: unit, day. From that day on its code means another territory: the unit began or ended, went into another, gave a
-- part away or got one. What was only renamed or became another kind is the same unit. Not for analysts: views read it.
create view rollup.territory_change as
select distinct touched.unit_code, unit_succession.effective_date as changed_on
from ref.unit_succession
cross join lateral (values (old_code), (new_code)) as touched (unit_code)
where old_code <> new_code or is_partial;
