-- Every figure of every publication, by every version of its definition that the publication's registry holds;
-- is_in_force: the one whose validity holds the period's last day. Not for analysts: the views below read it.
create view rollup.figure as
select
    counter.calendar,
    counter.kind,
    counter.label,
    period.start_on,
    period.end_on,
    least(period.end_on, publication.night) as as_of,
    place.level,
    counter.unit_code,
    place.full_name,
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
    metric.version,
    publication.publication_id,
    definition.valid_from,
    definition.valid_to,
    period.end_on between definition.valid_from and definition.valid_to as is_in_force
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
) as metric (metric_id, profile, version, numerator, denominator)
-- One text instead of three columns: of each column of VALUES the planner believes that a row in 200 is the one, of three
-- of them that hardly any is, and then works out all figures once for every row of another view.
join ref.registry_entry as definition
    on definition.registry_id = publication.registry_id
    and concat_ws('/', definition.metric_id, definition.profile, definition.version)
        = concat_ws('/', metric.metric_id, metric.profile, metric.version)
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

create view mart.kpi_history as
select
    figure.calendar as period_calendar,
    figure.kind as period_kind,
    figure.label as period_label,
    figure.start_on as period_start,
    figure.end_on as period_end,
    figure.as_of,
    figure.level as unit_level,
    figure.unit_code,
    figure.full_name as unit_name,
    figure.basis,
    figure.field_code,
    figure.metric_id,
    figure.profile,
    figure.numerator,
    figure.denominator,
    figure.rate,
    figure.units_expected,
    figure.units_reported,
    figure.status,
    figure.flags,
    figure.version as definition_version,
    figure.publication_id
from rollup.figure
where figure.is_in_force
union all
select * from rollup.manual_figure;

-- The number of the publication stands in a condition, which goes into both halves of the history before they are worked
-- out; a join would work out every publication first.
create view mart.kpi as
select kpi_history.*
from mart.kpi_history
where kpi_history.publication_id = (select publication_id from rollup.current_publication);

-- The current publication by every version of every definition, so that two can be compared before one is in force.
create view mart.kpi_by_definition as
select
    figure.calendar as period_calendar,
    figure.kind as period_kind,
    figure.label as period_label,
    figure.start_on as period_start,
    figure.end_on as period_end,
    figure.as_of,
    figure.level as unit_level,
    figure.unit_code,
    figure.full_name as unit_name,
    figure.basis,
    figure.field_code,
    figure.metric_id,
    figure.profile,
    figure.version as definition_version,
    figure.valid_from,
    figure.valid_to,
    figure.is_in_force,
    figure.numerator,
    figure.denominator,
    figure.rate,
    figure.flags,
    figure.publication_id
from rollup.current_publication
join rollup.figure using (publication_id);

-- What the metrics of the current publication mean.
create view mart.definition as
select
    entry.metric_id,
    entry.profile,
    entry.version as definition_version,
    entry.valid_from,
    entry.valid_to,
    entry.title,
    definition.numerator as numerator_counters,
    definition.denominator as denominator_counters,
    definition.meaning ->> 'kind' as kind,
    definition.meaning ->> 'event' as event,
    definition.meaning ->> 'no_due' as no_due,
    definition.meaning ->> 'awaiting_supplement' as awaiting_supplement,
    definition.meaning ->> 'awaiting_payment' as awaiting_payment,
    definition.meaning ->> 'withdrawn' as when_withdrawn,
    definition.meaning ->> 'stopped' as when_stopped,
    definition.meaning ->> 'refused' as refused,
    definition.meaning ->> 'compare' as compare,
    definition.meaning ->> 'supplements' as supplements,
    definition.meaning ->> 'display' as display,
    entry.citation,
    entry.assumption,
    publication.publication_id
from rollup.current_publication
join rollup.publication using (publication_id)
join ref.registry_entry as entry using (registry_id)
join ref.definition using (metric_id, profile, version);
