-- Grain: period, place, field. The counters of ended_row.
create temporary table ended_cell on commit drop as
select
    calendar,
    kind,
    label,
    place_id,
    field_code,
    count(*) filter (where resolved_early) as resolved_early,
    count(*) filter (where resolved_on_time) as resolved_on_time,
    count(*) filter (where resolved_late) as resolved_late,
    count(*) filter (where withdrawn) as withdrawn,
    count(*) filter (where yielding_finished) as yielding_finished,
    count(*) filter (where result_digitised) as result_digitised,
    count(*) filter (where fully_digitised) as fully_digitised,
    count(*) filter (where result_electronic) as result_electronic,
    count(*) filter (where dash_finished) as dash_finished,
    count(*) filter (where dash_in_time) as dash_in_time
from ended_row
group by calendar, kind, label, place_id, field_code
