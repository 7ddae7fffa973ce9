-- Grain: period, place, field. The counters of ended_row.
create temporary table ended_cell on commit drop as
select
    calendar,
    kind,
    label,
    place_id,
    field_code,
    :counts_of(ended)
from ended_row
group by calendar, kind, label, place_id, field_code
