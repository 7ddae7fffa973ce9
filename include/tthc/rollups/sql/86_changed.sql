-- Grain: as 80_fresh. What the figure rules are asked about: the counters, and beside them what must hold between rows.
-- carried_over_gap, change: null where the period before says nothing. short_month: 1 where Tết or the like leaves either
-- month fewer than 17 working days.
create temporary table changed on commit drop as
with
span as (
    select
        period.calendar, period.kind, period.label,
        period.end_on between (select night from tonight) - 31 and (select night from tonight) as has_just_ended,
        before.label as label_before,
        last.working_index - coalesce(first.working_index, 0) as working_days
    from ref.period
    left join ref.period as before
        on (before.calendar, before.kind, before.end_on) = (period.calendar, period.kind, period.start_on - 1)
    left join ref.calendar as last on last.day = period.end_on
    left join ref.calendar as first on first.day = period.start_on - 1
)
select
    row_number() over () as row_id,
    fresh.*,
    fresh.resolved_early + fresh.resolved_on_time + fresh.resolved_late as resolved,
    fresh.resolved_early + fresh.resolved_on_time + fresh.resolved_late + fresh.in_progress - fresh.received
        as carried_over,
    case when span.label_before is not null and 'from_summary' <> all(
        fresh.flags || whole.flags || coalesce(earlier.flags, '{}') || coalesce(earlier_whole.flags, '{}')
    ) then
        fresh.resolved_early + fresh.resolved_on_time + fresh.resolved_late + fresh.in_progress - fresh.received
        - coalesce(earlier.in_progress, 0)
    end as carried_over_gap,
    identity.sum_of_units,
    identity.sum_of_parts,
    identity.bases_differ,
    identity.fields_over_total,
    case when
        fresh.kind = 'month' and fresh.field_code = '*' and fresh.basis <> 'current_boundary'
        and span.has_just_ended and earlier.received >= 100
        and 'from_summary' <> all(fresh.flags || earlier.flags)
    then
        round((fresh.received::numeric / span.working_days) / (earlier.received::numeric / span_before.working_days), 4)
    end::float8 as change,
    (least(span.working_days, span_before.working_days) < 17)::int as short_month,
    (select count(distinct night) from core.delivery) as nights
from fresh
join span using (calendar, kind, label)
left join span as span_before
    on (span_before.calendar, span_before.kind, span_before.label) = (span.calendar, span.kind, span.label_before)
left join fresh as whole
    on (whole.calendar, whole.kind, whole.label, whole.unit_code, whole.field_code)
    = (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, '*')
    and (whole.basis in (fresh.basis, '*') or (fresh.basis = '*' and whole.basis = 'as_reported'))
left join fresh as earlier
    on (earlier.calendar, earlier.kind, earlier.label, earlier.unit_code, earlier.field_code)
    = (fresh.calendar, fresh.kind, span.label_before, fresh.unit_code, fresh.field_code)
    and (earlier.basis in (fresh.basis, '*') or (fresh.basis = '*' and earlier.basis = 'as_reported'))
left join fresh as earlier_whole
    on (earlier_whole.calendar, earlier_whole.kind, earlier_whole.label, earlier_whole.unit_code, earlier_whole.field_code)
    = (fresh.calendar, fresh.kind, span.label_before, fresh.unit_code, '*')
    and (
        earlier_whole.basis in (fresh.basis, '*') or (fresh.basis = '*' and earlier_whole.basis = 'as_reported')
    )
left join identity
    on (identity.calendar, identity.kind, identity.label, identity.unit_code, identity.field_code, identity.basis)
    = (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.field_code, fresh.basis)
    and 'former_province' <> all(fresh.flags)
