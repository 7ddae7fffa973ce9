-- From a row of a file to what became of it and to the figures of the current publication that its dossier is in, by the
-- state that counts; of a row of form II.06, to those it speaks for; of a line in which a unit stated a figure, to that
-- figure and the province's. One row a figure; one without where there is none. `weight`: where a split was divided, the
-- declared part of the old unit's dossiers that went to the figure's unit of today.
create function mart.figures_of(file_sha256 text, sheet text, row_no int)
returns table (
    outcome text, dossier_key uuid, source_id text, night date, file_name text, rule_results text[],
    counted_source_id text, counted_night date, counted_file_name text, counted_file_sha256 text, counted_sheet text,
    counted_row_no int, metric_id text, profile text, definition_version text, period_calendar text, period_kind text,
    period_label text, unit_code text, basis text, field_code text, in_numerator boolean, in_denominator boolean,
    publication_id bigint, weight numeric
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set jit = off
as $figures_of$
#variable_conflict use_column
begin
    return query
    with
    :as_cte(tonight_published),
    part as (
        select
            entry.metric_id, entry.profile, entry.version, entry.valid_from, entry.valid_to, side.side,
            word.word[2] as counter, case word.word[1] when '+' then 1 else -1 end as sign
        from tonight
        join ref.registry_entry as entry using (registry_id)
        join ref.definition using (metric_id, profile, version)
        cross join lateral (values ('numerator', definition.numerator), ('denominator', definition.denominator))
            as side (side, words)
        cross join lateral regexp_matches('+ ' || side.words, '([+-]) (\w+)', 'g') as word (word)
        union all  -- the cells of form 06a that are no metric
        select
            measure.measure, measure.profile, null, '-infinity', 'infinity', 'numerator', word.word[2],
            case word.word[1] when '+' then 1 else -1 end
        from ref.measure
        cross join lateral regexp_matches('+ ' || measure.recomputed, '([+-]) (\w+)', 'g') as word (word)
        where measure.measure in (
            select attname from pg_attribute where attrelid = 'mart.form_06a'::regclass and attnum > 0
        )
        and not exists (
            select from tonight
            join ref.registry_entry as entry using (registry_id)
            where (entry.metric_id, entry.profile) = (measure.measure, measure.profile)
        )
    ),
    asked as (
        select *
        from core.delivery
        where delivery.file_sha256 = figures_of.file_sha256
    ),
    refusal as (
        select delivery_id, array_agg('row: ' || rule_id || ' ' || state order by ordinal) as said,
            (array_agg(quarantine.dossier_key))[1] as dossier_key, bool_or(state = 'open') as is_open
        from asked
        join core.quarantine using (delivery_id)
        where quarantine.row_no = figures_of.row_no and coalesce(quarantine.sheet = figures_of.sheet, true)
        group by delivery_id
    ),
    finding as (
        select delivery_id, array_agg('file: ' || rule_id || ' ' || severity order by rule_id) as said
        from asked
        join core.delivery_finding using (delivery_id)
        group by delivery_id
    ),
    stated as (  -- a new state of a dossier
        select version.dossier_key, version.version_id, version.delivery_id
        from asked
        join core.dossier_version as version using (delivery_id)
        where version.row_no = figures_of.row_no and coalesce(version.sheet = figures_of.sheet, true)
    ),
    member as (  -- a row that told nothing new is remembered by 8 bytes of the key and its number (warehouse/late.py)
        select delivery_id, encode(substr(packed.members, 12 * at.n + 1, 8), 'hex') as short
        from (select delivery_id, members || ''::bytea as members from asked where members is not null offset 0) as packed
        cross join lateral generate_series(0, length(packed.members) / 12 - 1) as at (n)
        where substr(packed.members, 12 * at.n + 9, 4) = int4send(figures_of.row_no)
    ),
    dossier_row as (
        select distinct on (dossier.dossier_key)
            case when word.version_id is null then 'repeated' when word.version_id = dossier.version_id then 'counted'
                else 'superseded' end as outcome,
            dossier.dossier_key, word.delivery_id, dossier.version_id as counted_version
        from (
            select stated.dossier_key, stated.version_id, stated.delivery_id
            from stated
            union all
            select dossier.dossier_key, null, member.delivery_id
            from member
            join core.dossier
                on dossier.dossier_key between (member.short || repeat('0', 16))::uuid and (member.short || repeat('f', 16))::uuid
        ) as word
        join core.dossier using (dossier_key)
        order by dossier.dossier_key, word.version_id = dossier.version_id desc nulls last, word.version_id desc nulls last,
            word.delivery_id desc
    ),
    :as_cte(15_place),
    :as_cte(66_form),
    form_row as (
        select form.*
        from form
        join asked using (delivery_id)
        where form.row_no = figures_of.row_no and coalesce(form.sheet = figures_of.sheet, true)
    ),
    known as (
        select dossier.*
        from core.dossier
        where dossier.dossier_key = any(array(select dossier_row.dossier_key from dossier_row))
    ),
    :as_cte(20_state),
    :as_cte(30_period_day),
    :as_cte(40_received_row),
    :as_cte(50_ended_row),
    :as_cte(60_open_row),
    :as_cte(61_told_by),
    :as_cte(behind),
    :as_cte(spoken),
    :as_cte(98_source_side),
    :as_cte(98_compared),
    told as (
        select form_row.*, spoken.unit_code is not null as is_counted
        from form_row
        left join spoken
            on (spoken.calendar, spoken.kind, spoken.label, spoken.unit_code)
            = (form_row.calendar, form_row.kind, form_row.label, form_row.unit_code)
    ),
    item as (
        select behind.calendar, behind.kind, behind.label, behind.place_id, behind.field_code, behind.dossier_key,
            null::bigint as delivery_id, counter.counter, 1::bigint as count
        from behind
        join (values :counter_bits) as counter (counter, row_kind, bit) on behind.said & counter.bit <> 0
        union all
        select told.calendar, told.kind, told.label, told.place_id, told.field_code, null, told.delivery_id,
            said.key, said.value::text::bigint
        from told
        cross join lateral jsonb_each(to_jsonb(told)) as said
        where told.is_counted and said.key in (select part.counter from part)
    ),
    figure as (
        select
            item.dossier_key, item.delivery_id, part.metric_id, part.profile, part.version, item.calendar, item.kind,
            item.label, based.unit_code, based.basis, field.field_code, based.weight,
            coalesce(sum(sign * count) filter (where side = 'numerator') <> 0, false) as in_numerator,
            coalesce(sum(sign * count) filter (where side = 'denominator') <> 0, false) as in_denominator
        from item
        join place using (place_id)
        join ref.period using (calendar, kind, label)
        join part on part.counter = item.counter and period.end_on between part.valid_from and part.valid_to
        cross join tonight
        cross join lateral (values
            ('as_reported', place.unit_code, null::numeric),
            ('current_boundary', place.current_code, case when place.is_weighted then place.weight end),
            ('as_reported', place.former_province, null),
            ('as_reported', tonight.province, null), ('current_boundary', tonight.province, null)
        ) as based (basis, unit_code, weight)
        cross join lateral (
            select '*' as field_code union all select item.field_code where item.field_code is not null
        ) as field
        where based.unit_code is not null
        group by item.dossier_key, item.delivery_id, part.metric_id, part.profile, part.version, item.calendar, item.kind,
            item.label, based.unit_code, based.basis, field.field_code, based.weight
        union all  -- what the province's systems and the national portal tell of it
        select
            compared.dossier_key, null, said.key, '*', null, period.calendar, period.kind, period.label, difference.unit_code,
            'as_reported', difference.field_code, null, true, false
        from compared
        cross join tonight
        join ref.period on compared.received_on between period.start_on and period.end_on
        join mart.source_difference as difference
            on (difference.period_calendar, difference.period_label) = (period.calendar, period.label)
            and difference.unit_code in (compared.unit_code, tonight.province)
            and difference.field_code in ('*', compared.field_code)
        cross join lateral jsonb_each(to_jsonb(compared)) as said
        where said.value = 'true'
        and exists (  -- the province is the sum of the units of which both sides tell one
            select from mart.source_difference as own
            where (own.period_calendar, own.period_label, own.unit_code, own.field_code)
                = (period.calendar, period.label, compared.unit_code, '*')
        )
    ),
    found as (
        select dossier_row.outcome, dossier_row.dossier_key, dossier_row.delivery_id, dossier_row.counted_version
        from dossier_row
        union all
        select 'refused', refusal.dossier_key, refusal.delivery_id, dossier.version_id
        from refusal
        left join core.dossier using (dossier_key)
        where refusal.is_open and not exists (select from dossier_row)
        union all  -- a form counts, is compared with dossiers only, or was followed by a newer one
        select distinct case when told.delivery_id is null then 'superseded' when told.is_counted then 'counted'
            else 'compared' end, null::uuid, coalesce(told.delivery_id, asked.delivery_id), null::bigint
        from asked
        join core.reported using (delivery_id)
        left join (told join asked as newest using (delivery_id)) on true
        where reported.row_no = figures_of.row_no and coalesce(reported.sheet = figures_of.sheet, true)
    )
    select
        found.outcome, found.dossier_key, delivery.source_id, delivery.night, delivery.file_name,
        coalesce(refusal.said, '{}') || coalesce(finding.said, '{}'),
        version.source_id, version.night, version.file_name, counted.file_sha256, version.sheet, version.row_no,
        figure.metric_id, figure.profile, figure.version, figure.calendar, figure.kind, figure.label, figure.unit_code,
        figure.basis, figure.field_code, figure.in_numerator, figure.in_denominator, tonight.publication_id,
        figure.weight
    from found
    join core.delivery using (delivery_id)
    left join finding using (delivery_id)
    left join refusal using (delivery_id)
    left join core.dossier_version as version on version.version_id = found.counted_version
    left join core.delivery as counted on counted.delivery_id = version.delivery_id
    left join figure
        on (figure.in_numerator or figure.in_denominator) and found.outcome <> 'refused'
        and (figure.dossier_key = found.dossier_key or figure.delivery_id = found.delivery_id)
    left join tonight on true
    order by found.outcome, found.dossier_key, figure.calendar, figure.label, figure.metric_id, figure.profile,
        figure.unit_code, figure.basis, figure.field_code;
    return query  -- lines of what units stated themselves
    with
    :as_cte(tonight_published)
    select
        case when newest.is_this then 'counted' when said.numerator is null then 'empty' else 'superseded' end,
        null::uuid, parsed.source_id, parsed.night, parsed.file_name, coalesce((
            select array_agg('file: ' || rule_id || ' ' || severity order by rule_id)
            from core.delivery_finding
            where delivery_finding.delivery_id = parsed.delivery_id
        ), '{}'),
        newest.source_id, newest.night, newest.file_name, newest.file_sha256, newest.sheet, newest.row_no,
        figure.indicator, case when figure.indicator is not null then '*' end, figure.version, figure.calendar, figure.kind,
        figure.label, figure.unit_code, figure.basis, case when figure.indicator is not null then '*' end,
        figure.numerator > 0, figure.denominator > 0, tonight.publication_id, null::numeric
    from core.delivery as parsed
    join core.manual_input as said using (delivery_id)
    left join tonight on true
    left join lateral (
        select told.*, delivery.file_sha256,
            (delivery.file_sha256, told.sheet, told.row_no) = (parsed.file_sha256, said.sheet, said.row_no) as is_this
        from rollup.manual_told as told
        join core.delivery using (delivery_id)
        where (told.calendar, told.kind, told.label, told.unit_code, told.indicator)
            = (said.calendar, said.kind, said.label, said.unit_code, said.indicator)
    ) as newest on true
    left join lateral (
        select newest.indicator, newest.calendar, newest.kind, newest.label, newest.numerator, newest.denominator,
            indicator.version, based.basis, based.unit_code
        from ref.manual_indicator as indicator
        cross join lateral (values
            ('as_reported', newest.unit_code), ('current_boundary', newest.current_code),
            ('as_reported', case when indicator.summed then tonight.province end),
            ('current_boundary', case when indicator.summed then tonight.province end)
        ) as based (basis, unit_code)
        where indicator.indicator = newest.indicator and newest.is_this and based.unit_code is not null
    ) as figure on true
    where parsed.file_sha256 = figures_of.file_sha256
    and said.row_no = figures_of.row_no and coalesce(said.sheet = figures_of.sheet, true)
    order by parsed.delivery_id, figure.unit_code, figure.basis;
end
$figures_of$;
