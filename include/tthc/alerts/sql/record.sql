-- A failure opens an incident of its rule, source and unit, or continues the one that is alive. One that is graver than
-- before, or at least twice and five more units or files wide than when it was last told, is told again: at most once a
-- night, not while it is silenced, and not besides its opening where that still waits to be told.
with
failure as (
    select distinct on (rule_id, source_id, unit_code, is_group) *
    from jsonb_to_recordset(cast(:failures as jsonb)) as failure (
        rule_id text, source_id text, unit_code text, is_group boolean, severity text, night date, subject text,
        detail text, width int
    )
    order by rule_id, source_id, unit_code, is_group, night desc
),
before as (
    select incident.incident_id, incident.last_seen_on, incident.severity, incident.width, incident.state
    from alerts.incident
    join failure using (rule_id, source_id, unit_code, is_group)
    where incident.state <> 'resolved'
),
kept as (
    insert into alerts.incident as known (
        rule_id, source_id, unit_code, is_group, severity, state, opened_on, last_seen_on, subject, detail, opened_at,
        severe_since, width
    )
    select
        rule_id, source_id, unit_code, is_group, severity, 'open', night, night, subject, left(detail, 2000), :now,
        night, width
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
        )],
        severe_since = case
            when array_position(array['warning', 'error', 'critical'], known.severity)
                < array_position(array['warning', 'error', 'critical'], excluded.severity)
            then greatest(known.severe_since, excluded.severe_since)
            else known.severe_since
        end,
        width = case
            when known.state <> 'snoozed' and excluded.last_seen_on >= known.last_seen_on
                and excluded.width >= 2 * known.width and excluded.width >= known.width + 5
            then excluded.width
            else known.width
        end
    returning incident_id, turn, severity, width, subject, detail, last_seen_on, xmax = 0 as is_new
),
grown as (
    select
        kept.*,
        concat_ws(
            ' ',
            'Nghiêm trọng hơn / graver: ' || before.severity || ' → ' || nullif(kept.severity, before.severity) || '.',
            'Lan rộng / wider: ' || before.width || ' → ' || nullif(kept.width, before.width) || '.'
        ) as how
    from kept
    join before using (incident_id)
    where before.state <> 'snoozed' and (kept.severity, kept.width) <> (before.severity, before.width)
),
still_waiting as (
    update alerts.outbox
    set severity = grown.severity, body = grown.subject || '. ' || grown.detail
    from grown
    where outbox.incident_id = grown.incident_id and outbox.turn = grown.turn
    and outbox.kind in ('opened', 'reopened') and outbox.composed_at is null and outbox.withdrawn_at is null
    returning outbox.incident_id
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom, reason)
    select kept.incident_id, :now, case when kept.is_new then 'opened' else 'continued' end, 'tthc', null
    from kept
    left join before using (incident_id)
    where kept.is_new or before.last_seen_on < kept.last_seen_on
    union all
    select incident_id, :now, 'grown', 'tthc', how from grown
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select incident_id, 'opened', subject || '. ' || detail, severity, last_seen_on, turn, :now
from kept
where is_new
union all
select incident_id, 'grown', subject || '. ' || how || ' ' || detail, severity, last_seen_on, turn, :now
from grown
where incident_id not in (select incident_id from still_waiting)
order by incident_id
on conflict do nothing
