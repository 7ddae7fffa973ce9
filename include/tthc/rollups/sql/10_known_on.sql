-- Grain: dossier. What was known on an earlier night: of the source that ranks first, the newest state recorded by then.
create temporary table known on commit drop as
select distinct on (version.dossier_key) version.*
from core.dossier_version as version
join ref.source using (source_id)
where version.night <= (select night from tonight)
order by
    version.dossier_key, source.priority, version.night desc, version.file_name desc, version.delivery_id desc,
    version.row_no desc, version.version_id
