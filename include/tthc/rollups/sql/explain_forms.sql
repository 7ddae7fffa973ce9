-- Grain: row of a form II.06 of the period, of the unit or of any unit of the province.
select delivery.source_id, delivery.night, delivery.file_name, delivery.file_sha256, delivery.layout_id,
    summary.unit_code, summary.field_name, summary.row_no
from core.summary_06a as summary
join core.delivery using (delivery_id)
where summary.calendar = :calendar
and summary.label = :label
and :unit in (summary.unit_code, (select province from tonight))
order by delivery.file_name, summary.row_no
