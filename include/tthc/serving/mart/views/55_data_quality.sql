create view mart.data_quality as
with
delivery as (  -- a rejected file that was judged again is shown by its last judgement
    select distinct on (source_id, night, file_sha256) *
    from core.delivery
    order by source_id, night, file_sha256, delivery_id desc
),
unit as (
    select delivery_id, case when count(*) = 1 then min(unit_code) end as unit_code
    from core.delivery_unit
    group by delivery_id
)
select
    delivery.night,
    delivery.source_id,
    unit.unit_code,
    delivery.file_name,
    delivery.file_sha256,
    delivery.verdict,
    coalesce(concat_ws(': ', delivery.reason, delivery.detail), '') as reason,
    null::text as rule_id,
    delivery.rows_read,
    delivery.rows_accepted,
    delivery.rows_quarantined,
    delivery.rows_dropped,
    delivery.rows_duplicate
from delivery
left join unit using (delivery_id)
union all
select
    delivery.night,
    delivery.source_id,
    unit.unit_code,
    delivery.file_name,
    delivery.file_sha256,
    delivery.verdict,
    coalesce(finding.detail, ''),
    finding.rule_id,
    delivery.rows_read,
    case when finding.severity in ('warning', 'drift') then finding.row_count else 0 end,
    case when finding.severity = 'quarantine' then finding.row_count else 0 end,
    case when finding.severity = 'dropped' then finding.row_count else 0 end,
    0
from core.delivery_finding as finding
join delivery using (delivery_id)
left join unit using (delivery_id)
union all
select  -- what a portal failed to deliver has no bytes
    night,
    source_id,
    nullif(unit_code, '*'),
    file_name,
    file_sha256,
    'rejected',
    concat_ws(': ', reason, detail),
    null,
    0,
    0,
    0,
    0,
    0
from core.fetch
where outcome = 'failed';
