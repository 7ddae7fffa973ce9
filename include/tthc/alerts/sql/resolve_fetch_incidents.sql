-- An incident of a portal is over when the newest delivery asked for (of its unit, if it has one) came, the same night too.
with
newest as (
    select distinct on (source_id, unit_code) source_id, unit_code, night, outcome
    from core.fetch
    order by source_id, unit_code, night desc
),
over as (
    update alerts.incident
    set state = 'resolved', resolved_on = came.night
    from (
        select source_id, unit_code, max(night) as night
        from newest
        where outcome <> 'failed'
        group by grouping sets ((source_id, unit_code), (source_id))
    ) as came
    where incident.state <> 'resolved'
    and incident.rule_id like 'PORTAL\_%'
    and incident.source_id = came.source_id
    and incident.unit_code = coalesce(came.unit_code, '*')
    and came.night >= incident.last_seen_on
    returning incident.incident_id, incident.subject, incident.resolved_on - incident.opened_on as nights
)
insert into alerts.outbox (incident_id, kind, body)
select incident_id, 'resolved', subject || '. Đã hết sau ' || nights || ' đêm.'
from over
