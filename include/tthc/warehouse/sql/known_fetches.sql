-- Grain: unit of a source. The newest delivery by a night whose bytes were landed and not refused: a file that was
-- refused has brought nothing, whether or not the portal says that it is unchanged.
select distinct on (unit_code) unit_code, file_name, file_sha256, etag, last_modified
from core.fetch as asked
where source_id = :source and night <= :night and outcome in ('fetched', 'unchanged')
and not exists (
    select from core.delivery
    where delivery.source_id = asked.source_id and delivery.file_sha256 = asked.file_sha256 and verdict = 'rejected'
)
order by unit_code, night desc
