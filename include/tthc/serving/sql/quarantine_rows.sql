-- Grain: refused row and rule of one owner; never a value of the row.
select
    delivery.source_id,
    delivery.file_name,
    quarantine.sheet,
    quarantine.row_no,
    quarantine.column_name,
    quarantine.reason,
    quarantine.rule_id,
    delivery.night
from quarantine_delivery as delivery
join core.quarantine on quarantine.delivery_id = delivery.parsed_id
where
    case
        when cast(:unit as text) is null
            then coalesce(quarantine.unit_code, delivery.only_unit) is null and delivery.source_id = :source
        else coalesce(quarantine.unit_code, delivery.only_unit) = :unit
    end
order by delivery.source_id, delivery.file_name, quarantine.sheet, quarantine.row_no, quarantine.ordinal
