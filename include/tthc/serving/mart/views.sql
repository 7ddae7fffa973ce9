-- The public contract: views over counters, unpivoted and divided. Rebuilt whole by `tthc init`, in one transaction.
-- The metrics of kpis.toml are put in as lines (metric_id, profile, numerator, denominator).
drop schema if exists mart cascade;
create schema mart;

create view mart.publication as
select
    publication.publication_id,
    publication.published_at,
    publication.night,
    current_publication.publication_id is not null as is_current,
    publication.based_on
from rollup.publication
left join rollup.current_publication using (publication_id);

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

create view mart.kpi_vs_target as
select
    kpi.*,
    target.target_id,
    target.comparator,
    target.target_value,
    case
        when kpi.numerator is null or coalesce(kpi.denominator, 0) = 0 then null
        -- exact, before any rounding: 94,996 % shows as 95,00 and still misses 95
        when target.comparator = '>=' then kpi.numerator >= target.target_value * kpi.denominator
        when target.comparator = '>' then kpi.numerator > target.target_value * kpi.denominator
        else kpi.numerator = target.target_value * kpi.denominator
    end as met,
    (kpi.numerator::numeric / nullif(kpi.denominator, 0) - target.target_value)::numeric(9, 6) as gap,
    target.document as source_document,
    target.source_line,
    target.note
from mart.kpi
join ref.target
    on target.unit_code = kpi.unit_code
    and target.metric_id = kpi.metric_id
    and target.profile = kpi.profile
    and target.field_code = kpi.field_code
    and kpi.period_end between target.period_from and target.period_to;

create view mart.form_06a as
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
    case when counter.field_code = '*' then 'Tổng số' else coalesce(field.field_name, counter.field_code) end
        as field_name,
    total.resolved + counter.in_progress as received_total,
    counter.received_online,
    counter.received - counter.received_online as received_direct,
    total.resolved + counter.in_progress - counter.received as carried_over,
    total.resolved as resolved_total,
    counter.resolved_early,
    counter.resolved_on_time,
    counter.resolved_late,
    counter.in_progress as in_progress_total,
    counter.in_progress - counter.overdue as in_progress_in_time,
    counter.overdue as in_progress_overdue,
    counter.withdrawn,
    counter.stopped,
    counter.flags,
    publication.publication_id
from rollup.current_publication
join rollup.publication using (publication_id)
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
left join lateral (
    select procedure.field_name
    from ref.procedure
    where procedure.field_code = counter.field_code
    order by procedure.field_name
    limit 1
) as field on true
cross join lateral (select counter.resolved_early + counter.resolved_on_time + counter.resolved_late as resolved) as total
cross join lateral unnest(
    case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
) as basis (basis)
where not 'withheld' = any(counter.flags)
and (total.resolved <> 0 or counter.in_progress <> 0 or counter.received <> 0);

-- Communes side by side: bounds instead of naked ranks, the province's own rate as the yardstick of the bands.
create view mart.ranking as
with
commune as (
    select
        period_calendar, period_kind, period_label, metric_id, profile, basis, unit_code, unit_name, numerator,
        denominator, rate, denominator >= 30 as ranked,
        1.959964 * 1.959964 as z2
    from mart.kpi
    where unit_level = 'commune' and field_code = '*' and denominator > 0
),
bounded as (
    select
        commune.*,
        (rate + z2 / (2 * denominator)) / (1 + z2 / denominator) as centre,
        1.959964 * sqrt(rate * (1 - rate) / denominator + z2 / (4 * denominator::numeric * denominator))
            / (1 + z2 / denominator) as margin
    from commune
)
select
    bounded.period_calendar,
    bounded.period_kind,
    bounded.period_label,
    province.unit_code as province_code,
    bounded.metric_id,
    bounded.profile,
    bounded.basis,
    bounded.unit_code,
    bounded.unit_name,
    bounded.numerator,
    bounded.denominator,
    bounded.rate,
    greatest(centre - margin, 0)::numeric(9, 6) as lower_bound,
    least(centre + margin, 1)::numeric(9, 6) as upper_bound,
    case when bounded.ranked then rank() over (
        partition by bounded.period_calendar, bounded.period_kind, bounded.period_label, bounded.metric_id,
            bounded.profile, bounded.basis, bounded.ranked
        order by bounded.rate desc
    ) end::int as rank,
    case
        when not bounded.ranked then 'ít hồ sơ'
        when centre - margin > province.rate then 'cao hơn tỉnh'
        when centre + margin < province.rate then 'thấp hơn tỉnh'
        else 'ngang tỉnh'
    end as band,
    bounded.ranked
