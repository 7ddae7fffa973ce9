-- What failed in these deliveries, one row a rule, source and unit. The bytes of an earlier night fail as they did then.
-- Refused rows are an error, and critical where they are at least 20 and a fifth of all rows of their unit (of the files,
-- where no unit is known): there it is not a row that is wrong. `width`: how many files bear it.
with
delivered as (
    select coalesce(same_as, delivery_id) as delivery_id, source_id, night
    from core.delivery
    where delivery_id = any(:delivery_ids)
),
refused as (
    select
        quarantine.rule_id, delivered.source_id, coalesce(quarantine.unit_code, single.unit_code) as whose,
        delivered.night, quarantine.reason, delivered.delivery_id
    from core.quarantine
    join delivered using (delivery_id)
    left join lateral (
        select case when count(*) = 1 then min(unit_code) end as unit_code
        from core.delivery_unit
        where delivery_unit.delivery_id = delivered.delivery_id
    ) as single on true
    where quarantine.state = 'open'
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
        ) as detail,
        count(*) as width
    from core.delivery
    left join core.delivery_finding as finding
        on finding.delivery_id = delivery.delivery_id and finding.rule_id = delivery.reason
        and finding.severity = 'drift'
    where delivery.delivery_id = any(:delivery_ids) and delivery.verdict in ('rejected', 'held')
    group by 1, 2
    union all
    select
        refused.rule_id,
        refused.source_id,
        coalesce(refused.whose, '*'),
        case when count(*) >= 20 and 5 * count(*) >= count(*) + coalesce((
            select sum(accepted.row_count)
            from core.delivery_unit as accepted
            join delivered using (delivery_id)
            where delivered.source_id = refused.source_id
            and coalesce(refused.whose, accepted.unit_code) = accepted.unit_code
        ), 0) then 'critical' else 'error' end,
        max(refused.night),
        count(*),
        'dòng bị cách ly / rows quarantined',
        string_agg(distinct refused.reason, '; '),
        count(distinct refused.delivery_id)
    from refused
    group by refused.rule_id, refused.source_id, refused.whose
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
        ),
        count(*)
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
    coalesce(detail, '') as detail,
    width
from failure
order by rule_id, source_id, unit_code
