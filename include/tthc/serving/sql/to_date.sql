-- Grain: metric, of those an overview shows, in its order. As far as the period has come, beside as many days of the one
-- before and of last year.
select kpi_to_date.*, cast(:label as text) as period_label, cast(:kind as text) as period_kind
from mart.kpi_to_date(:unit, :label, null, :calendar, :basis)
join (values
    ('received', 'TT01_06A', 1), ('resolved', 'TT01_06A', 2), ('on_time', 'TT01_06A', 3), ('overdue_open', 'TT01_06A', 4),
    ('online_submission', '*', 5), ('online_payment', '*', 6), ('digitised_full', '*', 7)
) as shown (metric_id, profile, place) using (metric_id, profile)
order by shown.place