from bounded
join mart.kpi as province
    on province.unit_level = 'province'
    and (province.period_calendar, province.period_kind, province.period_label, province.metric_id, province.profile,
        province.basis, province.field_code)
    = (bounded.period_calendar, bounded.period_kind, bounded.period_label, bounded.metric_id, bounded.profile,
        bounded.basis, '*');

-- Index 766 as far as dossiers tell it; a component they cannot tell is missing, neither zero nor full.
create view mart.index_766 as
with told as (
    select distinct period_calendar, period_kind, period_label, unit_code, publication_id
    from mart.kpi
    where field_code = '*' and basis = 'as_reported'
)
select
    told.period_calendar,
    told.period_kind,
    told.period_label,
    told.unit_code,
    component.group_code,
    component.component_id,
    kpi.numerator,
    kpi.denominator,
    case when kpi.denominator > 0 then
        least(component.max_points, component.max_points * kpi.numerator / (kpi.denominator * component.full_at))
    end::numeric(6, 3) as points,
    component.max_points,
    kpi.numerator is null as missing,
    told.publication_id
from told
cross join ref.index_component as component
left join mart.kpi
    on kpi.field_code = '*'
    and kpi.basis = 'as_reported'
    and (kpi.period_calendar, kpi.period_kind, kpi.period_label, kpi.unit_code)
        = (told.period_calendar, told.period_kind, told.period_label, told.unit_code)
    and (kpi.metric_id, kpi.profile) = (component.metric_id, component.profile);

-- Who owes which source a report, how often, and from when until when: reporting.toml says so, a unit that has ceased
-- to exist owes nothing any more, though its old dossiers are still told of.
create view mart.expected_reporter as
with
named as (
    select rule.source_id, delivery_unit.unit_code, min(delivery.night) as since
    from ref.expected_reporter as rule
    join core.delivery using (source_id)
    join core.delivery_unit using (delivery_id)
    where rule.units = 'named'
    group by rule.source_id, delivery_unit.unit_code
    union all
    select rule.source_id, unit.unit_code, first.night
    from ref.expected_reporter as rule
    join ref.unit
        on unit.level = case rule.units when 'communes' then 'commune' when 'departments' then 'department' end
        or unit.unit_code = any(rule.unit_codes)
    cross join (select min(night) as night, max(night) as newest from core.delivery) as first
    where first.newest between unit.valid_from and unit.valid_to
)
select
    named.source_id,
    named.unit_code,
    rule.every,
    rule.working_days,
    named.since,
    (select max(valid_to) from ref.unit where unit.unit_code = named.unit_code) as until
from named
join ref.expected_reporter as rule using (source_id)
where rule.every <> 'never';

-- Who was expected to report, from which source, on which night or for which period (its last day stands for the
-- night), and whether they did: reporting.toml says who and by when. A report whose figures are all 0 is a reported zero.
create view mart.coverage as
with
heard as (
    select delivery.source_id, delivery.night, delivery_unit.unit_code, min(delivery.recorded_at) as reported_at
    from core.delivery
    join core.delivery_unit using (delivery_id)
    group by delivery.source_id, delivery.night, delivery_unit.unit_code
),
told as (
    select delivery.source_id, reported.calendar, reported.kind, reported.label, reported.unit_code,
        min(delivery.recorded_at) as reported_at, sum(reported.value) = 0 as is_zero
    from core.reported
    join core.delivery using (delivery_id)
    where delivery.verdict in ('loaded', 'loaded_with_quarantine')
    group by delivery.source_id, reported.calendar, reported.kind, reported.label, reported.unit_code
),
turn as (
    select rule.source_id, period.calendar, period.label, period.kind, night.night as due_from, rule.working_days, false
        as is_period
    from ref.expected_reporter as rule
    cross join (
        select night from core.delivery
        union
        select night from alerts.dispatch where night is not null  -- a night that ran and brought nothing
    ) as night
    join ref.period on period.kind = 'month' and night.night between period.start_on and period.end_on
    where rule.every = 'night'
    union all
    select rule.source_id, period.calendar, period.label, period.kind, period.end_on, rule.working_days, true
    from ref.expected_reporter as rule
    join ref.period on period.kind = rule.every and period.calendar = 'VPCP_15_14'
    cross join (select min(night) as oldest, max(night) as newest from core.delivery) as known
    where period.end_on between known.oldest and known.newest
        or exists (select from told where (told.source_id, told.kind, told.label)
            = (rule.source_id, period.kind, period.label))
),
due as (
    select turn.*, coalesce(deadline.day, turn.due_from + turn.working_days) as last_day
    from turn
    left join ref.calendar as start on start.day = turn.due_from
    left join lateral (
        select min(day) as day from ref.calendar where working_index = start.working_index + turn.working_days
    ) as deadline on true
)
select
    due.calendar as period_calendar,
    due.label as period_label,
    due.due_from as night,
    due.source_id,
    named.unit_code,
    true as expected,
    case
        when reported.at is null and now() < due.last_day + 1 then 'not_due'
        when reported.at is null then 'missing'
        when told.is_zero then 'zero'
        when reported.at < due.last_day + 1 then 'on_time'
        else 'late'
    end as state,
    reported.at as reported_at,
    due.last_day as due_on
