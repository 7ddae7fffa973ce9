-- A reason for which files were not loaded, when each of them has since been decided by a person or been judged again: the
-- same bytes by other layouts or lists, or another file of that name for the same night. Only the last judgement counts:
-- what it says against the file is an incident of its own. A rule of rows that goes by the same name must be over too.
select incident.incident_id, incident.last_seen_on as night
from alerts.incident
where incident.state <> 'resolved' and not incident.is_group and incident.unit_code = '*'
and exists (
    select
    from core.delivery
    where delivery.source_id = incident.source_id and delivery.reason = incident.rule_id
    and delivery.night between incident.opened_on and incident.last_seen_on
)
and not exists (
    select
    from core.delivery
    where delivery.source_id = incident.source_id and delivery.reason = incident.rule_id
    and delivery.verdict in ('held', 'rejected')
    and delivery.night between incident.opened_on and incident.last_seen_on
    and not exists (select from core.decision where decision.delivery_id = delivery.delivery_id)
    and not exists (
        select
        from core.delivery as again
        where again.source_id = delivery.source_id and again.night = delivery.night
        and (again.file_sha256 = delivery.file_sha256 or again.file_name = delivery.file_name)
        and again.delivery_id > delivery.delivery_id
    )
)
and not exists (
    select
    from core.quarantine
    join core.delivery using (delivery_id)
    where delivery.source_id = incident.source_id and quarantine.rule_id = incident.rule_id
    and quarantine.state = 'open'
)
