-- Which corrections each source used on a night, one row a source. `is_judged`: it delivered something that was parsed, all
-- of it by the corrections in force now, and nothing of what it repeated still waits in quarantine to be judged by them.
with
delivery as (  -- a rejected file that was judged again stands by its last judgement
    select distinct on (source_id, file_sha256)
        source_id, delivery_id, coalesce(same_as, delivery_id) as parsed_id, same_as is null and rows_read > 0 as is_parsed,
        reference
    from core.delivery
    where night = :night
    order by source_id, file_sha256, delivery_id desc
)
select
    delivery.source_id,
    bool_or(is_parsed)
        and bool_and(not is_parsed or reference is not distinct from (select fingerprint from ref.loaded))
        and not bool_or(not is_parsed and exists (
            select from core.quarantine where quarantine.delivery_id = parsed_id and quarantine.state = 'open'
        )) as is_judged,
    coalesce(array_agg(distinct finding.rule_id) filter (where finding.rule_id is not null), '{}') as used
from delivery
left join core.delivery_finding as finding
    on finding.delivery_id = parsed_id and starts_with(finding.rule_id, 'CORRECTED')
group by delivery.source_id
