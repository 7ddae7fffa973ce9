-- Grain: period, unit, field. Dossiers resolved in the period (finished, or withdrawn), by the day of the end.
create temporary table ended_cell on commit drop as
select
    period_day.calendar,
    period_day.kind,
    period_day.label,
    state.unit_code,
    state.current_code,
    state.is_split,
    state.field_code,
    count(*) filter (where state.timeliness = 'early') as resolved_early,
    count(*) filter (where state.timeliness = 'on_time') as resolved_on_time,
    count(*) filter (where state.timeliness = 'late') as resolved_late,
    count(*) filter (where state.status = 7) as withdrawn,
    count(*) filter (where state.finished_on is not null and state.yields_result) as yielding_finished,
    count(*) filter (where state.finished_on is not null and state.yields_result and state.result_digitised)
        as result_digitised,
    count(*) filter (
        where state.finished_on is not null and state.yields_result and state.result_digitised
        and state.components_digitised
    ) as fully_digitised,
    count(*) filter (where state.finished_on is not null and state.yields_result and state.result_electronic)
        as result_electronic,
    count(*) filter (where state.finished_on is not null and state.due_on is not null) as dash_finished,
    count(*) filter (where state.finished_on <= state.due_on) as dash_in_time
from state
join period_day on period_day.day = state.resolved_on
group by 1, 2, 3, 4, 5, 6, 7
