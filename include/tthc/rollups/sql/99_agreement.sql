-- Grain: two statements of reports that must agree, of which one rule asks the difference; null where it is not asked.
-- Asked only where no dossiers tell which of the two is wrong: there each is compared with them (99_reported).
create temporary table agreement on commit drop as
with
cell as (
    select reported.*, period.start_on, period.end_on, reported.night >= period.end_on as is_closed
    from rollup.reported
    join ref.period using (calendar, kind, label)
),
-- I5: what is carried into a period was in progress when the one before ended, of a unit that stayed the same.
chain as (
    select
        later.source_id, later.unit_code, later.calendar, later.label, later.field_code, later.measure,
        later.reported as one, earlier.reported as other,
        format('kỳ %s (tệp %s)', earlier.label, earlier.file_name) as beside, later.file_name
    from cell as later
    join cell as earlier
        on (earlier.source_id, earlier.layout_id, earlier.calendar, earlier.unit_code, earlier.field_code)
        = (later.source_id, later.layout_id, later.calendar, later.unit_code, later.field_code)
        and earlier.end_on + 1 = later.start_on
    where later.measure = 'carried_over' and earlier.measure = 'in_progress_total' and earlier.is_closed
    and (later.recomputed is null or earlier.recomputed is null)
    and exists (
        select
        from ref.unit
        where unit.unit_code = later.unit_code and unit.valid_from <= earlier.end_on and unit.valid_to > later.end_on
    )
),
-- I6: the province's report beside those of its units; that it tells more than they do is asked once all of them told.
units as (
    select
        source_id, layout_id, calendar, kind, label, field_code, measure, sum(reported)::bigint as reported,
        count(*) as told
    from cell
    where unit_code <> (select province from tonight)
    and measure in (select measure from ref.measure where additive)
    group by source_id, layout_id, calendar, kind, label, field_code, measure
),
of_units as (
    select
        whole.source_id, whole.unit_code, whole.calendar, whole.label, whole.field_code, whole.measure,
        whole.reported as one, units.reported as other, format('tổng %s đơn vị', units.told) as beside,
        whole.file_name
    from cell as whole
    join units using (source_id, layout_id, calendar, kind, label, field_code, measure)
    where whole.unit_code = (select province from tonight) and whole.recomputed is null
    and (units.reported > whole.reported or not exists (
        select
        from ref.unit
        where unit.province_code = whole.unit_code and unit.unit_code <> whole.unit_code
        and unit.valid_from <= whole.end_on and unit.valid_to > whole.end_on
        and not exists (
            select
            from cell as part
            where (part.source_id, part.layout_id, part.calendar, part.kind, part.label, part.unit_code)
            = (whole.source_id, whole.layout_id, whole.calendar, whole.kind, whole.label, unit.unit_code)
        )
    ))
),
-- One unit and period told by two reports: of two sources or layouts, or by two files of one night.
twice as (
    select
        first.source_id, first.unit_code, first.calendar, first.label, first.field_code, first.measure,
        first.reported as one, second.reported as other,
        format('%s (tệp %s)', second.layout_id, second.file_name) as beside, first.file_name
    from cell as first
    join cell as second using (unit_code, calendar, kind, label, field_code, measure)
    where (first.source_id, first.layout_id) < (second.source_id, second.layout_id)
    and (first.is_closed and second.is_closed or first.night = second.night)
    and first.recomputed is null and second.recomputed is null
),
rival as (
    select word.*, heard.file_name as other_name, coalesce(heard.same_as, heard.delivery_id) as other_id
    from word
    join core.delivery as heard
        on heard.source_id = word.source_id and heard.layout_id = word.layout_id and heard.night = word.night
        and heard.file_name <> word.file_name and coalesce(heard.same_as, heard.delivery_id) <> word.parsed_id
),
rival_cell as (
    select
        rival.source_id, rival.layout_id, rival.unit_code, rival.calendar, rival.kind, rival.label, rival.file_name,
        rival.other_name, told.field_key, told.measure,
        coalesce(sum(told.value) filter (where told.delivery_id = rival.parsed_id), 0)::bigint as one,
        coalesce(sum(told.value) filter (where told.delivery_id = rival.other_id), 0)::bigint as other
    from rival
    join core.reported as told
        on told.delivery_id in (rival.parsed_id, rival.other_id)
        and (told.calendar, told.kind, told.label, told.unit_code)
        = (rival.calendar, rival.kind, rival.label, rival.unit_code)
    where exists (
        select
        from core.reported as also
        where also.delivery_id = rival.other_id
        and (also.calendar, also.kind, also.label, also.unit_code)
        = (rival.calendar, rival.kind, rival.label, rival.unit_code)
    )
    and told.measure in (select measure from ref.measure where additive)
    group by
        rival.source_id, rival.layout_id, rival.unit_code, rival.calendar, rival.kind, rival.label, rival.file_name,
        rival.other_name, told.field_key, told.measure
),
in_one_night as (
    select
        rival_cell.source_id, rival_cell.unit_code, rival_cell.calendar, rival_cell.label,
        rival_cell.field_key as field_code, rival_cell.measure, rival_cell.one, rival_cell.other,
        format('tệp %s', rival_cell.other_name) as beside, rival_cell.file_name
    from rival_cell
    where not exists (
        select
        from cell
        where (cell.source_id, cell.layout_id, cell.unit_code, cell.calendar, cell.kind, cell.label)
        = (rival_cell.source_id, rival_cell.layout_id, rival_cell.unit_code, rival_cell.calendar, rival_cell.kind,
            rival_cell.label)
        and cell.recomputed is not null
    )
)
select row_number() over () as row_id, * from (
    select *, one - other as chain_difference, null::bigint as units_difference, null::bigint as twice_difference
    from chain
    union all
    select *, null, one - other, null from of_units
    union all
    select *, null, null, one - other from twice
    union all
    select *, null, null, one - other from in_one_night
) as asked
