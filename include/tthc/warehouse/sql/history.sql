-- Lists of dossiers a source delivered on earlier nights and that are in; the same bytes again count as what they were.
select
    delivery.night,
    delivery.file_name,
    (
        select min(unit_code)
        from core.delivery_unit
        where delivery_unit.delivery_id = delivery.delivery_id
        having count(*) = 1
    ) as unit_code,
    parsed.rows_accepted + parsed.rows_quarantined as rows,
    parsed.newest_on,
    parsed.only_status,
    coalesce(parsed.reason = 'DISTRIBUTION', false) as released,
    coalesce(parsed.shares, '{}') as shares,
    array(
        select rule_id
        from core.delivery_finding
        where delivery_finding.delivery_id = parsed.delivery_id and rule_id = any(:of_shares)
    ) as shifted
from core.delivery
join core.delivery as parsed on parsed.delivery_id = coalesce(delivery.same_as, delivery.delivery_id)
where delivery.source_id = :source and delivery.night between cast(:night as date) - :days and cast(:night as date) - 1
and delivery.verdict in ('loaded', 'loaded_with_quarantine', 'already_known')
and parsed.feed = 'dossier'
