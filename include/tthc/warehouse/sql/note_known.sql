-- The same bytes as an earlier delivery: reported again, with the same units, nothing parsed.
with parsed as (
    select delivery_id, layout_id, feed
    from core.delivery
    where source_id = :source and file_sha256 = :sha and night <= :night
    and verdict in ('loaded', 'loaded_with_quarantine')
    order by night desc, delivery_id desc
    limit 1
),
noted as (
    insert into core.delivery (source_id, night, file_sha256, file_name, layout_id, feed, verdict, reason, same_as)
    select :source, :night, :sha, :name, layout_id, feed, 'already_known', 'ALREADY_LOADED', delivery_id
    from parsed
    returning delivery_id, same_as
),
heard as (
    insert into core.delivery_unit (delivery_id, unit_code, row_count)
    select noted.delivery_id, delivery_unit.unit_code, delivery_unit.row_count
    from noted
    join core.delivery_unit on delivery_unit.delivery_id = noted.same_as
)
select delivery_id from noted
