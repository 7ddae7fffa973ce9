-- Grain: period, dossier received in it, as it stood at the period's cut-off. One boolean a counter, named like it.
create temporary view received_row as
with judged as (
    select
        period_day.calendar,
        period_day.kind,
        period_day.label,
        state.*,
        coalesce(state.finished_on <= period_day.cut_off, false) as finished_by_cut_off,
        coalesce(state.index_end_on <= period_day.cut_off, false) as has_ended,
        coalesce(state.status = 7 and state.index_end_on <= period_day.cut_off, false) as index_withdrawn,
        state.status = 6 as index_awaiting_payment,
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
    dossier_key,
    version_id,
    unit_code,
    place_id,
    field_code,
    true as received,
    channel = 2 as received_online,
    true as dossiers_received,
    in_time as index_in_time,
    channel = 2 and (not yields_result or (result_electronic and finished_by_cut_off)) as online_with_result,
    coalesce(is_full_service, false) as full_received,
    coalesce(is_full_service and channel = 2, false) as full_online,
    coalesce(is_offered_online, false) as offered_received,
    coalesce(is_offered_online and channel = 2, false) as offered_online,
    coalesce(has_fee, false) as fee_received,
    coalesce(has_fee and paid_online, false) as fee_paid_online,
    components_digitised,
    data_reused,
    yields_result as yielding_received,
    yields_result and finished_by_cut_off and result_digitised as yielding_received_digitised,
    index_withdrawn,
    index_awaiting_payment,
    undated.is_undated as index_undated,
    in_time and index_withdrawn as index_in_time_withdrawn,
    in_time and index_awaiting_payment as index_in_time_awaiting_payment,
    in_time and undated.is_undated as index_in_time_undated,
    in_time and not has_ended and due_on is not null and not index_awaiting_payment as index_in_time_open
from judged
cross join lateral (
    select due_on is null and not index_withdrawn and not index_awaiting_payment as is_undated
) as undated
