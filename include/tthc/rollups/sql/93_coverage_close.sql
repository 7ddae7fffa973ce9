update rollup.coverage as held
set last_publication = tonight.publication_id - 1
from tonight
where held.last_publication is null
and not exists (
    select from coverage_fresh as fresh
    where row(fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.units_expected, fresh.units_reported)
        = row(held.calendar, held.kind, held.label, held.unit_code, held.units_expected, held.units_reported)
)
