-- Grain: row of a form II.06 of the period that speaks for the figure's unit, or for any unit of the province.
select distinct delivery.source_id, delivery.night, delivery.file_name, delivery.file_sha256, delivery.layout_id,
    form.unit_code, form.field_name, form.row_no
from core.reported as form
join core.delivery using (delivery_id)
join ref.period using (calendar, kind, label)
join place
    on not place.of_dossiers and place.unit_code = form.unit_code
    and least(period.end_on, delivery.night) >= place.since and least(period.end_on, delivery.night) < place.until
where delivery.feed = 'summary_06a'
and form.calendar = :calendar
and form.label = :label
and (
    :unit = (select province from tonight)
    or :unit = case when :basis = 'current_boundary' then place.current_code else place.unit_code end
    or :unit = place.former_province and :basis = 'as_reported'
)
order by delivery.file_name, form.row_no
