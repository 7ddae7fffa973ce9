-- Grain: commune. Where its on-time rate lies beside the province's, by its 95 % interval.
select unit_code, band
from mart.ranking
where period_calendar = :calendar and period_label = :label and basis = :basis and province_code = :province
    and metric_id = 'on_time' and profile = 'TT01_06A'
