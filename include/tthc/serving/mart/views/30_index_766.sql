-- Index 766 by component. A component that nobody told is missing, neither zero nor full. state: told; nothing (its
-- denominator is 0: points as index_766.csv says, else none); not_applicable (all points); missing.
create view mart.index_766 as
with told as (  -- a figure of dossiers that has no row is 0, but of manual input, and of a form, it is not known
    select
        period_calendar, period_kind, period_label, unit_level, unit_code, publication_id,
        bool_or(not flags && array['manual_input', 'from_summary']) as has_dossiers
    from mart.kpi
    where field_code = '*' and basis = 'as_reported'
    group by period_calendar, period_kind, period_label, unit_level, unit_code, publication_id
)
select
    told.period_calendar,
    told.period_kind,
    told.period_label,
    told.unit_code,
    component.group_code,
    component.component_id,
    case when state.state = 'nothing' then 0 else kpi.numerator end as numerator,
    case when state.state = 'nothing' then 0 else kpi.denominator end as denominator,
    case state.state
        when 'told' then
            least(component.max_points, component.max_points * kpi.numerator / (kpi.denominator * component.full_at))
        when 'nothing' then component.points_at_zero
        when 'not_applicable' then component.max_points
    end::numeric(6, 3) as points,
    component.max_points,
    state.state = 'missing' as missing,
    told.publication_id,
    state.state,
    kpi.units_expected,
    kpi.units_reported,
    component.metric_id,
    component.profile
from told
cross join ref.index_component as component
left join mart.kpi
    on kpi.field_code = '*'
    and kpi.basis = 'as_reported'
    and (kpi.period_calendar, kpi.period_kind, kpi.period_label, kpi.unit_code)
        = (told.period_calendar, told.period_kind, told.period_label, told.unit_code)
    and (kpi.metric_id, kpi.profile) = (component.metric_id, component.profile)
cross join lateral (
    select case
        when told.unit_level = any(component.not_for) then 'not_applicable'
        when kpi.metric_id is null and told.has_dossiers and component.metric_id is not null
            and component.metric_id not in (select indicator from ref.manual_indicator) then 'nothing'
        when kpi.numerator is null then 'missing'
        when kpi.denominator = 0 then 'nothing'
        else 'told'
    end as state
) as state;

-- The points of each group and of the whole ('*'), beside the most that what is told could earn. No component is
-- guessed: with one missing the total is only a part, and the whole has no band.
create view mart.index_766_total as
with summed as (  -- no GROUPING SETS: they would work out every period before one is chosen
    select
        period_calendar,
        period_kind,
        period_label,
        unit_code,
        part.group_code,
        coalesce(sum(points), 0)::numeric(6, 3) as points,
        coalesce(sum(max_points) filter (where points is not null), 0)::numeric(6, 3) as max_points_told,
        sum(max_points)::numeric(6, 3) as max_points,
        (count(*) filter (where points is not null))::int as components_told,
        (count(*) filter (where missing))::int as components_missing,
        publication_id
    from mart.index_766
    cross join lateral (values (index_766.group_code), ('*')) as part (group_code)
    group by period_calendar, period_kind, period_label, unit_code, part.group_code, publication_id
)
select
    summed.period_calendar,
    summed.period_kind,
    summed.period_label,
    summed.unit_code,
    summed.group_code,
    summed.points,
    summed.max_points_told,
    summed.max_points,
    summed.components_told,
    summed.components_missing,
    case when summed.group_code = '*' and summed.components_missing = 0 and summed.max_points_told > 0 then (
        select band.band
        from ref.index_band as band
        where summed.points >= band.from_share * summed.max_points_told
        order by band.from_share desc
        limit 1
    ) end as band,
    summed.publication_id
from summed;
