-- Grain: source, layout, period, unit, field ('*' all together), measure. What reports say.
create temporary table told_cell on commit drop as
select
    source_id, layout_id, calendar, kind, label, unit_code, field_code, measure,
    case when count(*) = 1 then min(sheet) end as sheet,
    case when count(*) = 1 then min(row_no) end as row_no,
    sum(value)::bigint as reported
from told
group by source_id, layout_id, calendar, kind, label, unit_code, field_code, measure
union all
select source_id, layout_id, calendar, kind, label, unit_code, '*', measure, null, null, sum(value)::bigint
from told
where field_code <> '*' and measure in (select measure from ref.measure where additive)
group by source_id, layout_id, calendar, kind, label, unit_code, measure
union all
-- A report by field that does not name a field says that there was nothing in it.
select
    shape.source_id, shape.layout_id, shape.calendar, shape.kind, shape.label, shape.unit_code,
    counter.field_code, shape.measure, null, null, 0
from (
    select distinct source_id, layout_id, calendar, kind, label, unit_code, measure
    from told
    where field_code <> '*'
) as shape
join rollup.counter
    on (counter.calendar, counter.kind, counter.label, counter.unit_code)
    = (shape.calendar, shape.kind, shape.label, shape.unit_code)
    and counter.basis in ('*', 'as_reported') and counter.last_publication is null and counter.field_code <> '*'
where not exists (
    select from told
    where (told.source_id, told.layout_id, told.calendar, told.kind, told.label, told.unit_code, told.field_code)
        = (shape.source_id, shape.layout_id, shape.calendar, shape.kind, shape.label, shape.unit_code,
            counter.field_code)
)
