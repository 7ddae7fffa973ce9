-- From a figure to the rows of files behind it: one row a dossier, and where a form II.06 or the like is the figure, one row
-- of that form, without a dossier; of a figure that units stated themselves the lines that state it, with their cells; of
-- a count of mart.source_difference a row a side that tells the dossier, of which the one that figures count adds to it.
-- `metric_id` is a metric, a measure of reports (as the columns of mart.form_06a are called) or a count of
-- mart.source_difference. `numerator` and `denominator` are what a row adds to the figure; the totals are those of all rows,
-- also where `most` and `beyond` ask for a part of them, in the order in which they were loaded. Of an older publication
-- (`of_publication`) the rows are those known to it, placed by the units, calendar and procedures of today.
-- `reported_unit` is the unit the row named; `weight` the declared part of that unit's dossiers that went to the unit of a
-- figure on today's boundary, NULL where no split was divided. Rests on the texts that build the figures.
create function mart.explain(
    metric_id text, unit_code text, period_label text, period_calendar text default 'VPCP_15_14',
    profile text default null, basis text default 'as_reported', field_code text default '*',
    most int default null, beyond int default 0, of_publication bigint default null
)
returns table (
    dossier_key uuid, in_numerator boolean, in_denominator boolean, source_id text, night date, file_name text,
    file_sha256 text, layout_id text, layout_version text, sheet text, row_no int, rule_results text[],
    definition_version text, publication_id bigint, cells text[], numerator bigint, denominator bigint,
    total_rows bigint, total_numerator bigint, total_denominator bigint, reported_unit text, weight numeric
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
    of_sides constant text[] := array[
        'dossiers', 'only_province', 'only_nation', 'in_both', 'differing', 'status_differs', 'unit_differs',
        'procedure_differs', 'received_differs', 'due_differs', 'finished_differs'
    ];
    current bigint := (select publication_id from rollup.current_publication);
    published bigint := coalesce(explain.of_publication, current);
    chosen text := coalesce(explain.profile, (
        select case when bool_or(known.profile = 'TT01_06A') then 'TT01_06A' when count(distinct known.profile) = 1
            then min(known.profile) else '*' end
        from (
            select entry.profile
            from rollup.publication
            join ref.registry_entry as entry using (registry_id)
            where publication.publication_id = published and entry.metric_id = explain.metric_id
            union all
            select measure.profile from ref.measure where measure.measure = explain.metric_id
        ) as known
    ));
begin
    if published is not null and not exists (
        select from rollup.publication where publication.publication_id = published
    ) then
        raise invalid_parameter_value using message = format('no publication %s', published);
    end if;
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
        :as_cte(tonight_of),
        :as_cte(15_place),
        :as_cte(82_manual_told)
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
            indicator.version, tonight.publication_id,
            array_remove(array[told.numerator_cell, told.denominator_cell], null), told.numerator, told.denominator,
            count(*) over (), (sum(told.numerator) over ())::bigint, (sum(told.denominator) over ())::bigint,
            told.unit_code, null::numeric
        from manual_told as told
        join ref.manual_indicator as indicator using (indicator)
        join core.delivery using (delivery_id)
        cross join tonight
        where told.indicator = explain.metric_id and explain.field_code = '*'
        and (told.calendar, told.label) = (explain.period_calendar, explain.period_label)
        and explain.unit_code in (
            case when explain.basis = 'as_reported' then told.unit_code else told.current_code end,
            case when indicator.summed then tonight.province end
        )
        order by told.unit_code
        limit explain.most offset explain.beyond;
        return;
    end if;
    if not exists (
        select from rollup.publication
        join ref.registry_entry as entry using (registry_id)
        where publication.publication_id = published and entry.metric_id = explain.metric_id and entry.profile = chosen
        union all
        select from ref.measure
        where measure.measure = explain.metric_id and measure.profile = chosen and measure.recomputed is not null
        union all
        select where chosen = '*' and explain.metric_id = any(of_sides)
    ) then
        raise invalid_parameter_value using message = format('no metric %s with profile %s', explain.metric_id, chosen);
    end if;
    if published <> current and explain.metric_id = any(of_sides) then
        raise invalid_parameter_value using message = 'what the two sides tell is compared in the current publication only';
    end if;
    return query
    with
    :as_cte(tonight_of),
    asked as (  -- the counters that the figure adds up; of a count of the two sides none
        select period.calendar, period.label, period.start_on, period.end_on, meaning.*
        from ref.period
        cross join lateral (
            select entry.version, definition.numerator, definition.denominator
            from tonight
            join ref.registry_entry as entry using (registry_id)
            join ref.definition using (metric_id, profile, version)
            where entry.metric_id = explain.metric_id and entry.profile = chosen
            and period.end_on between entry.valid_from and entry.valid_to
            union all
            select null, measure.recomputed, null from ref.measure
            where measure.measure = explain.metric_id and measure.profile = chosen
            union all
            select null, '', null where explain.metric_id = any(of_sides)
            limit 1
        ) as meaning
        where period.calendar = explain.period_calendar and period.label = explain.period_label
    ),
    part as (
        select side.side, word.word[2] as counter, word.word[1] = '+' as adds, counter.row_kind, counter.bit
        from asked
        cross join lateral (values ('numerator', asked.numerator), ('denominator', asked.denominator)) as side (side, words)
        cross join lateral regexp_matches('+ ' || side.words, '([+-]) (\w+)', 'g') as word (word)
        join (values :counter_bits) as counter (counter, row_kind, bit) on counter.counter = word.word[2]
    ),
    mask as (  -- the bits of the counters that are added and taken away
        select
            coalesce(bit_or(bit) filter (where side = 'numerator' and adds), 0) as inside,
            coalesce(bit_or(bit) filter (where side = 'numerator' and not adds), 0) as not_inside,
            coalesce(bit_or(bit) filter (where side = 'denominator' and adds), 0) as below,
            coalesce(bit_or(bit) filter (where side = 'denominator' and not adds), 0) as not_below,
            bit_or(bit) as any_side
        from part
    ),
    :as_cte(15_place),
    spot as (
        select place.*
        from place
        where explain.unit_code = (select province from tonight)
        or explain.unit_code = case when explain.basis = 'current_boundary' then current_code else place.unit_code end
        or explain.unit_code = former_province and explain.basis = 'as_reported'
    ),
    state_of as (  -- of every dossier the state that the publication knew
        select
            dossier.dossier_key, dossier.version_id, dossier.unit_code, dossier.procedure_code, dossier.field_name,
            dossier.field_key, dossier.status, dossier.channel, dossier.service_level, dossier.received_on,
            dossier.due_on, dossier.due_at, dossier.finished_on, dossier.finished_at, dossier.supplement_count,
            dossier.supplement_requested_on, dossier.supplement_requested_at, dossier.fee_amount,
            dossier.payment_method, dossier.components_digitised, dossier.result_digitised,
            dossier.result_electronic, dossier.data_reused
        from core.dossier
        where dossier.version_id <= (select newest_version from tonight)
        union all
        select * from (
            select distinct on (version.dossier_key)
                version.dossier_key, version.version_id, version.unit_code, version.procedure_code,
                version.field_name, version.field_key, version.status, version.channel, version.service_level,
                version.received_on, version.due_on, version.due_at, version.finished_on, version.finished_at,
                version.supplement_count, version.supplement_requested_on, version.supplement_requested_at,
                version.fee_amount, version.payment_method, version.components_digitised, version.result_digitised,
                version.result_electronic, version.data_reused
            from core.dossier
            join core.dossier_version as version using (dossier_key)
            join ref.source using (source_id)
            where (select newest_version from tonight) < (select max(version_id) from core.dossier_version)
            and dossier.version_id > (select newest_version from tonight)
            and version.version_id <= (select newest_version from tonight)
            order by
                version.dossier_key, source.priority, version.night desc, version.file_name desc,
                version.delivery_id desc, version.row_no desc, version.version_id
        ) as before
    ),
    known as (  -- no more than can be behind the figure
        select *
        from state_of as dossier
        where dossier.unit_code in (select spot.unit_code from spot)
        and dossier.received_on <= (select end_on from asked)
        and (
            dossier.received_on >= (select start_on from asked) or dossier.status not in (7, 9, 10)
            or dossier.finished_on is null or dossier.finished_on >= (select start_on from asked)
        )
    ),
    :as_cte(20_state),
    :as_part(30_period_day),
    :as_cte(40_received_row),
    :as_cte(50_ended_row),
    :as_cte(60_open_row),
    :as_cte(61_told_by),
    :as_cte(66_form),
    :as_cte(spoken),
    :as_cte(behind),
    :as_cte(98_source_side),
    :as_cte(98_compared),
    of_both as (  -- units of which both sides tell a dossier of the period
        select compared.unit_code
        from compared
        where explain.metric_id = any(of_sides) and explain.basis = 'as_reported'
        and compared.received_on >= (select start_on from asked)
        group by compared.unit_code
        having count(*) filter (where in_both or only_province) > 0 and count(*) filter (where in_both or only_nation) > 0
    ),
    here as (
        select dossier_key, version_id, place_id, field_code, said
        from behind
        where behind.calendar = explain.period_calendar and behind.label = explain.period_label
        and behind.row_kind = any(array(select row_kind from part))  -- known before any row is read
        and behind.said & (select any_side from mask) <> 0
    ),
    counted as (
        select
            here.dossier_key,
            here.version_id,
            here.place_id,
            sum(
                bit_count((said & (select inside from mask))::bit(64))
                - bit_count((said & (select not_inside from mask))::bit(64))
            ) > 0 as in_numerator,
            sum(
                bit_count((said & (select below from mask))::bit(64))
                - bit_count((said & (select not_below from mask))::bit(64))
            ) > 0 as in_denominator
        from here
        join spot using (place_id)
        where explain.field_code in ('*', here.field_code)
        group by here.dossier_key, here.version_id, here.place_id
    ),
    line as (
        select
            counted.version_id, counted.dossier_key, counted.place_id, counted.in_numerator::int::bigint as numerator,
            counted.in_denominator::int::bigint as denominator, null::bigint as delivery_id, null as sheet, null::int as row_no
        from counted
        where counted.in_numerator or counted.in_denominator
        union all
        select
            null, null, form.place_id, coalesce(said.numerator, 0), coalesce(said.denominator, 0), form.delivery_id, form.sheet, form.row_no
        from form
        join spot using (place_id)
        join spoken
            on (spoken.calendar, spoken.kind, spoken.label, spoken.unit_code)
            = (form.calendar, form.kind, form.label, form.unit_code)
        cross join lateral (
            select
                sum(amount.amount) filter (where side = 'numerator')::bigint as numerator,
                sum(amount.amount) filter (where side = 'denominator')::bigint as denominator
            from part
            cross join lateral (
                select case when adds then 1 else -1 end * (to_jsonb(form) ->> counter)::bigint as amount
            ) as amount
        ) as said
        where form.calendar = explain.period_calendar and form.label = explain.period_label
        and explain.field_code in ('*', form.field_code)
        and (said.numerator <> 0 or said.denominator <> 0)
    ),
    line_or_side as (
        select * from line
        union all
        select side.version_id, compared.dossier_key, null, (side.version_id = compared.version_id)::int::bigint, null,
            null, null, null
        from compared
        join of_both using (unit_code)
        cross join lateral (values (province_version), (nation_version)) as side (version_id)
        where side.version_id is not null
        and compared.received_on >= (select start_on from asked)
        and (to_jsonb(compared) ->> explain.metric_id)::boolean
        and explain.field_code in ('*', compared.field_code)
    ),
    total as (
        select count(*) as rows, sum(line.numerator)::bigint as numerator, sum(line.denominator)::bigint as denominator
        from line_or_side as line
    ),
    page as (
        select
            line.dossier_key, line.place_id, version.unit_code, line.numerator, line.denominator,
            coalesce(version.delivery_id, line.delivery_id) as delivery_id,
            coalesce(version.sheet, line.sheet) as sheet, coalesce(version.row_no, line.row_no) as row_no
        from (
            select *
            from line_or_side
            order by version_id, delivery_id, sheet, row_no
            limit explain.most offset explain.beyond
        ) as line
        left join lateral (
            select delivery_id, sheet, row_no, dossier_version.unit_code
            from core.dossier_version
            where dossier_version.version_id = line.version_id
            offset 0  -- by its number, not by reading all versions
        ) as version on true
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
        page.dossier_key, page.numerator <> 0, page.denominator <> 0, delivery.source_id, delivery.night, delivery.file_name,
        delivery.file_sha256, delivery.layout_id, delivery.reference, page.sheet, page.row_no,
        coalesce(refusal.said, '{}') || coalesce(finding.said, '{}'),
        asked.version, tonight.publication_id, null::text[], page.numerator, page.denominator,
        total.rows, total.numerator, total.denominator, coalesce(page.unit_code, spot.unit_code),
        case when explain.basis = 'current_boundary' and spot.is_weighted and spot.current_code = explain.unit_code
            then spot.weight end
    from page
    left join spot using (place_id)
    join core.delivery using (delivery_id)
    left join finding using (delivery_id)
    left join refusal using (delivery_id, sheet, row_no)
    cross join asked
    cross join tonight
    cross join total
    order by delivery.source_id, delivery.file_name, page.sheet, page.row_no, page.dossier_key;
end
$explain$;
