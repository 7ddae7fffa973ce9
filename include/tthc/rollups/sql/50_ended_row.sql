-- Grain: period, dossier resolved in it (finished, or withdrawn), by the day of the end. One boolean a counter.
create temporary view ended_row as
select
    period_day.calendar,
    period_day.kind,
    period_day.label,
    state.dossier_key,
    state.version_id,
    state.unit_code,
    state.place_id,
    state.field_code,
    state.timeliness = 'early' as resolved_early,
    state.timeliness = 'on_time' as resolved_on_time,
    state.timeliness = 'late' as resolved_late,
    state.status = 7 as withdrawn,
    state.finished_on is not null and state.due_on is null as finished_undated,
    finished.yields as yielding_finished,
    finished.yields and state.result_digitised as result_digitised,
    finished.yields and state.result_digitised and state.components_digitised as fully_digitised,
    finished.yields and state.result_electronic as result_electronic,
    state.finished_on is not null and state.due_on is not null as dash_finished,
    coalesce(state.finished_on <= state.due_on, false) as dash_in_time
from state
join period_day on period_day.day = state.resolved_on
cross join lateral (select state.finished_on is not null and state.yields_result as yields) as finished
