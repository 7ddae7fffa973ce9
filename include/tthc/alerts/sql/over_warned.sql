-- A warning about files or rows that were let in, when no file bears it any more: each that did was judged again, or a
-- later delivery took its place: under its name (dates in names left out) or, whatever its name, with all of its units, and
-- within the night with half of its dossiers too (a unit may send several files a night). Another file of the source says
-- nothing about it. What names a refused row or file is for the other statements.
with
alive as (
    select incident_id, rule_id, source_id, opened_on, last_seen_on
    from alerts.incident
    where state <> 'resolved' and not is_group and unit_code = '*'
    and rule_id not in (
        'SUMMARY_DIFFERS', 'REPORT_CHAIN', 'REPORT_SUM_OF_UNITS', 'REPORTS_DISAGREE', 'REPORTER_MISSING',
        'CORRECTION_UNUSED', 'CORRECTION_OVERDUE'
    )
    and rule_id not like 'PORTAL\_%'
),
heard as materialized (  -- since the oldest of them opened
    select
        delivery_id, source_id, night, coalesce(same_as, delivery_id) as parsed_id,
        coalesce(
            lead(delivery_id) over (partition by source_id, night, file_sha256 order by delivery_id),
            lead(delivery_id) over (
                partition by source_id, regexp_replace(file_name, :dates, '#', 'g') order by night, delivery_id
            )
        ) is not null as came_again
    from core.delivery
    join (select source_id, min(opened_on) as since from alive group by source_id) as oldest using (source_id)
    where night >= oldest.since
)
select incident.incident_id, greatest(
    incident.last_seen_on, (select max(night) from heard where heard.source_id = incident.source_id)
) as night
from alive as incident
where exists (
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
    from heard
    join core.delivery_finding as finding
        on finding.delivery_id = heard.parsed_id and finding.rule_id = incident.rule_id
    where heard.source_id = incident.source_id and not heard.came_again
    and heard.night between incident.opened_on and incident.last_seen_on
    and not exists (
        select
        from heard as again
        where again.source_id = heard.source_id and (again.night, again.delivery_id) > (heard.night, heard.delivery_id)
        and exists (select from core.delivery_unit where delivery_unit.delivery_id = heard.delivery_id)
        and not exists (
            select unit_code from core.delivery_unit where delivery_unit.delivery_id = heard.delivery_id
            except
            select unit_code from core.delivery_unit where delivery_unit.delivery_id = again.delivery_id
        )
        and (again.night > heard.night or (
            select 2 * count(*) filter (where theirs.member is not null) >= count(*)
            from (
                select substr(members, 12 * place + 1, 8) as member
                from core.delivery
                cross join generate_series(0, length(members) / 12 - 1) as place
                where delivery_id = heard.parsed_id
            ) as mine
            left join (
                select substr(members, 12 * place + 1, 8) as member
                from core.delivery
                cross join generate_series(0, length(members) / 12 - 1) as place
                where delivery_id = again.parsed_id
            ) as theirs using (member)
        ))
    )
)
