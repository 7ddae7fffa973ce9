-- Grain: period, unit. Where forms II.06 are the figures of the current publication, for want of dossiers.
-- Only put into the functions of schema mart (functions.py).
create temporary view spoken as
select calendar, kind, label, unit_code
from rollup.counter
cross join tonight
where counter.first_publication <= tonight.publication_id
and (counter.last_publication is null or counter.last_publication >= tonight.publication_id)
and counter.field_code = '*' and counter.basis in ('*', 'as_reported') and 'from_summary' = any(counter.flags)
