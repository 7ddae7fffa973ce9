-- Grain: report, unit's cells of one period. How many cells there are, how many were compared and how many differ.
select
    report,
    count(*) as cells,
    count(recomputed) as compared,
    count(*) filter (where difference <> 0) as differing
from mart.reported
where period_calendar = :calendar and period_label = :period
group by report
order by report
