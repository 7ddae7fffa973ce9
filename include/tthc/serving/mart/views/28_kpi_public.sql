-- What may leave the department: few figures, of closed quarters and of what quarters add up to, all fields together, one
-- calendar and as reported. In a quarter a unit shows all of them or none. It shows none where a count that can be read off
-- its row, or what a count leaves of its whole, is small; then so many other units show none that what the province leaves
-- of those shown is not small in any count, not even without the largest of them, which knows its own: so three at least.
-- Nothing else is told of these units, so each count may be anything from 0 to that remainder: docs/definitions.md gives
-- the proof. Where there are too few of them the quarter shows nothing, the province's own figures included. A longer
-- period shows what each of its quarters shows.
-- Every metric here must be a flow that adds up over quarters, or two periods would tell what one does not.
create view mart.kpi_public as
with
metric (metric_id, profile, place) as (
    values ('received', 'TT01_06A', 1), ('resolved', 'TT01_06A', 2), ('on_time', 'TT01_06A', 3), ('online_submission', '*', 4)
),
figure as materialized (
    select kpi.*
    from mart.kpi
    join metric using (metric_id, profile)
    where kpi.period_calendar = 'VPCP_15_14' and kpi.period_kind <> 'month'
    and kpi.basis = 'as_reported' and kpi.field_code = '*' and 'former_province' <> all(kpi.flags)
),
unit as (  -- unit, period
    select
        period_kind, period_label, period_start, period_end, unit_level, unit_code, unit_name, publication_id,
        bool_and(status = 'final' and numerator is not null) as is_sound,
        coalesce(max(numerator) filter (where metric_id = 'received'), 0) as received,
        coalesce(max(numerator) filter (where metric_id = 'online_submission'), 0) as online,
        coalesce(max(numerator) filter (where metric_id = 'resolved'), 0) as resolved,
        coalesce(max(numerator) filter (where metric_id = 'on_time'), 0) as in_time
    from figure
    group by period_kind, period_label, period_start, period_end, unit_level, unit_code, unit_name, publication_id
),
judged as (  -- unit but the province, quarter
    select
        unit.*,
        not unit.is_sound or exists (
            select from unnest(array[received, online, received - online, resolved, in_time, resolved - in_time]) as part (n)
            where part.n > 0 and part.n < comparison.public_minimum
        ) as is_small
    from unit
    cross join ref.comparison
    where unit.period_kind = 'quarter' and unit.unit_level <> 'province'
),
in_line as (  -- who is hidden comes first; behind them wait, the smallest first, those who are hidden for their sake
    select
        judged.*,
        row_number() over line as place,
        count(*) filter (where is_small) over (partition by period_label) as small_units,
        least(
            sum(online) over line - max(online) over line,
            sum(received - online) over line - max(received - online) over line,
            sum(in_time) over line - max(in_time) over line,
            sum(resolved - in_time) over line - max(resolved - in_time) over line
        ) as remainder
    from judged
    window line as (partition by period_label order by is_small desc, received, unit_code)
),
hidden_to as (  -- quarter: the last place in line that is hidden, 0 if none needs to be, null if all together are too few
    select
        in_line.period_label,
        case when max(small_units) = 0 then 0 else min(place) filter (
            where place >= small_units and remainder >= comparison.public_minimum
        ) end as place
    from in_line
    cross join ref.comparison
    group by in_line.period_label
),
quarter as (  -- quarter, the province and its units
    select unit.period_label, unit.period_start, unit.unit_code, true as is_province, hidden_to.place is not null as is_shown
    from unit
    left join hidden_to using (period_label)
    where unit.period_kind = 'quarter' and unit.unit_level = 'province' and unit.is_sound
    union all
    select in_line.period_label, in_line.period_start, in_line.unit_code, false, coalesce(in_line.place > hidden_to.place, false)
    from in_line
    join hidden_to using (period_label)
),
part as (  -- period, quarter of it
    select period.kind, period.label, quarter.start_on, count(*) over (partition by period.kind, period.label) as quarters
    from ref.period
    join ref.period as quarter
        on quarter.calendar = period.calendar and quarter.kind = 'quarter'
        and quarter.start_on >= period.start_on and quarter.end_on <= period.end_on
    where period.calendar = 'VPCP_15_14' and period.kind <> 'month'
),
shown as (  -- period, unit of it in any of its quarters; of published quarters only
    select part.kind, part.label, quarter.unit_code, bool_and(quarter.is_shown) as is_shown
    from part
    join quarter on quarter.period_start = part.start_on
    where part.quarters = (
        select count(*)
        from part as each
        join quarter as province on province.is_province and province.period_start = each.start_on
        where (each.kind, each.label) = (part.kind, part.label)
    )
    group by part.kind, part.label, quarter.unit_code
),
province as (
    select period_kind, period_label from unit where unit_level = 'province' and is_sound
)
select
    'VPCP_15_14' as period_calendar,
    unit.period_kind,
    unit.period_label,
    unit.period_start,
    unit.period_end,
    unit.unit_level,
    unit.unit_code,
    unit.unit_name,
    metric.metric_id,
    metric.profile,
    case when told.is_shown then told.numerator end as numerator,
    case when told.is_shown then told.denominator end as denominator,
    case when told.is_shown then round(told.numerator::numeric / nullif(told.denominator, 0), 6) end::numeric(9, 6) as rate,
    not told.is_shown as suppressed,
    comparison.public_minimum as minimum_count,
    definition.definition_version,
    unit.publication_id
from unit
join province using (period_kind, period_label)
join shown on (shown.kind, shown.label, shown.unit_code) = (unit.period_kind, unit.period_label, unit.unit_code)
cross join metric
cross join ref.comparison
cross join lateral (
    select
        shown.is_shown and unit.is_sound as is_shown,
        case metric.metric_id
            when 'received' then unit.received when 'resolved' then unit.resolved
            when 'on_time' then unit.in_time else unit.online
        end as numerator,
        case metric.metric_id when 'on_time' then unit.resolved when 'online_submission' then unit.received end
            as denominator
) as told
left join (
    select period_kind, period_label, metric_id, max(definition_version) as definition_version
    from figure
    group by period_kind, period_label, metric_id
) as definition
    on (definition.period_kind, definition.period_label, definition.metric_id)
    = (unit.period_kind, unit.period_label, metric.metric_id);
