-- Grain: rule that failed in the last :nights nights. What the suites said, and what reading a file refused.
with failed as (
    select rule_id, night, rows_failed
    from mart.judgement
    union all
    select rule_id, night, rows_quarantined + rows_accepted
    from mart.data_quality
    where rule_id is not null and rule_id not in (select rule_id from mart.judgement)
)
select rule_id, sum(rows_failed)::bigint as rows_failed, count(distinct night) as nights, max(night) as last_night
from failed
where rows_failed > 0 and night > (select max(night) from mart.data_quality) - :nights
group by rule_id
