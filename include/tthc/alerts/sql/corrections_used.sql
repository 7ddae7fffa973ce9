-- Which corrections each source used on a night, one row a source. `is_judged`: it delivered something that was parsed, and
-- all of it, what it repeated too, was judged by the corrections in force now.
with
delivery as (  -- a rejected file that was judged again stands by its last judgement
    select distinct on (said.source_id, said.file_sha256)
        said.source_id, parsed.delivery_id as parsed_id, said.same_as is null as is_parsed, parsed.rows_read,
        parsed.reference is not distinct from (select fingerprint from ref.loaded) as is_current
    from core.delivery as said
    join core.delivery as parsed on parsed.delivery_id = coalesce(said.same_as, said.delivery_id)
    where said.night = :night
    order by said.source_id, said.file_sha256, said.delivery_id desc
)
select
    delivery.source_id,
    bool_or(is_parsed and rows_read > 0) and bool_and(rows_read = 0 or is_current) as is_judged,
    coalesce(array_agg(distinct finding.rule_id) filter (where finding.rule_id is not null), '{}') as used
from delivery
left join core.delivery_finding as finding
    on finding.delivery_id = parsed_id and starts_with(finding.rule_id, 'CORRECTED')
group by delivery.source_id
