-- A warning about files or rows that were let in, when on the night it was last seen no file bears it any more: each was
-- judged again, or another file of its name came. What names a refused row or file is for the other statements.
select incident.incident_id, incident.last_seen_on as night
from alerts.incident
where incident.state <> 'resolved' and not incident.is_group and incident.unit_code = '*'
and incident.rule_id not in (
    'SUMMARY_DIFFERS', 'REPORT_CHAIN', 'REPORT_SUM_OF_UNITS', 'REPORTS_DISAGREE', 'REPORTER_MISSING', 'CORRECTION_UNUSED',
    'CORRECTION_OVERDUE'
)
and incident.rule_id not like 'PORTAL\_%'
and exists (
    select
    from core.delivery
    where delivery.source_id = incident.source_id and delivery.night = incident.last_seen_on
)
and not exists (
    select
    from core.delivery
    where delivery.source_id = incident.source_id
    and coalesce(delivery.reason, delivery.verdict) = incident.rule_id
    and delivery.night between incident.opened_on and incident.last_seen_on
)
and not exists (
    select
    from core.quarantine
    join core.delivery using (delivery_id)
    where delivery.source_id = incident.source_id and quarantine.rule_id = incident.rule_id
    and (quarantine.state = 'open' or delivery.night between incident.opened_on and incident.last_seen_on)
)
and not exists (
    select
    from core.delivery
    join core.delivery_finding as finding
        on finding.delivery_id = coalesce(delivery.same_as, delivery.delivery_id)
        and finding.rule_id = incident.rule_id
    where delivery.source_id = incident.source_id and delivery.night = incident.last_seen_on
    and not exists (
        select
        from core.delivery as again
        where again.source_id = delivery.source_id and again.night = delivery.night
        and (again.file_sha256 = delivery.file_sha256 or again.file_name = delivery.file_name)
        and again.delivery_id > delivery.delivery_id
    )
)
