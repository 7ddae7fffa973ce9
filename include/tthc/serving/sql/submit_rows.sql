-- The rows of a period and unit, or of all units, as four views show them now.
insert into core.submitted_row (submission_id, view_name, content)
select :submission, 'kpi', to_jsonb(kpi)
from mart.kpi
where period_calendar = :calendar and period_label = :label and (:all_units or unit_code = :unit)
union all
select :submission, 'kpi_vs_target', to_jsonb(kpi_vs_target)
from mart.kpi_vs_target
where period_calendar = :calendar and period_label = :label and (:all_units or unit_code = :unit)
union all
select :submission, 'form_06a', to_jsonb(form_06a)
from mart.form_06a
where period_calendar = :calendar and period_label = :label and (:all_units or unit_code = :unit)
union all
select :submission, 'ranking', to_jsonb(ranking)
from mart.ranking
where period_calendar = :calendar and period_label = :label and (:all_units or unit_code = :unit)
