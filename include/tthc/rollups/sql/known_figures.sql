-- Grain: unit, basis, metric of one period, all fields together, out of the temporary tables `fresh` and `manual_fresh`.
select
    counter.calendar as period_calendar,
    counter.kind as period_kind,
    counter.label as period_label,
    counter.unit_code,
    basis.basis,
    counter.field_code,
    metric.metric_id,
    metric.profile,
    metric.numerator,
    metric.denominator,
    (metric.numerator::numeric / nullif(metric.denominator, 0))::numeric(9, 6) as rate,
    counter.flags
from fresh as counter
cross join lateral (values
    :metrics
) as metric (metric_id, profile, version, numerator, denominator)
join ref.period using (calendar, kind, label)
join ref.loaded on true
join ref.registry_entry as definition
    on (definition.registry_id, definition.metric_id, definition.profile, definition.version)
    = (loaded.registry_id, metric.metric_id, metric.profile, metric.version)
    and period.end_on between definition.valid_from and definition.valid_to
cross join lateral unnest(
    case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
) as basis (basis)
where counter.label = :label
and counter.field_code = '*'
and (metric.numerator <> 0 or metric.denominator <> 0)
union all
select
    manual_fresh.calendar, manual_fresh.kind, manual_fresh.label, manual_fresh.unit_code, basis.basis, '*',
    manual_fresh.indicator, '*', manual_fresh.numerator, manual_fresh.denominator,
    (manual_fresh.numerator::numeric / nullif(manual_fresh.denominator, 0))::numeric(9, 6),
    manual_fresh.flags
from manual_fresh
cross join lateral unnest(
    case manual_fresh.basis when '*' then array['as_reported', 'current_boundary'] else array[manual_fresh.basis] end
) as basis (basis)
where manual_fresh.label = :label
order by period_calendar, unit_code, basis, metric_id, profile
