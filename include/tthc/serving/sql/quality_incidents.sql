-- Grain: incident that goes on, or ended on one of the last seven nights; the gravest first. A group stands for its members.
select incident_id, rule_id, source_id, unit_code, severity, state, opened_on, resolved_on, nights, snoozed_until, subject
from mart.incident
where group_id is null
    and (state <> 'resolved' or resolved_on > (select max(night) from mart.data_quality) - 7)
order by
    state = 'resolved', array_position(array['critical', 'error', 'warning'], severity), opened_on, incident_id
