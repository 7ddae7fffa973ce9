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
        -- the state just before: in this load, or already kept, whichever comes later in the order of truth
        case
            when lag(stated.content) over neighbours is not null
                and (before.content is null or (before.night, before.file_name, before.delivery_id)
                    < (:night, lag(stated.file_name) over neighbours, lag(stated.delivery_id) over neighbours))
                then lag(stated.content) over neighbours
            else before.content
        end as content_before
    from stated
    left join lateral (
        select version.content, version.night, version.file_name, version.delivery_id
        from core.dossier_version as version
        where version.dossier_key = stated.dossier_key
        and version.source_id = :source_id
        and (version.night, version.file_name, version.delivery_id) < (:night, stated.file_name, stated.delivery_id)
        order by version.night desc, version.file_name desc, version.delivery_id desc, version.row_no desc
        limit 1
    ) as before on true
    window neighbours as (
        partition by stated.dossier_key order by stated.file_name, stated.delivery_id, stated.row_no
    )
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
