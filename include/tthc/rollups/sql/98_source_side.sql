-- Grain: dossier, side (the province's systems, or the national portal). What the side tells of it: of its source that ranks
-- first, the newest state. Empty while only one side has told dossiers.
create temporary table source_side on commit drop as
select distinct on (version.dossier_key, source.level)
    version.dossier_key, source.level, version.version_id, version.unit_code, version.procedure_code, version.status,
    version.received_on, version.due_on, version.finished_on
from core.dossier_version as version
join known using (dossier_key)
join ref.source using (source_id)
where (
    select count(distinct teller.level)
    from core.delivery
    join ref.source as teller using (source_id)
    where delivery.feed = 'dossier' and delivery.rows_accepted > 0
) > 1
order by
    version.dossier_key, source.level, source.priority, version.night desc, version.file_name desc,
    version.delivery_id desc, version.row_no desc, version.version_id
