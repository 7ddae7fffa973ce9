-- Grain: period, unit (and the province), indicator, basis. Tonight's figures of what units stated; the province is the
-- sum of its units where the indicator sums up, else what it stated itself. Basis '*' where both say the same.
create temporary table manual_fresh on commit drop as
with
lacking as (  -- unit that got a part of a split unit whose counts stay undivided
    select distinct calendar, kind, label, unnest(parts) as unit_code, indicator
    from manual_told
    where is_split
),
based as (
    select 'as_reported' as basis, unit_code as place, array[case when is_reused then 'code_reused' end] as notes, *
    from manual_told
    union all
    select 'current_boundary', current_code, array[
        case when is_split or (calendar, kind, label, current_code, indicator) in (
            select calendar, kind, label, unit_code, indicator from lacking
        ) then 'split_unit' end,
        case when is_moved then 'merged_unit' end,
        case when is_unsummed then 'not_summed' end
    ], *
    from manual_told
),
summed as (
    select
        calendar, kind, label, place as unit_code, basis, indicator, min(version) as version, sum(numerator)::bigint as numerator,
        sum(denominator)::bigint as denominator, 1 as units_reported, array_agg(notes) as notes
    from based
    group by calendar, kind, label, place, basis, indicator
    union all
    select
        calendar, kind, label, (select province from tonight), basis, indicator, min(based.version),
        sum(numerator)::bigint,
        sum(denominator)::bigint, count(distinct place)::int, array_agg(notes)
    from based
    join ref.manual_indicator using (indicator)
    where manual_indicator.summed
    group by calendar, kind, label, basis, indicator
),
asked as (  -- how many units an indicator that sums up is asked of
    select period.calendar, period.kind, period.label, manual_indicator.indicator, count(*)::int as units
    from (select distinct calendar, kind, label, indicator from manual_told) as told
    join ref.period using (calendar, kind, label)
    join ref.manual_indicator using (indicator)
    join ref.unit
        on unit.level = any(manual_indicator.levels)
        and unit.province_code = (select province from tonight)
        and least(period.end_on, (select night from tonight)) between unit.valid_from and unit.valid_to
    where manual_indicator.summed
    group by period.calendar, period.kind, period.label, manual_indicator.indicator
)
select
    summed.calendar, summed.kind, summed.label, summed.unit_code,
    case when count(*) = 2 then '*' else min(summed.basis) end as basis,
    summed.indicator,
    summed.version,
    flags.flags,
    summed.numerator, summed.denominator,
    case when summed.unit_code = (select province from tonight) then coalesce(asked.units, 1) else 1 end
        as units_expected,
    summed.units_reported
from summed
left join asked using (calendar, kind, label, indicator)
cross join lateral (  -- of the province only what leaves its units in doubt
    select array['manual_input'] || array(
        select note.note
        from unnest(summed.notes) as note (note)
        where note.note is not null
        and (summed.unit_code <> (select province from tonight) or note.note = 'split_unit')
        group by note.note
        order by note.note
    ) as flags
) as flags
group by
    summed.calendar, summed.kind, summed.label, summed.unit_code, summed.indicator, summed.version, flags.flags,
    summed.numerator, summed.denominator, asked.units, summed.units_reported
