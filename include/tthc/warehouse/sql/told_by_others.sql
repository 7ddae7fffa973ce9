-- Grain: row of this load. Dossiers whose current state another source told: whether that names another unit, procedure or
-- day of receipt. What only one of the two tells contradicts nothing.
select
    row_number() over () as row_id,
    incoming.delivery_id,
    (
        incoming.unit_code <> version.unit_code
        or coalesce(incoming.procedure_code <> version.procedure_code, false)
        or coalesce(incoming.received_on <> version.received_on, false)
    )::int as told_otherwise
from incoming
join core.dossier using (dossier_key)
join core.dossier_version as version using (version_id)
where version.source_id <> :source_id
