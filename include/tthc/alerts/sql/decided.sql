-- A held file is decided: told under the incident that told of it, to whoever heard of that.
with
decided as (
    select incident.incident_id, incident.turn, incident.severity, delivery.night, delivery.file_name
    from core.delivery
    join alerts.incident
        on incident.rule_id = coalesce(delivery.reason, delivery.verdict)
        and incident.source_id = delivery.source_id
        and incident.unit_code = '*'
        and not incident.is_group
    where delivery.delivery_id = :delivery
    order by incident.incident_id desc
    limit 1
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom, reason)
    select incident_id, :now, 'decided', :by, file_name || ' – ' || :became || ': ' || :reason
    from decided
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select
    incident_id, 'decided',
    file_name || ', đêm ' || to_char(night, 'DD/MM/YYYY') || ': ' || :became || ', ' || :by || ': ' || :reason,
    severity, night, turn, :now
from decided
