-- Rules that fail at many units or sources at once, and those that did and have a group alive. `refused_rows`: 0 where whole
-- files or portals fail.
select
    incident.rule_id,
    count(*) as members,
    max(array_position(array['warning', 'error', 'critical'], incident.severity)) as gravest,
    max(incident.last_seen_on) as night,
    (
        -- a dossier that is refused on several nights is one row
        select count(distinct coalesce(
            quarantine.dossier_key::text, row(delivery.file_name, quarantine.sheet, quarantine.row_no)::text
        ))
        from core.quarantine
        join core.delivery using (delivery_id)
        where quarantine.rule_id = incident.rule_id and quarantine.state = 'open'
    ) as refused_rows,
    (array_agg(
        coalesce(
            (
                select full_name
                from ref.unit
                where unit.unit_code = incident.unit_code
                order by valid_from desc
                limit 1
            ),
            nullif(incident.unit_code, '*'),
            incident.source_id
        )
        order by incident.incident_id
    ))[1\:3] as names
from alerts.incident
where incident.state <> 'resolved' and not incident.is_group
group by incident.rule_id
having count(*) >= :spread or exists (
    select from alerts.incident as grouped
    where grouped.rule_id = incident.rule_id and grouped.is_group and grouped.state <> 'resolved'
)
order by incident.rule_id
