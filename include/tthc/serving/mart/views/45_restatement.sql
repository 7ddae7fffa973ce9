-- What a publication changed of the one before it, and why. Figures that are new with a period or a metric are not
-- restated. Where another version of a definition is in force than before, a figure is restated without its counters
-- having changed. The causes of a unit stand in rollup.cause (rollups/sql/99_cause.sql); of several that can explain the
-- figure the first is its cause, and the reference tells all.
create view mart.restatement as
with
step as not materialized (  -- so that who asks about one publication waits for one
    select
        publication.publication_id,
        publication.night,
        publication.based_on,
        publication.registry_id,
        before.publication_id as before_id,
        before.night as night_before,
        before.registry_id as registry_before,
        -- where no cause is noted: what the publication rests on tells whether anything came in
        case when split_part(publication.based_on, ', reference', 1) = split_part(before.based_on, ', reference', 1)
            then 'rule' else 'file' end as else_cause,
        before.based_on || ' → ' || publication.based_on as else_ref
    from rollup.publication
    cross join lateral (
        select earlier.*
        from rollup.publication as earlier
        where earlier.publication_id < publication.publication_id
        order by earlier.publication_id desc
        limit 1
    ) as before
),
pair as (
    select step.publication_id, moved.old, moved.new, moved.basis, true as is_recounted
    from step
    cross join lateral (
        -- a figure told once for both bases may be told apart afterwards, or the other way round
        select old.counter as old, new.counter as new, coalesce(new.basis, old.basis) as basis
        from (
            select counter, based.basis
            from rollup.counter
            cross join lateral unnest(
                case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
            ) as based (basis)
            where last_publication = step.publication_id - 1
        ) as old
        full join (
            select counter, based.basis
            from rollup.counter
            cross join lateral unnest(
                case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
            ) as based (basis)
            where first_publication = step.publication_id
        ) as new
            on ((old.counter).calendar, (old.counter).kind, (old.counter).label, (old.counter).unit_code,
                (old.counter).field_code, old.basis)
            = ((new.counter).calendar, (new.counter).kind, (new.counter).label, (new.counter).unit_code,
                (new.counter).field_code, new.basis)
    ) as moved
    union all
    select step.publication_id, counter, counter, based.basis, false
    from step
    cross join rollup.counter
    cross join lateral unnest(
        case counter.basis when '*' then array['as_reported', 'current_boundary'] else array[counter.basis] end
    ) as based (basis)
    where step.registry_id <> step.registry_before
    and counter.first_publication <= step.before_id
    and (counter.last_publication is null or counter.last_publication >= step.publication_id)
),
moved as (
    select
        step.*,
        coalesce((pair.new).calendar, (pair.old).calendar) as calendar,
        coalesce((pair.new).kind, (pair.old).kind) as kind,
        coalesce((pair.new).label, (pair.old).label) as label,
        coalesce((pair.new).unit_code, (pair.old).unit_code) as unit_code,
        coalesce((pair.new).field_code, (pair.old).field_code) as field_code,
        pair.basis,
        pair.is_recounted,
        pair.old,
        pair.new,
        coalesce('withheld' = any((pair.old).flags), false) as old_withheld,
        coalesce('withheld' = any((pair.new).flags), false) as new_withheld
    from pair
    join step using (publication_id)
),
figure as (
    select
        moved.*,
        period.end_on,
        after.metric_id,
        after.profile,
        before.version as version_before,
        after.version,
        definition.numerator || ' ' || coalesce(definition.denominator, '') as counters,
        case when not moved.old_withheld then coalesce(before.numerator, 0) end as old_numerator,
        case when not moved.old_withheld and has.denominator then coalesce(before.denominator, 0) end as old_denominator,
        case when not moved.new_withheld then coalesce(after.numerator, 0) end as new_numerator,
        case when not moved.new_withheld and has.denominator then coalesce(after.denominator, 0) end as new_denominator
    from moved
    join ref.period using (calendar, kind, label)
    join ref.registry_entry as entry
        on entry.registry_id = moved.registry_id and period.end_on between entry.valid_from and entry.valid_to
    join ref.registry_entry as entry_before
        on entry_before.registry_id = moved.registry_before
        and (entry_before.metric_id, entry_before.profile) = (entry.metric_id, entry.profile)
        and period.end_on between entry_before.valid_from and entry_before.valid_to
    join ref.definition
        on (definition.metric_id, definition.profile, definition.version)
        = (entry.metric_id, entry.profile, entry.version)
    cross join lateral (
        select metric.*
        from (select (moved.new).*) as counter
        cross join lateral (values
    :metrics
        ) as metric (metric_id, profile, version, numerator, denominator)
        where (metric.metric_id, metric.profile, metric.version) = (entry.metric_id, entry.profile, entry.version)
    ) as after
    cross join lateral (
        select metric.*
        from (select (moved.old).*) as counter
        cross join lateral (values
    :metrics
        ) as metric (metric_id, profile, version, numerator, denominator)
        where (metric.metric_id, metric.profile, metric.version)
            = (entry_before.metric_id, entry_before.profile, entry_before.version)
    ) as before
    cross join lateral (
        select coalesce(after.denominator, before.denominator) is not null as denominator
    ) as has
    where period.start_on <= moved.night_before
)
select
    figure.publication_id,
    figure.calendar as period_calendar,
    figure.kind as period_kind,
    figure.label as period_label,
    figure.unit_code,
    figure.basis,
    figure.field_code,
    figure.metric_id,
    figure.profile,
    figure.old_numerator,
    figure.old_denominator,
    figure.new_numerator,
    figure.new_denominator,
    coalesce(cause.cause, figure.else_cause) as cause,
    coalesce(cause.cause_ref, figure.else_ref) as cause_ref
from figure
cross join lateral (
    select
        min(first_cause) as cause,
        string_agg(
            case when reason.cause <> first_cause then reason.cause || ': ' else '' end || reason.cause_ref,
            '; ' order by reason.rank, reason.cause_ref
        ) as cause_ref
    from (
        select known.*, first_value(known.cause) over (order by known.rank, known.cause_ref) as first_cause
        from (
            select 1 as rank, 'definition' as cause,
                concat_ws(' ', figure.metric_id, figure.profile, figure.version_before, '→', figure.version)
                    as cause_ref
            where figure.version <> figure.version_before
            union all
            select
                2, 'time', to_char(figure.night_before, 'YYYY-MM-DD') || ' → ' || to_char(figure.night, 'YYYY-MM-DD')
            where figure.is_recounted and figure.night_before < figure.end_on and figure.night > figure.night_before
            union all
            select
                case
                    when known.cause = 'geography' and figure.basis = 'current_boundary' then 3
                    when known.cause in ('procedures', 'calendar') then 4
                    when known.cause = 'rule' then 5
                    when known.cause in ('file', 'catalogue') then 6
                    else 7
                end,
                case
                    when known.cause in ('procedures', 'calendar') then 'rule'
                    when known.cause = 'catalogue' then 'file'
                    else known.cause
                end,
                known.cause_ref
            from rollup.cause as known
            where figure.is_recounted
            and known.publication_id = figure.publication_id
            and known.unit_code in (figure.unit_code, '*')
            and case known.cause
                when 'procedures' then figure.field_code <> '*' or figure.counters ~ 'yielding|result|full|index'
                when 'calendar' then figure.counters ~ 'index'
                when 'catalogue' then figure.field_code <> '*'
                else true
            end
        ) as known
    ) as reason
) as cause
where (figure.old_numerator, figure.old_denominator) is distinct from (figure.new_numerator, figure.new_denominator)
union all
select * from rollup.manual_restatement;
