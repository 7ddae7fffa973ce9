-- Grain: one row. The night, province and registry of the current publication, for what is asked of it afterwards.
create temporary view tonight as
select publication.night, hmac_key.province, publication.publication_id, publication.registry_id,
    publication.newest_delivery
from rollup.current_publication
join rollup.publication using (publication_id)
cross join (select province from core.hmac_key order by key_id limit 1) as hmac_key
