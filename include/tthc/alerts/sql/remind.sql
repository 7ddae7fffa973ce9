-- What goes on and nobody has acknowledged is told again after the interval.
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select
    incident.incident_id, 'reminder',
    incident.subject || '. Chưa hết sau ' || (cast(:night as date) - incident.opened_on) || ' đêm / still open after '
        || (cast(:night as date) - incident.opened_on) || ' nights.',
    incident.severity, :night, incident.turn, :now
from alerts.incident
where incident.state = 'open' and incident.group_id is null
and cast(:night as date) - :nights >= (
    select max(outbox.night)
    from alerts.outbox
    where outbox.incident_id = incident.incident_id and outbox.kind not in ('resolved', 'escalated', 'decided')
        and outbox.withdrawn_at is null
)
and not exists (
    select
    from alerts.outbox
    where outbox.incident_id = incident.incident_id and outbox.kind not in ('escalated', 'decided')
    and outbox.composed_at is null and outbox.withdrawn_at is null
)
on conflict do nothing
