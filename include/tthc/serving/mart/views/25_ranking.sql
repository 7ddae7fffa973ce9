-- Communes side by side: bounds instead of naked ranks, the province's own rate as the yardstick of the bands.
create view mart.ranking as
with
commune as (
    select
        period_calendar, period_kind, period_label, metric_id, profile, basis, unit_code, unit_name, numerator,
        denominator, rate, 'split_unit' <> all(flags) as comparable,
        denominator >= 30 and 'split_unit' <> all(flags) as ranked,
        1.959964 * 1.959964 as z2
    from mart.kpi
    where unit_level = 'commune' and field_code = '*' and denominator > 0
),
bounded as (
    select
        commune.*,
        (rate + z2 / (2 * denominator)) / (1 + z2 / denominator) as centre,
        1.959964 * sqrt(rate * (1 - rate) / denominator + z2 / (4 * denominator::numeric * denominator))
            / (1 + z2 / denominator) as margin
    from commune
)
select
    bounded.period_calendar,
    bounded.period_kind,
    bounded.period_label,
    province.unit_code as province_code,
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
    case when bounded.ranked then rank() over (
        partition by bounded.period_calendar, bounded.period_kind, bounded.period_label, bounded.metric_id,
            bounded.profile, bounded.basis, bounded.ranked
        order by bounded.rate desc
    ) end::int as rank,
    case
        when not bounded.comparable then 'không so sánh được'
        when not bounded.ranked then 'ít hồ sơ'
        when centre - margin > province.rate then 'cao hơn tỉnh'
        when centre + margin < province.rate then 'thấp hơn tỉnh'
        else 'ngang tỉnh'
    end as band,
    bounded.ranked
from bounded
join mart.kpi as province
    on province.unit_level = 'province' and 'former_province' <> all(province.flags)
    and (province.period_calendar, province.period_kind, province.period_label, province.metric_id, province.profile,
        province.basis, province.field_code)
    = (bounded.period_calendar, bounded.period_kind, bounded.period_label, bounded.metric_id, bounded.profile,
        bounded.basis, '*');
