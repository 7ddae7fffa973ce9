-- Whose source delivered again on a later night (for the incident's unit, if it has one) without the failure. A warning
-- that files bear ends with those files (over_warned.sql). What is judged by itself ends by itself: what a report differs by (differing_reports.sql), who is missing (reporters.py), what
-- became of corrections (corrections_used.sql).
select incident.incident_id, heard.night
from alerts.incident
join (
    select delivery.source_id, delivery_unit.unit_code, max(delivery.night) as night
    from core.delivery
    join core.delivery_unit using (delivery_id)
    group by grouping sets ((delivery.source_id, delivery_unit.unit_code), (delivery.source_id))
) as heard
    on heard.source_id = incident.source_id
    and heard.unit_code is not distinct from nullif(incident.unit_code, '*')
    and heard.night > incident.last_seen_on
where incident.state <> 'resolved' and not incident.is_group
and incident.rule_id not in (
    'SUMMARY_DIFFERS', 'REPORT_CHAIN', 'REPORT_SUM_OF_UNITS', 'REPORTS_DISAGREE', 'REPORTER_MISSING', 'CORRECTION_UNUSED',
    'CORRECTION_OVERDUE'
)
and not (incident.unit_code = '*' and exists (
    select
    from core.delivery
    join core.delivery_finding as finding
        on finding.delivery_id = coalesce(delivery.same_as, delivery.delivery_id)
        and finding.rule_id = incident.rule_id and finding.severity in ('warning', 'drift')
    where delivery.source_id = incident.source_id
    and delivery.night between incident.opened_on and incident.last_seen_on
    and coalesce(delivery.reason, delivery.verdict) <> incident.rule_id
))
