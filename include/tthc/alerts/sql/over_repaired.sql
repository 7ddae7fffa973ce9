-- A rule of rows whose refused rows have all been repaired, replaced or waived, in the night it was seen too. A row whose
-- unit is not known stands for whichever unit the incident names.
select incident.incident_id, incident.last_seen_on as night
from alerts.incident
where incident.state <> 'resolved' and not incident.is_group
and exists (
    select
    from core.quarantine
    join core.delivery using (delivery_id)
    where delivery.source_id = incident.source_id and quarantine.rule_id = incident.rule_id
    and delivery.night between incident.opened_on and incident.last_seen_on
    and (quarantine.unit_code is null or incident.unit_code in ('*', quarantine.unit_code))
)
and not exists (
    select
    from core.quarantine
    join core.delivery using (delivery_id)
    where delivery.source_id = incident.source_id and quarantine.rule_id = incident.rule_id
    and quarantine.state = 'open'
    and (quarantine.unit_code is null or incident.unit_code in ('*', quarantine.unit_code))
)
