-- Grain: period, unit, field ('*' all together), measure, report. The newest word of each report, and what the dossiers
-- of the publication give for it under the measure's profile. Nothing is recomputed where the unit has no dossiers in
-- the period, where a figure is withheld, and where a report of an open period was made on another night.
insert into rollup.reported (
    calendar, kind, label, unit_code, field_code, measure, source_id, layout_id, file_name, night, delivery_id,
    sheet, row_no, reported, recomputed
)
with
heard as (
    select delivery.*, coalesce(delivery.same_as, delivery.delivery_id) as parsed_id
    from core.delivery
    where feed in ('summary_06a', 'summary') and night <= (select night from tonight)
),
word as (
    select distinct on (heard.source_id, heard.layout_id, told.calendar, told.kind, told.label, told.unit_code)
        heard.source_id, heard.layout_id, told.calendar, told.kind, told.label, told.unit_code, heard.file_name,
        heard.night, heard.delivery_id, heard.parsed_id,
        heard.night >= period.end_on or heard.night = (select night from tonight) as is_of_this_cut_off
    from (select distinct delivery_id, calendar, kind, label, unit_code from core.reported) as told
    join heard on heard.parsed_id = told.delivery_id
    join ref.period using (calendar, kind, label)
    order by heard.source_id, heard.layout_id, told.calendar, told.kind, told.label, told.unit_code,
        heard.night desc, heard.file_name desc, heard.delivery_id desc
),
field as (
    select distinct on (field_key) field_key, coalesce(field_code, field_name) as field_code
    from ref.procedure
    where field_key is not null
    order by field_key, origin desc, field_code nulls last, field_name
),
told as (
    select
        word.source_id, word.layout_id, word.calendar, word.kind, word.label, word.unit_code, reported.measure,
        coalesce(field.field_code, reported.field_name) as field_code, reported.sheet, reported.row_no, reported.value
    from word
    join core.reported
        on reported.delivery_id = word.parsed_id
        and (reported.calendar, reported.kind, reported.label, reported.unit_code)
        = (word.calendar, word.kind, word.label, word.unit_code)
    left join field on field.field_key = reported.field_key
),
cell as (
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
)
select
    cell.calendar, cell.kind, cell.label, cell.unit_code, cell.field_code, cell.measure, cell.source_id,
    cell.layout_id, word.file_name, word.night, word.delivery_id, cell.sheet, cell.row_no, cell.reported,
    case when
        word.is_of_this_cut_off
        and not whole.flags && array['from_summary', 'withheld']
        and not coalesce('withheld' = any(counter.flags), false)
        and measure.is_counted
    then coalesce(measure.recomputed, 0) end as recomputed
from cell
join word using (source_id, layout_id, calendar, kind, label, unit_code)
left join rollup.counter as whole
    on (whole.calendar, whole.kind, whole.label, whole.unit_code)
    = (cell.calendar, cell.kind, cell.label, cell.unit_code)
    and whole.field_code = '*' and whole.basis in ('*', 'as_reported') and whole.last_publication is null
left join rollup.counter
    on (counter.calendar, counter.kind, counter.label, counter.unit_code, counter.field_code)
    = (cell.calendar, cell.kind, cell.label, cell.unit_code, cell.field_code)
    and counter.basis in ('*', 'as_reported') and counter.last_publication is null
left join lateral (values
    :measures
) as measure (measure, is_counted, recomputed) on measure.measure = cell.measure
where cell.row_no is not null or cell.field_code = '*' or cell.reported <> 0 or coalesce(measure.recomputed, 0) <> 0
