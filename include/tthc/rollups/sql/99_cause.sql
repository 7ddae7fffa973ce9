-- Grain: publication, unit (and the province, or '*' for all of them), cause. What came in between since the publication
-- before, so that mart.restatement can say why a figure of the unit changed; and the state of what figures rest on
-- beside dossiers, for the next publication to compare with.
create temporary table basis on commit drop as
select 'procedures' as part, '*' as unit_code, '{}'::text[] as related, md5(string_agg(
    concat_ws('|', procedure_code, field_code, field_name, service_level, yields_result, max_working_days),
    ',' order by procedure_code
)) as digest
from ref.procedure
union all
select 'calendar', '*', '{}', md5(string_agg(concat_ws('|', day, is_working), ',' order by day))
from ref.calendar
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
version as (  -- the dossiers that were told anew, under the units they bear and bore
    select fresh.delivery_id, told.unit_code
    from before
    join core.dossier_version as fresh on fresh.version_id > before.newest_version
    join core.dossier_version as told on told.dossier_key = fresh.dossier_key
    group by fresh.delivery_id, told.unit_code
    union
    select reported.delivery_id, reported.unit_code
    from before
    join core.reported on true
    join core.delivery on coalesce(delivery.same_as, delivery.delivery_id) = reported.delivery_id
    left join core.decision on decision.delivery_id = reported.delivery_id
    where delivery.delivery_id > before.newest_delivery or decision.decided_at >= before.published_at
),
told as (
    select
        touched.unit_code,
        case
            when delivery.delivery_id <= before.newest_delivery or decision.decision = 'release' then 'rule'
            when exists (
                select from core.delivery as refused
                where (refused.source_id, refused.night, refused.file_sha256, refused.verdict)
                    = (delivery.source_id, delivery.night, delivery.file_sha256, 'rejected')
            ) then 'rule'
            else 'file'
        end as cause,
        concat_ws(
            ' ',
            case
                when decision.decision = 'release' then 'release'
                when delivery.delivery_id <= before.newest_delivery then 'replay'
            end,
            delivery.source_id || '/' || delivery.file_name || ' (' || left(delivery.file_sha256, 8) || ')'
        ) as what
    from version
    join core.delivery using (delivery_id)
    cross join before
    left join core.decision using (delivery_id)
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
    and exists (select from changed as any_of where (any_of.part, any_of.unit_code) = ('geography', '*'))
) as found;

delete from rollup.basis;
insert into rollup.basis (part, unit_code, related, digest) select part, unit_code, related, digest from basis
