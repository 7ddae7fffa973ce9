-- Grain: row of a form II.06 of the period, of the unit or of any unit of the province.
select distinct delivery.source_id, delivery.night, delivery.file_name, delivery.file_sha256, delivery.layout_id,
    form.unit_code, form.field_name, form.row_no
from core.reported as form
join core.delivery using (delivery_id)
where delivery.feed = 'summary_06a'
and form.calendar = :calendar
and form.label = :label
and :unit in (form.unit_code, (select province from tonight))
order by delivery.file_name, form.row_no
