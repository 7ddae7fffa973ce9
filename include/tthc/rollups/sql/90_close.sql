-- Counters that no longer hold end with the publication before this one.
update rollup.counter as held
set last_publication = tonight.publication_id - 1
from tonight
where held.last_publication is null
and not exists (
    select from fresh
    where (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.field_code, fresh.basis)
        = (held.calendar, held.kind, held.label, held.unit_code, held.field_code, held.basis)
    and row(
        fresh.flags, :counters_in(fresh)
    ) is not distinct from row(
        held.flags, :counters_in(held)
    )
)
