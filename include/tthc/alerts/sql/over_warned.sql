-- A warning about files or rows that were let in, when no file bears it any more: each that did was judged again, or a
-- later delivery took its place, under its name (dates in names left out) or, whatever its name, with all of its units.
-- Another file of the source says nothing about it. What names a refused row or file is for the other statements.
select incident.incident_id, greatest(
    incident.last_seen_on,
    (select max(delivery.night) from core.delivery where delivery.source_id = incident.source_id)
) as night
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
    where delivery.source_id = incident.source_id
    and delivery.night between incident.opened_on and incident.last_seen_on
    and not exists (
        select
        from core.delivery as again
        where again.source_id = delivery.source_id
        and (again.night, again.delivery_id) > (delivery.night, delivery.delivery_id)
        and (
            (again.night, again.file_sha256) = (delivery.night, delivery.file_sha256)
            or regexp_replace(again.file_name, :dates, '#', 'g') = regexp_replace(delivery.file_name, :dates, '#', 'g')
            or exists (select from core.delivery_unit where delivery_unit.delivery_id = delivery.delivery_id)
            and not exists (
                select unit_code from core.delivery_unit where delivery_unit.delivery_id = delivery.delivery_id
                except
                select unit_code from core.delivery_unit where delivery_unit.delivery_id = again.delivery_id
            )
        )
    )
)
