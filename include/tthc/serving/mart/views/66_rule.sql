-- Grain: rule, and the suite it stands in or what it is about: every id that may stand in another view of this schema.
create view mart.rule as
select rule_id, suite, severity, owner, vi, en, why_vi, why
from (values
    :rules
) as rule (rule_id, suite, severity, owner, vi, en, why_vi, why);
