-- Grain: period, place, field. The counters of received_row.
create temporary table received_cell on commit drop as
select
    calendar,
    kind,
    label,
    place_id,
    field_code,
    :counts_of(received)
from received_row
group by calendar, kind, label, place_id, field_code
