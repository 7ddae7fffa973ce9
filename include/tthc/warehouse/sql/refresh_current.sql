-- The current state of every touched dossier: of the source that ranks first, the newest in the order of truth.
insert into core.dossier as current (
    dossier_key, version_id, unit_code, procedure_code, field_name, field_key, status, channel, service_level,
    received_on, due_on, due_at, finished_on, finished_at, returned_on, returned_at, supplement_count,
    supplement_requested_on, supplement_requested_at, fee_amount, payment_method, components_digitised,
    result_digitised, result_electronic, data_reused
)
select distinct on (version.dossier_key)
    version.dossier_key, version.version_id, version.unit_code, version.procedure_code, version.field_name,
    version.field_key, version.status, version.channel, version.service_level, version.received_on, version.due_on,
    version.due_at, version.finished_on, version.finished_at, version.returned_on, version.returned_at,
    version.supplement_count, version.supplement_requested_on, version.supplement_requested_at, version.fee_amount,
    version.payment_method, version.components_digitised, version.result_digitised, version.result_electronic,
    version.data_reused
from touched
join core.dossier_version as version using (dossier_key)
join ref.source using (source_id)
order by
    version.dossier_key, source.priority, version.night desc, version.file_name desc, version.delivery_id desc,
    version.row_no desc, version.version_id
on conflict (dossier_key) do update set
    version_id = excluded.version_id, unit_code = excluded.unit_code, procedure_code = excluded.procedure_code,
    field_name = excluded.field_name, field_key = excluded.field_key, status = excluded.status,
    channel = excluded.channel, service_level = excluded.service_level, received_on = excluded.received_on,
    due_on = excluded.due_on, due_at = excluded.due_at, finished_on = excluded.finished_on,
    finished_at = excluded.finished_at, returned_on = excluded.returned_on, returned_at = excluded.returned_at,
    supplement_count = excluded.supplement_count, supplement_requested_on = excluded.supplement_requested_on,
    supplement_requested_at = excluded.supplement_requested_at, fee_amount = excluded.fee_amount,
    payment_method = excluded.payment_method, components_digitised = excluded.components_digitised,
    result_digitised = excluded.result_digitised, result_electronic = excluded.result_electronic,
    data_reused = excluded.data_reused
where current.version_id <> excluded.version_id
