-- Grain: rule, newest night. Rows refused, rows let through with a warning, rows that are no data.
select
    rule_id,
    sum(rows_quarantined)::bigint as rows_quarantined,
    sum(rows_accepted)::bigint as rows_warned,
    sum(rows_dropped)::bigint as rows_dropped,
    count(*) as files,
    max(reason) as detail
from mart.data_quality
where rule_id is not null and night = (select max(night) from mart.data_quality)
group by rule_id
order by rows_quarantined desc, rows_warned desc, rule_id
