insert into ref.procedure as known (procedure_code, procedure_name, field_name, field_key, origin)
values (:procedure_code, :procedure_name, :field_name, :field_key, 'catalogue')
on conflict (procedure_code) do update set
    procedure_name = excluded.procedure_name, field_name = excluded.field_name, field_key = excluded.field_key
where known.origin = 'catalogue'
