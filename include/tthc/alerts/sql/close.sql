-- Incidents that are over: each leaves one all-clear with its duration, unless nobody was told that it came back.
with
over as (
    update alerts.incident
    set state = 'resolved', resolved_on = greatest(closing.night, incident.opened_on), resolved_at = :now,
        snoozed_until = null
    from jsonb_to_recordset(cast(:closing as jsonb)) as closing (incident_id bigint, night date)
    where incident.incident_id = closing.incident_id and incident.state <> 'resolved'
    returning incident.incident_id, incident.turn, incident.severity, incident.subject, incident.resolved_on,
        incident.resolved_on - incident.opened_on as nights,
        greatest(0, round(extract(epoch from cast(:now as timestamptz) - incident.opened_at) / 60))::int as minutes
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom, reason)
    select incident_id, :now, 'resolved', :by, :reason from over
),
withdrawn as (
    update alerts.outbox
    set withdrawn_at = :now
    from over
    where outbox.incident_id = over.incident_id and outbox.turn = over.turn and outbox.kind = 'reopened'
    and outbox.composed_at is null and outbox.withdrawn_at is null
    returning outbox.incident_id
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select
    incident_id, 'resolved',
    subject || '. Đã hết sau '
        || case
            when nights > 0 then nights || ' đêm / over after ' || nights || ' nights.'
            else minutes || ' phút / over after ' || minutes || ' minutes.'
        end,
    severity, resolved_on, turn, :now
from over
where not exists (select from withdrawn where withdrawn.incident_id = over.incident_id)
order by incident_id
