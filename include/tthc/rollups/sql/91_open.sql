-- Counters that are new or changed hold from this publication on.
insert into rollup.counter (
    calendar, kind, label, unit_code, field_code, basis, first_publication, flags, :counters
)
select calendar, kind, label, unit_code, field_code, basis, tonight.publication_id, flags, :counters
from fresh
cross join tonight
where not exists (
    select from rollup.counter as held
    where (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.field_code, fresh.basis)
        = (held.calendar, held.kind, held.label, held.unit_code, held.field_code, held.basis)
    and held.last_publication is null
)
