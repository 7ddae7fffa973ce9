-- Communes side by side: bounds instead of naked ranks, the province's own rate as the yardstick of the bands. Who is
-- not ranked is listed, and its band says why. Shares are compared exactly: equal ones share a rank. The province is found
-- among the same rows, and what is open and late looked up row by row: joins would work out all figures once for each.
create view mart.ranking as
with
told as (
    select
        kpi.*,
        max(kpi.unit_code) filter (where kpi.unit_level = 'province') over whole as province_code,
        max(kpi.numerator) filter (where kpi.unit_level = 'province') over whole as province_numerator,
        max(kpi.denominator) filter (where kpi.unit_level = 'province') over whole as province_denominator
    from mart.kpi
    where kpi.unit_level in ('commune', 'province') and kpi.field_code = '*' and 'former_province' <> all(kpi.flags)
    window whole as (
        partition by period_calendar, period_kind, period_label, metric_id, profile, basis
    )
),
commune as (
    select
        kpi.*,
        kpi.numerator::numeric / nullif(kpi.denominator, 0) as share,
        case
            when kpi.numerator is null then 'tạm giữ'
            when kpi.flags && array['split_unit', 'not_summed'] then 'không so sánh được'
            when kpi.status = 'provisional' then 'chưa đủ dữ liệu'
            when kpi.denominator < comparison.ranking_minimum then 'ít hồ sơ'
        end as unranked,
        comparison.ranking_minimum,
        1.959963984540054 ^ 2 as z2  -- the two-sided 95 % point of the normal distribution
    from told as kpi
    cross join ref.comparison
    where kpi.unit_level = 'commune' and kpi.province_code is not null
    and (kpi.denominator > 0 or kpi.numerator is null and (kpi.metric_id, kpi.profile) in (
        select metric_id, profile from mart.definition where denominator_counters is not null
    ))
),
bounded as (
    select
        commune.*,
        (share + z2 / (2 * denominator)) / (1 + z2 / denominator) as centre,
        sqrt(z2 * (share * (1 - share) / denominator + z2 / (4 * denominator::numeric * denominator)))
            / (1 + z2 / denominator) as margin
    from commune
)
select
    bounded.period_calendar,
    bounded.period_kind,
    bounded.period_label,
    bounded.province_code,
    bounded.metric_id,
    bounded.profile,
    bounded.basis,
    bounded.unit_code,
    bounded.unit_name,
    bounded.numerator,
    bounded.denominator,
    bounded.rate,
    greatest(centre - margin, 0)::numeric(9, 6) as lower_bound,
    least(centre + margin, 1)::numeric(9, 6) as upper_bound,
    case when bounded.unranked is null then rank() over (
        partition by bounded.period_calendar, bounded.period_kind, bounded.period_label, bounded.metric_id,
            bounded.profile, bounded.basis, bounded.unranked is null
        order by div(bounded.numerator * 10::numeric ^ 24, bounded.denominator) desc
    ) end::int as rank,
    case
        when bounded.unranked is not null then bounded.unranked
        when bounded.province_numerator is null then 'không so với tỉnh'
        when centre - margin > bounded.province_numerator::numeric / bounded.province_denominator then 'cao hơn tỉnh'
        when centre + margin < bounded.province_numerator::numeric / bounded.province_denominator then 'thấp hơn tỉnh'
        else 'ngang tỉnh'
    end as band,
    bounded.unranked is null as ranked,
    bounded.status,
    bounded.flags,
    bounded.ranking_minimum as minimum_count,
    case when bounded.metric_id <> 'on_time' then null when late.unit_code is null then 0 else late.numerator end
        as overdue_open,
    case when bounded.metric_id <> 'on_time' then null when late.unit_code is null then 0 else late.denominator end
        as in_progress
from bounded
left join lateral (
    select kpi.unit_code, kpi.numerator, kpi.denominator
    from mart.kpi
    where bounded.metric_id = 'on_time'
    and (kpi.metric_id, kpi.profile) = ('overdue_open', 'TT01_06A')
    and (kpi.period_calendar, kpi.period_kind, kpi.period_label, kpi.unit_code, kpi.basis, kpi.field_code)
        = (bounded.period_calendar, bounded.period_kind, bounded.period_label, bounded.unit_code, bounded.basis, '*')
    offset 0
) as late on true;
