-- Grain: period, unit, field. Dossiers received in the period, as they stood at its cut-off.
create temporary table received_cell on commit drop as
with judged as (
    select
        period_day.calendar,
        period_day.kind,
        period_day.label,
        state.*,
        coalesce(state.finished_on <= period_day.cut_off, false) as finished_by_cut_off,
        case
            -- a second request for papers is late; one made after the cut-off is not known yet
            when state.supplement_count - (coalesce(state.supplement_requested_on > period_day.cut_off, false))::int > 1
                then false
            when state.status = 6 then true
            when state.index_end_on <= period_day.cut_off then
                case
                    when state.due_on is null
                        then coalesce(state.index_end_index - state.received_index <= state.max_working_days, true)
                    when state.index_end_at is not null and state.due_at is not null
                        then state.index_end_at <= state.due_at
                    else state.index_end_on <= state.due_on
                end
            when state.due_on is null
                then coalesce(period_day.cut_off_index - state.received_index <= state.max_working_days, true)
            else state.due_on >= period_day.cut_off
        end as in_time
    from state
    join period_day on period_day.day = state.received_on
)
select
    calendar,
    kind,
    label,
    unit_code,
    current_code,
    is_split,
    field_code,
    count(*) as received,
    count(*) filter (where channel = 2) as received_online,
    count(*) filter (where in_time) as index_in_time,
    count(*) filter (where channel = 2 and (not yields_result or (result_electronic and finished_by_cut_off)))
        as online_with_result,
    count(*) filter (where is_full_service) as full_received,
    count(*) filter (where is_full_service and channel = 2) as full_online,
    count(*) filter (where has_fee) as fee_received,
    count(*) filter (where has_fee and paid_online) as fee_paid_online,
    count(*) filter (where components_digitised) as components_digitised,
    count(*) filter (where data_reused) as data_reused,
    count(*) filter (where yields_result) as yielding_received,
    count(*) filter (where yields_result and finished_by_cut_off and result_digitised) as yielding_received_digitised
from judged
group by calendar, kind, label, unit_code, current_code, is_split, field_code
