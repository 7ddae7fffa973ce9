create view mart.kpi_vs_target as
select
    kpi.*,
    target.target_id,
    target.comparator,
    target.target_value,
    case
        when kpi.numerator is null or coalesce(kpi.denominator, 0) = 0 then null
        -- what a split unit received is in no unit of today for certain; the province's total is
        when 'split_unit' = any(kpi.flags) and kpi.unit_level <> 'province' then null
        -- exact, before any rounding: 94,996 % shows as 95,00 and still misses 95
        when target.comparator = '>=' then kpi.numerator >= target.target_value * kpi.denominator
        when target.comparator = '>' then kpi.numerator > target.target_value * kpi.denominator
        else kpi.numerator = target.target_value * kpi.denominator
    end as met,
    (kpi.numerator::numeric / nullif(kpi.denominator, 0) - target.target_value)::numeric(9, 6) as gap,
    target.document as source_document,
    target.source_line,
    target.note
from mart.kpi
join ref.target
    on target.unit_code = kpi.unit_code
    and target.metric_id = kpi.metric_id
    and target.profile = kpi.profile
    and target.field_code = kpi.field_code
    and kpi.period_end between target.period_from and target.period_to;
