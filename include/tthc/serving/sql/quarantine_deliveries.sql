-- Grain: source and file name, the newest delivery of the newest night. Bytes that were known before count with the rows
-- they had when they were parsed; a file of one unit belongs to that unit even where a row does not say whose it is.
create temporary table quarantine_delivery on commit drop as
with
delivered as (
    select distinct on (source_id, file_name)
        delivery_id, coalesce(same_as, delivery_id) as parsed_id, source_id, file_name, night, verdict, reason, detail
    from core.delivery
    where night = (select max(night) from core.delivery)
    order by source_id, file_name, delivery_id desc
)
select
    delivered.*,
    single.unit_code as only_unit
from delivered
left join lateral (
    select case when count(*) = 1 then min(delivery_unit.unit_code) end as unit_code
    from core.delivery_unit
    where delivery_unit.delivery_id = delivered.parsed_id
) as single on true
