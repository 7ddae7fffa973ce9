-- What units stated themselves, with the columns of mart.kpi_history. Here a row of 0 over 0 is a word, and no row is not
-- zero but unknown. Not for analysts: mart.kpi_history reads it.
create view rollup.manual_figure as
select
    manual.calendar as period_calendar,
    manual.kind as period_kind,
    manual.label as period_label,
    period.start_on as period_start,
    period.end_on as period_end,
    least(period.end_on, publication.night) as as_of,
    place.level as unit_level,
    manual.unit_code,
    place.full_name as unit_name,
    basis.basis,
    '*' as field_code,
    manual.indicator as metric_id,
    '*' as profile,
    manual.numerator,
    manual.denominator,
    (manual.numerator::numeric / nullif(manual.denominator, 0))::numeric(9, 6) as rate,
    manual.units_expected,
    manual.units_reported,
    case
        when publication.night < period.end_on then 'interim'
        when manual.units_reported < manual.units_expected * (select floor from ref.coverage_floor) then 'provisional'
        else 'final'
    end as status,
    manual.flags,
    manual.version as definition_version,
    publication.publication_id
from rollup.publication
join rollup.manual
    on manual.first_publication <= publication.publication_id
    and (manual.last_publication is null or manual.last_publication >= publication.publication_id)
join ref.period using (calendar, kind, label)
cross join lateral (
    select unit.level, unit.full_name
    from ref.unit
    where unit.unit_code = manual.unit_code
    order by least(period.end_on, publication.night) between unit.valid_from and unit.valid_to desc, unit.valid_from desc
    limit 1
) as place
cross join lateral unnest(
    case manual.basis when '*' then array['as_reported', 'current_boundary'] else array[manual.basis] end
) as basis (basis);

-- What a publication changed of it. A figure that was taken back, or stated for the first time, has no counts on that side.
create view rollup.manual_restatement as
with
step as (
    select
        publication_id, based_on,
        lag(night) over earlier as night_before,
        lag(based_on) over earlier as based_before
    from rollup.publication
    window earlier as (order by publication_id)
),
word as (
    select manual.*, based.basis as on_basis
    from rollup.manual
    cross join lateral unnest(
        case manual.basis when '*' then array['as_reported', 'current_boundary'] else array[manual.basis] end
    ) as based (basis)
)
select
    step.publication_id,
    pair.calendar as period_calendar,
    pair.kind as period_kind,
    pair.label as period_label,
    pair.unit_code,
    pair.on_basis as basis,
    '*' as field_code,
    pair.indicator as metric_id,
    '*' as profile,
    pair.old_numerator,
    pair.old_denominator,
    pair.new_numerator,
    pair.new_denominator,
    coalesce(cause.cause, case
        when split_part(step.based_on, ', reference', 1) = split_part(step.based_before, ', reference', 1) then 'rule'
        else 'file'
    end) as cause,
    coalesce(cause.cause_ref, step.based_before || ' → ' || step.based_on) as cause_ref
from step
cross join lateral (
    select
        calendar, kind, label, unit_code, on_basis, indicator, old.version as version_before, new.version,
        old.numerator as old_numerator, old.denominator as old_denominator,
        new.numerator as new_numerator, new.denominator as new_denominator
    from (select * from word where last_publication = step.publication_id - 1) as old
    full join (select * from word where first_publication = step.publication_id) as new
        using (calendar, kind, label, unit_code, on_basis, indicator)
) as pair
join ref.period using (calendar, kind, label)
cross join lateral (
    select
        min(first_cause) as cause,
        string_agg(
            case when reason.cause <> first_cause then reason.cause || ': ' else '' end || reason.cause_ref,
            '; ' order by reason.rank, reason.cause_ref
        ) as cause_ref
    from (
        select told.*, first_value(told.cause) over (order by told.rank, told.cause_ref) as first_cause
        from (
            select
                1 as rank, 'definition' as cause,
                concat_ws(' ', pair.indicator, pair.version_before, '→', pair.version) as cause_ref
            where pair.version <> pair.version_before
            union all
            select array_position(array['geography', 'rule', 'file'], known.cause) + 1, known.cause, known.cause_ref
            from rollup.cause as known
            where known.publication_id = step.publication_id
            and known.unit_code in (pair.unit_code, '*')
            and known.cause in ('geography', 'rule', 'file')
            and (known.cause <> 'geography' or pair.on_basis = 'current_boundary')
        ) as told
    ) as reason
) as cause
where period.start_on <= step.night_before
and (pair.old_numerator, pair.old_denominator) is distinct from (pair.new_numerator, pair.new_denominator);
