-- Grain: publication, unit (and the province, or '*' for all of them), cause. What came in between since the publication
-- before, so that mart.restatement can say why a figure of the unit changed; and the state of what figures rest on
-- beside dossiers, for the next publication to compare with.
create temporary table basis on commit drop as
select 'procedures' as part, '*' as unit_code, '{}'::text[] as related, md5(coalesce(string_agg(
    concat_ws('|', procedure_code, field_code, field_name, service_level, yields_result, max_working_days),
    ',' order by procedure_code
), '')) as digest
from ref.procedure
where origin = 'registry'
union all
select 'catalogue', '*', '{}', md5(coalesce(
    string_agg(concat_ws('|', procedure_code, field_name), ',' order by procedure_code), ''
))
from ref.procedure
where origin = 'catalogue'
union all
select 'calendar', '*', '{}', md5(string_agg(concat_ws('|', day, is_working), ',' order by day))
from ref.calendar
union all
select 'sources', '*', '{}', md5(string_agg(concat_ws('|', source_id, priority), ',' order by source_id))
from ref.source
union all
select 'geography', '*', '{}', md5(
    (select string_agg(row(unit.*)::text, ',' order by unit_code, valid_from) from ref.unit)
    || coalesce((
        select string_agg(row(step.*)::text, ',' order by old_code, effective_date, new_code)
        from ref.unit_succession as step
    ), '')
)
union all
select 'geography', unit_code, array_agg(distinct current_code), md5(string_agg(
    concat_ws('|', since, until, of_dossiers, current_code, share_from, share_to, is_moved, is_split, former_province),
    ',' order by since, of_dossiers, current_code, share_from
))
from place
group by unit_code;

insert into rollup.cause (publication_id, unit_code, cause, cause_ref)
with
before as (
    select publication.*
    from rollup.current_publication
    join rollup.publication using (publication_id)
),
changed as (
    select part, unit_code, held.related || basis.related as related
    from rollup.basis as held
    full join basis using (part, unit_code)
    where held.digest is distinct from basis.digest
    and exists (select from rollup.basis)
),
entered as (  -- what came in by a file, a person's word or another judgement
    select
        delivery.delivery_id,
        delivery.feed,
        coalesce(delivery.same_as, delivery.delivery_id) as parsed_id,
        case
            when decision.decision = 'release' and decision.decided_at >= before.published_at then 'release'
            when delivery.delivery_id <= before.newest_delivery then 'replay'
            when exists (
                select from core.delivery as refused
                where (refused.source_id, refused.night, refused.file_sha256, refused.verdict)
                    = (delivery.source_id, delivery.night, delivery.file_sha256, 'rejected')
            ) then 'replay'
        end as by_rule,
        concat_ws(
            ', ',
            delivery.source_id || '/' || delivery.file_name || ' (' || left(delivery.file_sha256, 8) || ')',
            (
                select string_agg('corrections.toml ' || substr(rule_id, 11), ', ' order by rule_id)
                from core.delivery_finding as used
                where used.delivery_id = delivery.delivery_id and used.rule_id like 'CORRECTED:%'
            )
        ) as what
    from before
    join core.delivery on true
    left join core.decision using (delivery_id)
    where delivery.delivery_id > before.newest_delivery
    or decision.decided_at >= before.published_at
    or exists (
        select from core.replay
        where replay.delivery_id = delivery.delivery_id and replay.replayed_at >= before.published_at
    )
),
version as (  -- whose units: of the dossiers that were told anew, those they bear and bore; and who states counts
    select fresh.delivery_id, told.unit_code
    from before
    join core.dossier_version as fresh on fresh.version_id > before.newest_version
    join core.dossier_version as told on told.dossier_key = fresh.dossier_key
    group by fresh.delivery_id, told.unit_code
    union
    select entered.delivery_id, reported.unit_code
    from entered
    join core.reported on reported.delivery_id = entered.parsed_id
    union
    select entered.delivery_id, manual_input.unit_code
    from entered
    join core.manual_input on manual_input.delivery_id = entered.parsed_id
),
told as (
    select
        touched.unit_code,
        case when by_rule is null then 'file' else 'rule' end as cause,
        concat_ws(' ', by_rule, what) as what
    from version
    join entered using (delivery_id)
    join lateral (
        select version.unit_code
        union
        select place.current_code from place where place.unit_code = version.unit_code
        union
        select place.former_province from place
        where place.unit_code = version.unit_code and place.former_province is not null
        union
        select province from tonight
    ) as touched on true
    union all
    select '*', 'catalogue', concat_ws(' ', by_rule, what)
    from entered
    where feed = 'procedure_catalogue' and exists (select from changed where part = 'catalogue')
)
select tonight.publication_id, unit_code, cause, what
from tonight
cross join (
    select unit_code, cause, concat_ws(
        '; ', array_to_string((array_agg(distinct what order by what))[1:3], '; '),
        case when count(distinct what) > 3 then '+' || count(distinct what) - 3 end
    ) as what
    from told
    group by unit_code, cause
    union all
    select '*', part, part || '.csv' from changed where part in ('procedures', 'calendar')
    union all
    select '*', 'rule', 'sources.toml' from changed where part = 'sources'
    union all
    select distinct related.unit_code, 'geography', 'units.csv, unit_successions.csv'
    from changed
    cross join lateral (
        select changed.unit_code
        union
        select unnest(changed.related)
        union
        select province from tonight
    ) as related
    where changed.part = 'geography'
    and related.unit_code <> '*'
    and exists (select from changed as any_of where (any_of.part, any_of.unit_code) = ('geography', '*'))
) as found;

delete from rollup.basis;
insert into rollup.basis (part, unit_code, related, digest) select part, unit_code, related, digest from basis
