create temporary table incoming on commit drop as
select
    delivery_id, file_name, dossier_key, sheet, row_no, unit_code, procedure_code, field_name, field_key, status, channel,
    service_level, submitted_on, received_on, due_on, due_at, finished_on, finished_at, returned_on, returned_at,
    supplement_count, supplement_requested_on, supplement_requested_at, fee_amount, payment_method, paid_on,
    components_digitised, result_digitised, result_electronic, data_reused
from core.dossier_version
with no data
