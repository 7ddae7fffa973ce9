-- An incident is over when its source delivered again on a later night (for its unit, if it has one) without it. What
-- a report differs by is over when it no longer does, see note_differences.sql.
with over as (
    update alerts.incident
    set state = 'resolved', resolved_on = heard.night
    from (
        select delivery.source_id, delivery_unit.unit_code, max(delivery.night) as night
        from core.delivery
        join core.delivery_unit using (delivery_id)
        group by grouping sets ((delivery.source_id, delivery_unit.unit_code), (delivery.source_id))
    ) as heard
    where incident.state <> 'resolved'
    and incident.rule_id <> 'SUMMARY_DIFFERS'
    and heard.source_id = incident.source_id
    and heard.unit_code is not distinct from nullif(incident.unit_code, '*')
    and heard.night > incident.last_seen_on
    returning incident.incident_id, incident.subject, incident.resolved_on - incident.opened_on as nights
)
insert into alerts.outbox (incident_id, kind, body)
select incident_id, 'resolved', subject || '. Đã hết sau ' || nights || ' đêm.'
from over
