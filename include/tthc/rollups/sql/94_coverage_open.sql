insert into rollup.coverage (calendar, kind, label, unit_code, first_publication, units_expected, units_reported)
select fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, tonight.publication_id, fresh.units_expected,
    fresh.units_reported
from coverage_fresh as fresh
cross join tonight
where not exists (
    select from rollup.coverage as held
    where (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code)
        = (held.calendar, held.kind, held.label, held.unit_code)
    and held.last_publication is null
)
