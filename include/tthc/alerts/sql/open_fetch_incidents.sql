-- What a source's portal failed to deliver for a night: one incident a reason and unit, one for the source where nothing came.
with
newest as (
    select unit_code, outcome, reason, detail, night
    from core.fetch
    where source_id = :source and night = :night
),
failure as (
    select
        reason as rule_id,
        case when everything.failed then '*' else unit_code end as unit_code,
        count(*) as amount,
        min(detail) as detail
    from newest
    cross join (select bool_and(outcome = 'failed') as failed from newest) as everything
    where outcome = 'failed'
    group by 1, 2
),
opened as (
    insert into alerts.incident as known (
        rule_id, source_id, unit_code, severity, state, opened_on, last_seen_on, subject, detail
    )
    select
        rule_id, :source, unit_code, 'error', 'open', :night, :night,
        rule_id || ', ' || :source || case when unit_code <> '*' then ', ' || coalesce(
            (select full_name from ref.unit where unit.unit_code = failure.unit_code order by valid_from desc limit 1),
            unit_code
        ) else '' end || ': không lấy được dữ liệu từ cổng' || case when amount > 1 then ' (' || amount || ' đơn vị)' else '' end,
        detail
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
