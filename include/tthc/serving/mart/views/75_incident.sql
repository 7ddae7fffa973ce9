-- Grain: incident. What failed, since when, and what has become of it.
create view mart.incident as
select
    incident_id,
    rule_id,
    source_id,
    nullif(unit_code, '*') as unit_code,
    severity,
    state,
    opened_on,
    last_seen_on,
    resolved_on,
    coalesce(resolved_on, last_seen_on) - opened_on + 1 as nights,
    snoozed_until,
    is_group,
    group_id,
    subject
from alerts.incident;