from due
join mart.expected_reporter as named
    on named.source_id = due.source_id
    and due.due_from <= named.until
    and (due.is_period or named.since <= due.due_from)
left join heard
    on not due.is_period
    and (heard.source_id, heard.night, heard.unit_code) = (due.source_id, due.due_from, named.unit_code)
left join told
    on due.is_period
    and (told.source_id, told.calendar, told.kind, told.label, told.unit_code)
        = (due.source_id, due.calendar, due.kind, due.label, named.unit_code)
cross join lateral (select coalesce(heard.reported_at, told.reported_at) as at) as reported;

-- What a publication changed of the one before it, and why. Figures that are new with a period are not restated.
create view mart.restatement as
with
moved as (
    select
        publication.publication_id,
        coalesce((pair.new).calendar, (pair.old).calendar) as calendar,
        coalesce((pair.new).kind, (pair.old).kind) as kind,
        coalesce((pair.new).label, (pair.old).label) as label,
        coalesce((pair.new).unit_code, (pair.old).unit_code) as unit_code,
        coalesce((pair.new).field_code, (pair.old).field_code) as field_code,
        coalesce((pair.new).basis, (pair.old).basis) as basis,
        pair.old, pair.new, publication.night, before.night as night_before, publication.based_on,
        publication.definition_version <> before.definition_version as redefined,
        split_part(publication.based_on, ',', 3) <> split_part(before.based_on, ',', 3) as reference_changed
    from rollup.publication
    join rollup.publication as before on before.publication_id = publication.publication_id - 1
    cross join lateral (
        select old.counter as old, new.counter as new
        from (
            select counter from rollup.counter where last_publication = publication.publication_id - 1
        ) as old
        full join (
            select counter from rollup.counter where first_publication = publication.publication_id
        ) as new
            on ((old.counter).calendar, (old.counter).kind, (old.counter).label, (old.counter).unit_code,
                (old.counter).field_code, (old.counter).basis)
            = ((new.counter).calendar, (new.counter).kind, (new.counter).label, (new.counter).unit_code,
                (new.counter).field_code, (new.counter).basis)
    ) as pair
),
figure as (
    select moved.*, metric.metric_id, metric.profile, metric.numerator as new_numerator,
        metric.denominator as new_denominator, before.numerator as old_numerator,
        before.denominator as old_denominator
    from moved
    cross join lateral (select (moved.new).*) as counter
    cross join lateral (values
    :metrics
    ) as metric (metric_id, profile, numerator, denominator)
    cross join lateral (
        select earlier.numerator, earlier.denominator
        from (select (moved.old).*) as counter
        cross join lateral (values
    :metrics
        ) as earlier (metric_id, profile, numerator, denominator)
        where earlier.metric_id = metric.metric_id and earlier.profile = metric.profile
    ) as before
)
select
    figure.publication_id,
    figure.calendar as period_calendar,
    figure.kind as period_kind,
    figure.label as period_label,
    figure.unit_code,
    basis.basis,
    figure.field_code,
    figure.metric_id,
    figure.profile,
    coalesce(figure.old_numerator, 0) as old_numerator,
    case when figure.new_denominator is not null or figure.old_denominator is not null
        then coalesce(figure.old_denominator, 0) end as old_denominator,
    coalesce(figure.new_numerator, 0) as new_numerator,
    case when figure.new_denominator is not null or figure.old_denominator is not null
        then coalesce(figure.new_denominator, 0) end as new_denominator,
    case
        when figure.redefined then 'definition'
        when figure.reference_changed then 'geography'
        when figure.night_before < period.end_on and figure.night > figure.night_before then 'time'
        else 'file'
    end as cause,
    figure.based_on as cause_ref
