-- Grain: source, newest night. What it delivered and what became of it.
select
    night,
    source_id,
    count(*) as files,
    count(*) filter (where verdict in ('loaded', 'loaded_with_quarantine')) as loaded,
    count(*) filter (where verdict = 'already_known') as already_known,
    count(*) filter (where verdict in ('held', 'rejected')) as refused,
    sum(rows_read)::bigint as rows_read,
    coalesce(sum(rows_accepted) filter (where verdict like 'loaded%'), 0)::bigint as rows_accepted,
    sum(rows_quarantined)::bigint as rows_quarantined,
    sum(rows_dropped)::bigint as rows_dropped,
    sum(rows_duplicate)::bigint as rows_duplicate
from mart.data_quality
where rule_id is null and night = (select max(night) from mart.data_quality)
group by night, source_id
order by source_id
