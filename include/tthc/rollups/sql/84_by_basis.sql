-- Grain: period, unit (and the province), field (and '*'), basis. The rows of 80_fresh under each basis they stand for.
-- Without former provinces, whose units are counted already.
create temporary table by_basis on commit drop as
select
    fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.field_code, fresh.basis, on_basis.on_basis,
    'from_summary' = any(fresh.flags) as from_summary, fresh.unit_code = (select province from tonight) as is_province,
    :counters
from fresh
cross join lateral unnest(
    case fresh.basis when '*' then array['as_reported', 'current_boundary'] else array[fresh.basis] end
) as on_basis (on_basis)
where 'former_province' <> all(fresh.flags)
