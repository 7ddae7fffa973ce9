-- Events to tell now, in the order in which they happened; locked, so that two dispatchers never tell one twice.
select
    outbox.event_id, outbox.kind, outbox.body, outbox.severity, outbox.night, outbox.turn, outbox.incident_id,
    incident.rule_id, incident.source_id, incident.unit_code,
    whole.unit_code as group_unit, whole.severity as group_severity
from alerts.outbox
left join alerts.incident using (incident_id)
left join alerts.incident as whole
    on whole.incident_id = incident.group_id and outbox.kind in ('opened', 'grown')
where outbox.composed_at is null and outbox.withdrawn_at is null and outbox.not_before <= :now
order by outbox.event_id
for update of outbox
