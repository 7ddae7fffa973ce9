-- Grain: field (lĩnh vực), by its folded name. How figures call it: the registry's code or name, else, of all spellings that
-- dossiers and reports have, the one that sorts last, which is no word in capitals where another wrote it otherwise.
delete from rollup.field;
insert into rollup.field (field_key, field_code)
select field_key, coalesce(registered.field_code, told.field_name)
from (
    select distinct on (field_key) field_key, coalesce(field_code, field_name) as field_code
    from ref.procedure
    where field_key is not null
    order by field_key, origin desc, field_code nulls last, field_name
) as registered
full join (
    select field_key, max(field_name collate "C") as field_name
    from (
        select field_key, field_name from core.dossier where field_key is not null
        union all
        select field_key, field_name from core.reported where field_key <> '*'
    ) as spelt
    group by field_key
) as told using (field_key);
analyze rollup.field
