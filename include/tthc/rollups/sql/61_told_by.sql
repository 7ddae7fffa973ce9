-- Grain: period. The reporting month whose stock is the stock of the period: its last one, or the one that is open.
create temporary table told_by on commit drop as
select
    calendar,
    kind,
    label,
    least(last_month, max(last_month) filter (where kind = 'month') over (partition by calendar)) as last_month
from ref.period
where start_on <= (select night from tonight)
