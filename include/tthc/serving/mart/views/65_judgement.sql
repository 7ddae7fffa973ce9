-- Grain: night, source, expectation of a suite. What every rule said, also those that met nothing to judge.
create view mart.judgement as
select
    night,
    source_id,
    suite,
    position,
    rule_id,
    sum(rows_judged)::bigint as rows_judged,
    sum(rows_failed)::bigint as rows_failed
from core.judgement
group by night, source_id, suite, position, rule_id;
