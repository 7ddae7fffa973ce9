-- Procedures that the registry does not know, each as the newest list that names it tells, in the order of truth: night,
-- file name, delivery, row.
delete from ref.procedure where origin = 'catalogue';
insert into ref.procedure (procedure_code, procedure_name, field_name, field_key, origin)
select distinct on (told.procedure_code)
    told.procedure_code, told.procedure_name, told.field_name, told.field_key, 'catalogue'
from core.catalogue as told
join core.delivery as heard on coalesce(heard.same_as, heard.delivery_id) = told.delivery_id
order by told.procedure_code, heard.night desc, heard.file_name desc, heard.delivery_id desc, told.row_no desc
on conflict (procedure_code) do nothing
