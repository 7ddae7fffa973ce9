-- Grain: period, place, field. All counters side by side. Where a unit has no dossiers for a period, the form II.06 it
-- filled speaks for it.
create temporary table cell (
    calendar text,
    kind text,
    label text,
    place_id int,
    field_code text,
    from_summary boolean default false,
    :counter_columns
) on commit drop;

insert into cell (calendar, kind, label, place_id, field_code, :counters_of(received))
select calendar, kind, label, place_id, field_code, :counters_of(received)
from received_cell;

insert into cell (calendar, kind, label, place_id, field_code, :counters_of(ended))
select calendar, kind, label, place_id, field_code, :counters_of(ended)
from ended_cell;

insert into cell (calendar, kind, label, place_id, field_code, :counters_of(open))
select calendar, kind, label, place_id, field_code, :counters_of(open)
from open_cell;

insert into cell (
    calendar, kind, label, place_id, field_code, from_summary, received, received_online,
    resolved_early, resolved_on_time, resolved_late, in_progress, overdue
)
select
    calendar, kind, label, place_id, field_code, true, received, received_online,
    resolved_early, resolved_on_time, resolved_late, in_progress, overdue
from form
where not exists (
    select from cell
    join place as counted using (place_id)
    where (cell.calendar, cell.kind, cell.label, counted.unit_code)
        = (form.calendar, form.kind, form.label, form.unit_code)
)
