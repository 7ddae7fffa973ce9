-- Append the states that differ from what the same source said just before, in the order of truth: night, file name,
-- delivery, row.
with
stated as (
    select
        incoming.*,
        md5(row(
            unit_code, procedure_code, field_name, status, channel, service_level, submitted_on, received_on, due_on,
            due_at, finished_on, finished_at, returned_on, returned_at, supplement_count, supplement_requested_on,
            supplement_requested_at, fee_amount, payment_method, paid_on, components_digitised, result_digitised,
            result_electronic, data_reused
        )::text)::uuid as content
    from incoming
),
compared as (
    select
        stated.*,
        coalesce(
            lag(stated.content) over (
                partition by stated.dossier_key order by stated.file_name, stated.delivery_id, stated.row_no
            ),
            before.content
        ) as content_before
    from stated
    left join lateral (
        select version.content
        from core.dossier_version as version
        where version.dossier_key = stated.dossier_key
        and version.source_id = :source_id
        and (version.night, version.file_name, version.delivery_id) < (:night, stated.file_name, stated.delivery_id)
        order by version.night desc, version.file_name desc, version.delivery_id desc, version.row_no desc
        limit 1
    ) as before on true
)
insert into core.dossier_version (
    dossier_key, delivery_id, source_id, night, file_name, sheet, row_no, changed, content, unit_code, procedure_code,
    field_name, field_key, status, channel, service_level, submitted_on, received_on, due_on, due_at, finished_on,
    finished_at, returned_on, returned_at, supplement_count, supplement_requested_on, supplement_requested_at,
    fee_amount, payment_method, paid_on, components_digitised, result_digitised, result_electronic, data_reused
)
select
    dossier_key, delivery_id, :source_id, :night, file_name, sheet, row_no, content_before is not null, content,
    unit_code, procedure_code,
    field_name, field_key, status, channel, service_level, submitted_on, received_on, due_on, due_at, finished_on,
    finished_at, returned_on, returned_at, supplement_count, supplement_requested_on, supplement_requested_at,
    fee_amount, payment_method, paid_on, components_digitised, result_digitised, result_electronic, data_reused
from compared
where content_before is distinct from content
