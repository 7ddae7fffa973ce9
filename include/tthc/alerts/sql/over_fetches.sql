-- An incident of a portal is over when the newest delivery asked for (of its unit, if it has one) came, the same night too.
with
newest as (
    select distinct on (source_id, unit_code) source_id, unit_code, night, outcome
    from core.fetch
    order by source_id, unit_code, night desc
)
select incident.incident_id, came.night
from alerts.incident
join (
    select source_id, unit_code, max(night) as night
    from newest
    where outcome <> 'failed'
    group by grouping sets ((source_id, unit_code), (source_id))
) as came
    on came.source_id = incident.source_id
    and incident.unit_code = coalesce(came.unit_code, '*')
    and came.night >= incident.last_seen_on
where incident.state <> 'resolved' and not incident.is_group and incident.rule_id like 'PORTAL\_%'
