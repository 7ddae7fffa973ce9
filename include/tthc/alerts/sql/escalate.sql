-- What lasts grows graver: warning, error, critical.
with
aged as (
    update alerts.incident
    set severity = case severity when 'warning' then 'error' else 'critical' end, severe_since = :night
    where state in ('open', 'acknowledged') and severity <> 'critical' and group_id is null
    and cast(:night as date) - severe_since >= :nights
    returning incident_id, turn, severity, subject, detail, cast(:night as date) - opened_on as nights
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom, reason)
    select incident_id, :now, 'escalated', 'tthc', severity from aged
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select
    incident_id, 'escalated', subject || '. Đã kéo dài ' || nights || ' đêm / for ' || nights || ' nights. ' || detail,
    severity, :night, turn, :now
from aged
on conflict do nothing
