-- The province's systems beside the national portal, dossier by dossier, by the period of receipt, unit as reported and
-- field. Only units of which both have told a dossier of the period: of others one side was not delivered, which mart.coverage tells.
-- The province is the sum of these units.
create view mart.source_difference as
with
told as not materialized (  -- of the periods that are asked for
    select
        period.calendar, period.kind, period.label, source_day.unit_code, source_day.field_code,
        sum(only_province) as only_province, sum(only_nation) as only_nation, sum(in_both) as in_both,
        sum(differing) as differing, sum(status_differs) as status_differs, sum(unit_differs) as unit_differs,
        sum(procedure_differs) as procedure_differs, sum(received_differs) as received_differs,
        sum(due_differs) as due_differs, sum(finished_differs) as finished_differs
    from rollup.source_day
    join ref.period on source_day.day between period.start_on and period.end_on
    group by period.calendar, period.kind, period.label, source_day.unit_code, source_day.field_code
),
told_by_both as (
    select calendar, kind, label, unit_code
    from told
    group by calendar, kind, label, unit_code
    having sum(in_both + only_province) > 0 and sum(in_both + only_nation) > 0
),
summed as (  -- no GROUPING SETS: they would work out every period before one is chosen
    select
        calendar, kind, label, place.unit_code, field.field_code,
        sum(in_both + only_province + only_nation)::bigint as dossiers,
        sum(only_province)::bigint as only_province,
        sum(only_nation)::bigint as only_nation,
        sum(in_both)::bigint as in_both,
        sum(differing)::bigint as differing,
        sum(status_differs)::bigint as status_differs,
        sum(unit_differs)::bigint as unit_differs,
        sum(procedure_differs)::bigint as procedure_differs,
        sum(received_differs)::bigint as received_differs,
        sum(due_differs)::bigint as due_differs,
        sum(finished_differs)::bigint as finished_differs
    from told
    join told_by_both using (calendar, kind, label, unit_code)
    cross join lateral (
        values (told.unit_code), ((select min(hmac_key.province) from core.hmac_key))
    ) as place (unit_code)
    cross join lateral (values (told.field_code), ('*')) as field (field_code)
    where field.field_code <> ''  -- a dossier of no known field is in '*' only
    group by calendar, kind, label, place.unit_code, field.field_code
)
select
    summed.calendar as period_calendar,
    summed.kind as period_kind,
    summed.label as period_label,
    period.start_on as period_start,
    period.end_on as period_end,
    place.level as unit_level,
    summed.unit_code,
    place.full_name as unit_name,
    summed.field_code,
    summed.dossiers,
    summed.only_province,
    summed.only_nation,
    summed.in_both,
    summed.differing,
    summed.status_differs,
    summed.unit_differs,
    summed.procedure_differs,
    summed.received_differs,
    summed.due_differs,
    summed.finished_differs,
    publication.night,
    publication.publication_id
from rollup.current_publication
join rollup.publication using (publication_id)
cross join summed
join ref.period using (calendar, kind, label)
cross join lateral (
    select unit.level, unit.full_name
    from ref.unit
    where unit.unit_code = summed.unit_code
    order by least(period.end_on, publication.night) between unit.valid_from and unit.valid_to desc, unit.valid_from desc
    limit 1
) as place;
