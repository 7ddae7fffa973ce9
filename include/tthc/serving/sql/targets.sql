-- Grain: target that dossiers measure. has_figure: its unit has a figure in the period, and the target is in force.
select
    target.target_id, target.valid_from, target.valid_to, target.conflicts_with,
    kpi_vs_target.target_id is not null as has_figure, kpi_vs_target.numerator, kpi_vs_target.denominator,
    kpi_vs_target.met, kpi_vs_target.flags, kpi_vs_target.status, kpi_vs_target.overdue_open, kpi_vs_target.in_progress
from mart.target
left join mart.kpi_vs_target
    on kpi_vs_target.target_id = target.target_id
    and kpi_vs_target.period_calendar = :calendar
    and kpi_vs_target.period_label = :label
    and kpi_vs_target.basis = :basis
