-- Grain: period, place, field. The counters of received_row.
create temporary table received_cell on commit drop as
select
    calendar,
    kind,
    label,
    place_id,
    field_code,
    count(*) as received,
    count(*) filter (where received_online) as received_online,
    count(*) filter (where index_in_time) as index_in_time,
    count(*) filter (where online_with_result) as online_with_result,
    count(*) filter (where full_received) as full_received,
    count(*) filter (where full_online) as full_online,
    count(*) filter (where fee_received) as fee_received,
    count(*) filter (where fee_paid_online) as fee_paid_online,
    count(*) filter (where components_digitised) as components_digitised,
    count(*) filter (where data_reused) as data_reused,
    count(*) filter (where yielding_received) as yielding_received,
    count(*) filter (where yielding_received_digitised) as yielding_received_digitised
from received_row
group by calendar, kind, label, place_id, field_code
