-- From a figure of the current publication to the rows of files behind it: one row a dossier, and where a form II.06 or
-- the like is the figure, one row of that form, without a dossier; of a figure that units stated themselves the lines
-- that state it, with their cells. Rests on the texts that build the figures.
create function mart.explain(
    metric_id text, unit_code text, period_label text, period_calendar text default 'VPCP_15_14',
    profile text default null, basis text default 'as_reported', field_code text default '*'
)
returns table (
    dossier_key uuid, in_numerator boolean, in_denominator boolean, source_id text, night date, file_name text,
    file_sha256 text, layout_id text, layout_version text, sheet text, row_no int, rule_results text[],
    definition_version text, publication_id bigint, cells text[]
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set jit = off
set work_mem = '128MB'  -- as the figures are built
set enable_nestloop = off  -- nothing is known of how large the parts of WITH are: the planner takes them for tiny
as $explain$
#variable_conflict use_column
declare
    chosen text := coalesce(explain.profile, (
        select case when bool_or(entry.profile = 'TT01_06A') then 'TT01_06A' when count(distinct entry.profile) = 1
            then min(entry.profile) else '*' end
        from rollup.current_publication
        join rollup.publication using (publication_id)
        join ref.registry_entry as entry using (registry_id)
        where entry.metric_id = explain.metric_id
    ));
begin
    if explain.basis not in ('as_reported', 'current_boundary') then
        raise invalid_parameter_value using message = 'basis is as_reported or current_boundary';
    end if;
    if not exists (
        select from ref.period
        where period.calendar = explain.period_calendar and period.label = explain.period_label
    ) then
        raise invalid_parameter_value using message = format('no period %s in calendar %s', period_label, period_calendar);
    end if;
    if chosen = '*' and exists (select from ref.manual_indicator where indicator = explain.metric_id) then
        return query
        with
        :as_cte(tonight_published)
        select
            null::uuid, told.numerator > 0, told.denominator > 0, told.source_id, told.night, told.file_name,
            delivery.file_sha256, delivery.layout_id, delivery.reference, nullif(told.sheet, ''), told.row_no,
            coalesce((
                select array_agg('row: ' || rule_id || ' ' || state order by ordinal)
                from core.quarantine
                where quarantine.delivery_id = told.delivery_id and quarantine.row_no = told.row_no
            ), '{}') || coalesce((
                select array_agg('file: ' || rule_id || ' ' || severity order by rule_id)
                from core.delivery_finding
                where delivery_finding.delivery_id = told.delivery_id
            ), '{}'),
            indicator.version, tonight.publication_id, array_remove(array[told.numerator_cell, told.denominator_cell], null)
        from rollup.manual_told as told
        join ref.manual_indicator as indicator using (indicator)
        join core.delivery using (delivery_id)
        cross join tonight
        where told.indicator = explain.metric_id and explain.field_code = '*'
        and (told.calendar, told.label) = (explain.period_calendar, explain.period_label)
        and explain.unit_code in (
            case when explain.basis = 'as_reported' then told.unit_code else told.current_code end,
            case when indicator.summed then tonight.province end
        )
        order by told.unit_code;
        return;
    end if;
    if not exists (
        select from rollup.current_publication
        join rollup.publication using (publication_id)
        join ref.registry_entry as entry using (registry_id)
        where entry.metric_id = explain.metric_id and entry.profile = chosen
    ) then
        raise invalid_parameter_value using message = format('no metric %s with profile %s', explain.metric_id, chosen);
    end if;
    return query
    with
    :as_cte(tonight_published),
    asked as (
        select period.calendar, period.label, period.end_on, entry.version, definition.numerator, definition.denominator
        from tonight
        join ref.registry_entry as entry using (registry_id)
        join ref.definition using (metric_id, profile, version)
        join ref.period on period.end_on between entry.valid_from and entry.valid_to
        where entry.metric_id = explain.metric_id and entry.profile = chosen
        and period.calendar = explain.period_calendar and period.label = explain.period_label
    ),
    part as (
        select side.side, word.word[2] as counter, case word.word[1] when '+' then 1 else -1 end as sign
        from asked
        cross join lateral (values ('numerator', asked.numerator), ('denominator', asked.denominator)) as side (side, words)
        cross join lateral regexp_matches('+ ' || side.words, '([+-]) (\w+)', 'g') as word (word)
    ),
    :as_cte(15_place),
    spot as (
        select place.*
        from place
        where explain.unit_code = (select province from tonight)
        or explain.unit_code = case when explain.basis = 'current_boundary' then current_code else place.unit_code end
        or explain.unit_code = former_province and explain.basis = 'as_reported'
    ),
    known as (  -- no more than can be behind the figure
        select *
        from core.dossier
        where dossier.unit_code in (select spot.unit_code from spot)
        and dossier.received_on <= (select end_on from asked)
    ),
    :as_cte(20_state),
    :as_cte(30_period_day),
    :as_cte(40_received_row),
    :as_cte(50_ended_row),
    :as_cte(60_open_row),
    :as_cte(61_told_by),
    :as_cte(66_form),
    :as_cte(behind),
    here as (
        select *
        from behind
        where behind.calendar = explain.period_calendar and behind.label = explain.period_label
    ),
    counted as (
        select
            here.dossier_key,
            here.version_id,
            coalesce(sum(said.numerator) > 0, false) as in_numerator,
            coalesce(sum(said.denominator) > 0, false) as in_denominator
        from here
        join spot using (place_id)
        cross join lateral (
            select
                sum(sign) filter (where side = 'numerator') as numerator,
                sum(sign) filter (where side = 'denominator') as denominator
            from part
            where here.counters -> part.counter = 'true'
        ) as said
        where explain.field_code in ('*', here.field_code)
        group by here.dossier_key, here.version_id
    ),
    line as (
        select
            counted.dossier_key, counted.in_numerator, counted.in_denominator, version.delivery_id, version.sheet,
            version.row_no
        from counted
        cross join lateral (
            select delivery_id, sheet, row_no
            from core.dossier_version
            where dossier_version.version_id = counted.version_id
            offset 0  -- by its number, not by reading all versions
        ) as version
        where counted.in_numerator or counted.in_denominator
        union all
        select
            null, coalesce(said.numerator <> 0, false), coalesce(said.denominator <> 0, false), form.delivery_id,
            form.sheet, form.row_no
        from form
        join spot using (place_id)
        cross join lateral (
            select
                sum(sign * (to_jsonb(form) ->> counter)::bigint) filter (where side = 'numerator') as numerator,
                sum(sign * (to_jsonb(form) ->> counter)::bigint) filter (where side = 'denominator') as denominator
            from part
        ) as said
        where form.calendar = explain.period_calendar and form.label = explain.period_label
        and explain.field_code in ('*', form.field_code)
        and (said.numerator <> 0 or said.denominator <> 0)
        and not exists (
            select from here
            join place as counted using (place_id)
            where counted.unit_code = form.unit_code
        )
    ),
    finding as (
        select delivery_id, array_agg('file: ' || rule_id || ' ' || severity order by rule_id) as said
        from core.delivery_finding
        group by delivery_id
    ),
    refusal as (
        select delivery_id, quarantine.sheet, quarantine.row_no,
            array_agg('row: ' || rule_id || ' ' || state order by ordinal) as said
        from core.quarantine
        group by delivery_id, quarantine.sheet, quarantine.row_no
    )
    select
        line.dossier_key, line.in_numerator, line.in_denominator, delivery.source_id, delivery.night, delivery.file_name,
        delivery.file_sha256, delivery.layout_id, delivery.reference, line.sheet, line.row_no,
        coalesce(refusal.said, '{}') || coalesce(finding.said, '{}'),
        asked.version, tonight.publication_id, null::text[]
    from line
    join core.delivery using (delivery_id)
    left join finding using (delivery_id)
    left join refusal using (delivery_id, sheet, row_no)
    cross join asked
    cross join tonight
    order by delivery.source_id, delivery.file_name, line.sheet, line.row_no, line.dossier_key;
end
$explain$;
