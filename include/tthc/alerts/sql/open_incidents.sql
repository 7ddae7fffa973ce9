-- One incident a rule, source and unit: opened by the first failure, continued by the next, one message when opened.
with
failure as (
    select
        coalesce(delivery.reason, delivery.verdict) as rule_id,
        delivery.source_id,
        '*' as unit_code,
        'error' as severity,
        max(delivery.night) as night,
        count(*) as amount,
        'tệp không được nạp' as what,
        string_agg(delivery.file_name || ' – ' || coalesce(delivery.detail, ''), '; ' order by delivery.file_name)
            as detail
    from core.delivery
    where delivery.delivery_id = any(:delivery_ids) and delivery.verdict in ('rejected', 'held')
    group by 1, 2
    union all
    select
        quarantine.rule_id,
        delivery.source_id,
        coalesce(quarantine.unit_code, single.unit_code, '*'),
        'error',
        max(delivery.night),
        count(*),
        'dòng bị cách ly',
        string_agg(distinct quarantine.reason, '; ')
    from core.quarantine
    join core.delivery using (delivery_id)
    left join lateral (
        select case when count(*) = 1 then min(unit_code) end as unit_code
        from core.delivery_unit
        where delivery_unit.delivery_id = delivery.delivery_id
    ) as single on true
    where delivery.delivery_id = any(:delivery_ids)
    group by 1, 2, 3
    union all
    select
        finding.rule_id,
        delivery.source_id,
        '*',
        'warning',
        max(delivery.night),
        sum(finding.row_count),
        case when finding.rule_id = 'SCHEMA_DRIFT' then 'cột lạ' else 'dòng cần xem lại' end,
        string_agg(distinct left(coalesce(finding.detail, ''), 200), '; ')
    from core.delivery_finding as finding
    join core.delivery using (delivery_id)
    where delivery.delivery_id = any(:delivery_ids) and finding.severity in ('warning', 'drift')
    group by finding.rule_id, delivery.source_id
),
opened as (
    insert into alerts.incident as known (
        rule_id, source_id, unit_code, severity, state, opened_on, last_seen_on, subject, detail
    )
    select
        rule_id, source_id, unit_code, severity, 'open', night, night,
        rule_id || ', ' || source_id || case when unit_code <> '*' then ', ' || coalesce(
            (select full_name from ref.unit where unit.unit_code = failure.unit_code order by valid_from desc limit 1),
            unit_code
        ) else '' end || ': '
            || amount || ' ' || what,
        left(detail, 2000)
    from failure
    on conflict (rule_id, source_id, unit_code) where state <> 'resolved' do update
    set last_seen_on = greatest(known.last_seen_on, excluded.last_seen_on),
        subject = excluded.subject, detail = excluded.detail
    returning incident_id, subject, detail, xmax = 0 as is_new
)
insert into alerts.outbox (incident_id, kind, body)
select incident_id, 'opened', subject || '. ' || detail
from opened
where is_new
