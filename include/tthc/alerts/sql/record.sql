-- A failure opens an incident of its rule, source and unit, or continues the one that is alive.
with
failure as (
    select distinct on (rule_id, source_id, unit_code, is_group) *
    from jsonb_to_recordset(cast(:failures as jsonb)) as failure (
        rule_id text, source_id text, unit_code text, is_group boolean, severity text, night date, subject text,
        detail text
    )
    order by rule_id, source_id, unit_code, is_group, night desc
),
before as (
    select incident.incident_id, incident.last_seen_on
    from alerts.incident
    join failure using (rule_id, source_id, unit_code, is_group)
    where incident.state <> 'resolved'
),
kept as (
    insert into alerts.incident as known (
        rule_id, source_id, unit_code, is_group, severity, state, opened_on, last_seen_on, subject, detail, opened_at,
        severe_since
    )
    select
        rule_id, source_id, unit_code, is_group, severity, 'open', night, night, subject, left(detail, 2000), :now,
        night
    from failure
    on conflict (rule_id, source_id, unit_code, is_group) where state <> 'resolved' do update
    set last_seen_on = greatest(known.last_seen_on, excluded.last_seen_on),
        nights = known.nights + (excluded.last_seen_on > known.last_seen_on)::int,
        subject = case
            when excluded.last_seen_on >= known.last_seen_on then excluded.subject else known.subject
        end,
        detail = case when excluded.last_seen_on >= known.last_seen_on then excluded.detail else known.detail end,
        severity = (array['warning', 'error', 'critical'])[greatest(
            array_position(array['warning', 'error', 'critical'], known.severity),
            array_position(array['warning', 'error', 'critical'], excluded.severity)
        )]
    returning incident_id, turn, severity, subject, detail, last_seen_on, xmax = 0 as is_new
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom)
    select kept.incident_id, :now, case when kept.is_new then 'opened' else 'continued' end, 'tthc'
    from kept
    left join before using (incident_id)
    where kept.is_new or before.last_seen_on < kept.last_seen_on
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select incident_id, 'opened', subject || '. ' || detail, severity, last_seen_on, turn, :now
from kept
where is_new
order by incident_id
