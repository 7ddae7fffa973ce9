-- Grain: field ('*' is the total). The eleven counts of form II.06 and the two it hides.
select
    field_code, field_name, received_total, received_online, received_direct, carried_over, resolved_total,
    resolved_early, resolved_on_time, resolved_late, in_progress_total, in_progress_in_time, in_progress_overdue,
    withdrawn, stopped, flags
from mart.form_06a
where period_calendar = :calendar and period_label = :label and basis = :basis and unit_code = :unit
