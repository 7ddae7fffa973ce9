-- Grain: target of a metric. has_figure: its unit has a figure in the period, and the target is in force. is_zero: without
-- a figure nothing occurred, because dossiers or a form of the unit are known that would tell; else nobody has told it.
with speaking as (
    select
        unit_code, bool_or(not flags && array['manual_input', 'from_summary']) as has_dossiers,
        bool_or('from_summary' = any(flags)) as has_form
    from mart.kpi
    where period_calendar = :calendar and period_label = :label and basis = :basis and field_code = '*'
    group by unit_code
)
select
    target.target_id, target.valid_from, target.valid_to, target.conflicts_with, target.unit_code,
    kpi_vs_target.target_id is not null as has_figure, kpi_vs_target.numerator, kpi_vs_target.denominator,
    kpi_vs_target.met, kpi_vs_target.flags, kpi_vs_target.status, kpi_vs_target.overdue_open, kpi_vs_target.in_progress,
    counted.is_counted,
    counted.is_counted and coalesce(speaking.has_dossiers or speaking.has_form and (target.metric_id, target.profile) in (
        -- what a form II.06a tells
        values ('received', 'TT01_06A'), ('resolved', 'TT01_06A'), ('in_progress', 'TT01_06A'), ('on_time', 'TT01_06A'), ('overdue_open', 'TT01_06A'), ('online_submission', '*')
    ), false) as is_zero,
    coalesce(speaking.has_dossiers or speaking.has_form, false) as speaks
from mart.target
cross join lateral (
    select exists (
        select from mart.definition
        where (definition.metric_id, definition.profile) = (target.metric_id, target.profile)
    ) as is_counted
) as counted
left join speaking on speaking.unit_code = target.unit_code
left join mart.kpi_vs_target
    on kpi_vs_target.target_id = target.target_id
    and kpi_vs_target.period_calendar = :calendar
    and kpi_vs_target.period_label = :label
    and kpi_vs_target.basis = :basis
