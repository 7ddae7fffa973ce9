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
