-- What lists of procedures told, one row a procedure of a list; ref.procedure is made of it and of the registry.
create table core.catalogue (
    delivery_id bigint not null references core.delivery,
    sheet text not null,
    row_no int not null,
    procedure_code text not null,
    procedure_name text not null,
    field_name text,
    field_key text,
    primary key (delivery_id, sheet, row_no)
);

-- Which list told what was not kept; it is taken for the newest one's word.
insert into core.catalogue (delivery_id, sheet, row_no, procedure_code, procedure_name, field_name, field_key)
select
    newest.delivery_id, '', row_number() over (order by procedure.procedure_code), procedure.procedure_code,
    procedure.procedure_name, procedure.field_name, procedure.field_key
from ref.procedure
cross join (
    select delivery_id
    from core.delivery
    where feed = 'procedure_catalogue' and verdict in ('loaded', 'loaded_with_quarantine')
    order by night desc, file_name desc, delivery_id desc
    limit 1
) as newest
where procedure.origin = 'catalogue';

-- A list is a cause of its own beside the registry.
alter table rollup.cause
    drop constraint cause_cause_check,
    add constraint cause_cause_check check (cause in ('file', 'rule', 'geography', 'procedures', 'calendar', 'catalogue'));
alter table rollup.basis
    drop constraint basis_part_check,
    add constraint basis_part_check check (part in ('procedures', 'calendar', 'geography', 'sources', 'catalogue'));

-- The basis of the current publication in the new words, where nothing has changed since.
update rollup.basis
set digest = (
    select md5(coalesce(string_agg(
        concat_ws('|', procedure_code, field_code, field_name, service_level, yields_result, max_working_days),
        ',' order by procedure_code
    ), ''))
    from ref.procedure
    where origin = 'registry'
)
where part = 'procedures'
and digest = (
    select md5(string_agg(
        concat_ws('|', procedure_code, field_code, field_name, service_level, yields_result, max_working_days),
        ',' order by procedure_code
    ))
    from ref.procedure
);
insert into rollup.basis (part, unit_code, related, digest)
select 'catalogue', '*', '{}', md5(coalesce(
    (select string_agg(concat_ws('|', procedure_code, field_name), ',' order by procedure_code)
    from ref.procedure where origin = 'catalogue'), ''
))
where exists (select from rollup.basis)
