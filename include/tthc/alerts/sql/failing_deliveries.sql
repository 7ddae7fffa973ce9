-- What failed in these deliveries, one row a rule, source and unit. The bytes of an earlier night fail as they did then.
with
delivered as (
    select coalesce(same_as, delivery_id) as delivery_id, source_id, night
    from core.delivery
    where delivery_id = any(:delivery_ids)
),
failure as (
    select
        coalesce(delivery.reason, delivery.verdict) as rule_id,
        delivery.source_id,
        '*' as unit_code,
        'error' as severity,
        max(delivery.night) as night,
        count(*) as amount,
        'tệp không được nạp / files not loaded' as what,
        string_agg(
            delivery.file_name || ' – ' || coalesce(delivery.detail, '') || coalesce(E'\n' || finding.detail, ''),
            '; ' order by delivery.file_name
        ) as detail
    from core.delivery
    left join core.delivery_finding as finding
        on finding.delivery_id = delivery.delivery_id and finding.rule_id = delivery.reason
        and finding.severity = 'drift'
    where delivery.delivery_id = any(:delivery_ids) and delivery.verdict in ('rejected', 'held')
    group by 1, 2
    union all
    select
        quarantine.rule_id,
        delivered.source_id,
        coalesce(quarantine.unit_code, single.unit_code, '*'),
        'error',
        max(delivered.night),
        count(*),
        'dòng bị cách ly / rows quarantined',
        string_agg(distinct quarantine.reason, '; ')
    from core.quarantine
    join delivered using (delivery_id)
    left join lateral (
        select case when count(*) = 1 then min(unit_code) end as unit_code
        from core.delivery_unit
        where delivery_unit.delivery_id = delivered.delivery_id
    ) as single on true
    where quarantine.state = 'open'
    group by 1, 2, 3
    union all
    select
        finding.rule_id,
        delivered.source_id,
        '*',
        'warning',
        max(delivered.night),
        sum(finding.row_count),
        case
            when finding.rule_id = 'SCHEMA_DRIFT' then 'cột lạ / unlisted columns'
            else 'dòng cần xem lại / rows to look at'
        end,
        string_agg(
            distinct left(coalesce(finding.detail, ''), case finding.severity when 'drift' then 1500 else 200 end), '; '
        )
    from core.delivery_finding as finding
    join delivered using (delivery_id)
    where (finding.severity = 'warning' and not starts_with(finding.rule_id, 'CORRECTED'))  -- those are reviewed
    or finding.rule_id = 'SCHEMA_DRIFT'
    group by finding.rule_id, delivered.source_id
)
select
    rule_id,
    source_id,
    unit_code,
    severity,
    night,
    rule_id || ', ' || source_id || case when unit_code <> '*' then ', ' || coalesce(
        (select full_name from ref.unit where unit.unit_code = failure.unit_code order by valid_from desc limit 1),
        unit_code
    ) else '' end || ': ' || amount || ' ' || what as subject,
    coalesce(detail, '') as detail
from failure
order by rule_id, source_id, unit_code
