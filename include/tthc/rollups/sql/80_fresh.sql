-- Grain: period, unit (and the province), field (and '*'), basis. Today's counters: as reported, and on today's boundary
-- where units have moved to their successors (15_place.sql); basis '*' where both say the same. A province that was
-- merged into this one has rows of its own, as reported, which are parts of the province's row.
create temporary table fresh on commit drop as
with
placed as (
    select
        cell.*, place.unit_code, place.current_code, place.is_moved, place.is_split, place.parts, place.is_weighted,
        place.former_province,
        coalesce(place.reused_from <= least(period.end_on, (select night from tonight)), false) as is_reused
    from cell
    join place using (place_id)
    join ref.period using (calendar, kind, label)
),
lacking as (  -- period, field, unit that got a part of a split unit whose dossiers stay undivided
    select distinct calendar, kind, label, unnest(parts) as unit_code, field_code
    from placed
    where is_split
),
based as (
    select 'as_reported' as basis, unit_code as place, false as is_torn, false as is_torn_here, * from placed
    union all
    select
        'current_boundary',
        current_code,
        is_split or (calendar, kind, label, current_code) in (select calendar, kind, label, unit_code from lacking),
        is_split or coalesce((calendar, kind, label, current_code, field_code) in (
            select calendar, kind, label, unit_code, field_code from lacking where field_code is not null
        ), false),
        *
    from placed
    union all
    select 'former', former_province, false, false, * from placed
    where former_province is not null
),
summed as (
select
    calendar,
    kind,
    label,
    coalesce(place, (select province from tonight)) as unit_code,
    coalesce(field_code, '*') as field_code,
    basis,
    array_remove(array[
        case when bool_or(from_summary) then 'from_summary' end,
        case when bool_or(is_torn_here) or grouping(field_code) = 1 and bool_or(is_torn) then 'split_unit' end,
        case when bool_or(basis = 'current_boundary' and is_weighted) and grouping(place) = 0 then 'split_weighted' end,
        case when bool_or(basis = 'current_boundary' and is_moved) and grouping(place) = 0 then 'merged_unit' end,
        case when bool_or(basis = 'as_reported' and is_reused) and grouping(place) = 0 then 'code_reused' end,
        case when bool_or(former_province is not null) and grouping(place) = 1 then 'merged_province' end,
        case when basis = 'former' then 'former_province' end
    ], null) as flags,
    :counter_sums
from based
group by grouping sets (
    (calendar, kind, label, basis, place, field_code),
    (calendar, kind, label, basis, place),
    (calendar, kind, label, basis, field_code),
    (calendar, kind, label, basis)
)
having not (grouping(field_code) = 0 and field_code is null)  -- a dossier of no known field is in '*' only
and not (grouping(place) = 1 and basis = 'former')
)
select
    calendar, kind, label, unit_code, field_code,
    case when count(*) = 2 then '*' when min(basis) = 'former' then 'as_reported' else min(basis) end as basis,
    flags,
    :counters
from summed
group by
    calendar, kind, label, unit_code, field_code, flags, :counters
