-- Whether a target is met, on the exact fraction, before any rounding: 94,996 % shows as 95,00 and still misses 95.
create or replace function rollup.target_met(numerator bigint, denominator bigint, comparator text, target_value numeric)
returns boolean
language sql immutable parallel safe
return case
    when numerator is null or coalesce(denominator, 0) = 0 then null
    when comparator = '>=' then numerator >= target_value * denominator
    when comparator = '>' then numerator > target_value * denominator
    when comparator = '=' then numerator = target_value * denominator
end;

-- What plans promise and dossiers measure. Valid while both the plan and the unit are: where a code has passed to a new
-- unit of another territory, the plan was the old unit's and ends with it. A plan that says two things of
-- one figure of one unit at one time is shown as saying both: each target is judged by itself, and names the other.
create view mart.target as
with
lifetime as (
    select unit_code, min(valid_from) as valid_from, max(valid_to) as valid_to
    from ref.unit
    group by unit_code
),
valid as not materialized (  -- of what it looks at the planner knows how many rows there are
    select
        target.*,
        greatest(target.period_from, lifetime.valid_from) as valid_from,
        least(target.period_to, lifetime.valid_to, founded.on_day - 1) as valid_to,
        founded.on_day is not null as is_of_former_unit,
        replace(target.comparator, '>=', '≥') || ' ' || replace(trim_scale(target.target_value * 100)::text, '.', ',')
            || '%' as wanted
    from ref.target
    left join lifetime using (unit_code)
    cross join lateral (  -- the new unit under the code of the old one
        select min(change.changed_on) as on_day
        from rollup.territory_change as change
        join ref.unit on (unit.unit_code, unit.valid_from) = (change.unit_code, change.changed_on)
        where change.unit_code = target.unit_code and change.changed_on > greatest(target.period_from, lifetime.valid_from)
    ) as founded
    where target.metric_id is not null and target.unit_code is not null
)
select
    valid.target_id,
    valid.unit_code,
    valid.metric_id,
    valid.profile,
    valid.field_code,
    valid.comparator,
    valid.target_value,
    valid.valid_from,
    valid.valid_to,
    valid.is_of_former_unit,
    other.named is not null as conflict,
    other.named as conflicts_with,
    valid.document as source_document,
    valid.source_line,
    valid.note
from valid
left join (
    select
        valid.target_id,
        string_agg(
            concat(case when other.document <> valid.document then other.document || ', ' end, 'dòng ', other.source_line,
                ': ', other.wanted),
            '; ' order by other.document, other.source_line, other.target_id
        ) as named
    from valid
    join valid as other
        on (other.unit_code, other.metric_id, other.profile, other.field_code)
        = (valid.unit_code, valid.metric_id, valid.profile, valid.field_code)
    where other.valid_from <= valid.valid_to
    and other.valid_to >= valid.valid_from
    and (other.comparator, other.target_value) is distinct from (valid.comparator, valid.target_value)
    group by valid.target_id
) as other using (target_id);

-- Beside every on-time rate stands what is open and late: finishing only easy dossiers flatters the rate, not this.
create view mart.kpi_vs_target as
select
    kpi.*,
    target.target_id,
    target.comparator,
    target.target_value,
    -- what a split unit received is in no unit of today for certain; the province's total is. Today's unit under a former
    -- one's code is not the one whose plan it was
    case when kpi.unit_level = 'province' or not (
        kpi.flags && array['split_unit', 'not_summed'] or target.is_of_former_unit and kpi.basis = 'current_boundary'
    ) then
        rollup.target_met(kpi.numerator, kpi.denominator, target.comparator, target.target_value)
    end as met,
    (kpi.numerator::numeric / nullif(kpi.denominator, 0) - target.target_value)::numeric(9, 6) as gap,
    target.source_document,
    target.source_line,
    target.note,
    target.conflict,
    target.conflicts_with,
    case when kpi.metric_id <> 'on_time' then null when late.unit_code is null then 0 else late.numerator end
        as overdue_open,
    case when kpi.metric_id <> 'on_time' then null when late.unit_code is null then 0 else late.denominator end
        as in_progress
from mart.kpi
join mart.target
    on target.unit_code = kpi.unit_code
    and target.metric_id = kpi.metric_id
    and target.profile = kpi.profile
    and target.field_code = kpi.field_code
    and kpi.period_end between target.valid_from and target.valid_to
left join lateral (  -- looked up row by row: a join would work out all figures once for each
    select open.unit_code, open.numerator, open.denominator
    from mart.kpi as open
    where kpi.metric_id = 'on_time'
    and (open.metric_id, open.profile) = ('overdue_open', 'TT01_06A')
    and (open.period_calendar, open.period_kind, open.period_label, open.unit_code, open.basis, open.field_code)
        = (kpi.period_calendar, kpi.period_kind, kpi.period_label, kpi.unit_code, kpi.basis, kpi.field_code)
    offset 0
) as late on true;
