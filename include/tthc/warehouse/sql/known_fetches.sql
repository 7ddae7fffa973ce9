-- Grain: unit of a source. The newest delivery by a night whose bytes were landed.
select distinct on (unit_code) unit_code, file_name, file_sha256, etag, last_modified
from core.fetch
where source_id = :source and night <= :night and outcome in ('fetched', 'unchanged')
order by unit_code, night desc
