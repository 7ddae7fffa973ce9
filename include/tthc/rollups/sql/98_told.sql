-- Grain: a value of a report's newest word: source, layout, period, unit, measure, field ('*' all together), row.
create temporary table told on commit drop as
select
    word.source_id, word.layout_id, word.calendar, word.kind, word.label, word.unit_code, reported.measure,
    coalesce(field.field_code, reported.field_name) as field_code, reported.sheet, reported.row_no, reported.value
from word
join core.reported
    on reported.delivery_id = word.parsed_id
    and (reported.calendar, reported.kind, reported.label, reported.unit_code)
    = (word.calendar, word.kind, word.label, word.unit_code)
left join rollup.field on field.field_key = reported.field_key
