-- Grain: period, unit, field ('*' all together), measure, report. The newest word of each report, and what the dossiers
-- of the publication give for it under the measure's profile. Nothing is recomputed where the unit has no dossiers in
-- the period, where a figure is withheld, and where a report of an open period was made on another night.
insert into rollup.reported (
    calendar, kind, label, unit_code, field_code, measure, source_id, layout_id, file_name, night, delivery_id,
    sheet, row_no, reported, recomputed
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
from told_cell as cell
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