from figure
join ref.period using (calendar, kind, label)
cross join lateral unnest(
    case figure.basis when '*' then array['as_reported', 'current_boundary'] else array[figure.basis] end
) as basis (basis)
where period.start_on <= figure.night_before
and (coalesce(figure.old_numerator, 0), coalesce(figure.old_denominator, 0))
    <> (coalesce(figure.new_numerator, 0), coalesce(figure.new_denominator, 0));

create view mart.flow_day as
select day, unit_code, nullif(field_code, '') as field_code, received, resolved_early, resolved_on_time, resolved_late
from rollup.flow_day;

create view mart.dossier_status_day as
select night, unit_code, nullif(field_code, '') as field_code, open, overdue, due_within_3_working_days, paused
from rollup.status_day;

create view mart.data_quality as
with
delivery as (  -- a rejected file that was judged again is shown by its last judgement
    select distinct on (source_id, night, file_sha256) *
    from core.delivery
    order by source_id, night, file_sha256, delivery_id desc
),
unit as (
    select delivery_id, case when count(*) = 1 then min(unit_code) end as unit_code
    from core.delivery_unit
    group by delivery_id
)
select
    delivery.night,
    delivery.source_id,
    unit.unit_code,
    delivery.file_name,
    delivery.file_sha256,
    delivery.verdict,
    coalesce(concat_ws(': ', delivery.reason, delivery.detail), '') as reason,
    null::text as rule_id,
    delivery.rows_read,
    delivery.rows_accepted,
    delivery.rows_quarantined,
    delivery.rows_dropped,
    delivery.rows_duplicate
from delivery
left join unit using (delivery_id)
union all
select
    delivery.night,
    delivery.source_id,
    unit.unit_code,
    delivery.file_name,
    delivery.file_sha256,
    delivery.verdict,
    coalesce(finding.detail, ''),
    finding.rule_id,
    delivery.rows_read,
    case when finding.severity in ('warning', 'drift') then finding.row_count else 0 end,
    case when finding.severity = 'quarantine' then finding.row_count else 0 end,
    case when finding.severity = 'dropped' then finding.row_count else 0 end,
    0
from core.delivery_finding as finding
join delivery using (delivery_id)
left join unit using (delivery_id)
union all
select  -- what a portal failed to deliver has no bytes
    night,
    source_id,
    nullif(unit_code, '*'),
    file_name,
    file_sha256,
    'rejected',
    concat_ws(': ', reason, detail),
    null,
    0,
    0,
    0,
    0,
    0
from core.fetch
where outcome = 'failed';

-- What summary reports told, cell by cell, the newest word of each, beside what the dossiers give.
create view mart.reported as
select
    reported.calendar as period_calendar,
    reported.kind as period_kind,
    reported.label as period_label,
    period.start_on as period_start,
    period.end_on as period_end,
    reported.unit_code,
    place.full_name as unit_name,
    reported.field_code,
    reported.measure,
    measure.title as measure_name,
    measure.profile,
    measure.recomputed as counters,
    reported.reported,
    reported.recomputed,
    reported.reported - reported.recomputed as difference,
    reported.source_id,
    reported.layout_id as report,
    reported.file_name,
    nullif(reported.sheet, '') as sheet,
    reported.row_no,
    reported.night,
    current_publication.publication_id
from rollup.current_publication
cross join rollup.reported
join ref.period using (calendar, kind, label)
join ref.measure using (measure)
cross join lateral (
    select unit.full_name
    from ref.unit
    where unit.unit_code = reported.unit_code
    order by period.end_on between unit.valid_from and unit.valid_to desc, unit.valid_from desc
    limit 1
) as place;

create view mart.reported_difference as
select reported.*
from mart.reported
where difference <> 0;

-- Grain: night, source, expectation of a suite. What every rule said, also those that met nothing to judge.
create view mart.judgement as
select
    night,
    source_id,
    suite,
    position,
    rule_id,
    sum(rows_judged)::bigint as rows_judged,
    sum(rows_failed)::bigint as rows_failed
from core.judgement
group by night, source_id, suite, position, rule_id;
