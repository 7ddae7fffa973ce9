create view mart.kpi_history as
select
    counter.calendar as period_calendar,
    counter.kind as period_kind,
    counter.label as period_label,
    period.start_on as period_start,
    period.end_on as period_end,
    least(period.end_on, publication.night) as as_of,
    place.level as unit_level,
    counter.unit_code,
    place.full_name as unit_name,
    basis.basis,
    counter.field_code,
    metric.metric_id,
    metric.profile,
    case when not withheld.withheld then metric.numerator end as numerator,
    case when not withheld.withheld then metric.denominator end as denominator,
    (case when not withheld.withheld then metric.numerator::numeric / nullif(metric.denominator, 0) end)::numeric(9, 6)
        as rate,
    coverage.units_expected,
    coverage.units_reported,
    case
        when publication.night < period.end_on then 'interim'
        when coverage.units_reported < coverage.units_expected * (select floor from ref.coverage_floor) then 'provisional'
        else 'final'
    end as status,
    counter.flags,
    publication.definition_version,
    publication.publication_id
from rollup.publication
join rollup.counter
    on counter.first_publication <= publication.publication_id
    and (counter.last_publication is null or counter.last_publication >= publication.publication_id)
join ref.period using (calendar, kind, label)
cross join lateral (
    select unit.level, unit.full_name
    from ref.unit
    where unit.unit_code = counter.unit_code
    order by least(period.end_on, publication.night) between unit.valid_from and unit.valid_to desc, unit.valid_from desc
    limit 1
) as place
cross join lateral (values
    :metrics
) as metric (metric_id, profile, numerator, denominator)
cross join lateral unnest(
    case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
) as basis (basis)
cross join lateral (select 'withheld' = any(counter.flags) as withheld) as withheld
left join rollup.coverage
    on (coverage.calendar, coverage.kind, coverage.label, coverage.unit_code)
    = (counter.calendar, counter.kind, counter.label, counter.unit_code)
    and coverage.first_publication <= publication.publication_id
    and (coverage.last_publication is null or coverage.last_publication >= publication.publication_id)
where coalesce(metric.denominator, metric.numerator) <> 0 or metric.numerator <> 0;

create view mart.kpi as
select kpi_history.*
from rollup.current_publication
join mart.kpi_history using (publication_id);
