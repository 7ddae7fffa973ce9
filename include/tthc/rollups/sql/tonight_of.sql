-- Grain: one row. The night, province, registry and knowledge of the publication that mart.explain is asked about.
-- Only put into it (functions.py).
create temporary view tonight as
select
    publication.night, hmac_key.province, publication.publication_id, publication.registry_id,
    publication.newest_delivery, publication.newest_version
from rollup.publication
cross join (select province from core.hmac_key order by key_id limit 1) as hmac_key
where publication.publication_id = published
