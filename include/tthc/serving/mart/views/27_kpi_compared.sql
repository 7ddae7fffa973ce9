-- A figure beside the previous period of its kind and calendar, and beside the same period of last year. NULL where
-- there is no such figure. A difference stands only where both are of closed periods, by one definition, neither withheld
-- nor split, and, as reported, of one territory; else comparable is false and the remark says why, with the counts still
-- shown. A missing row of a published period is 0, not known from here: then the counts are NULL too.
create view mart.kpi_compared as
with
neighbour as (
    select
        period.calendar, period.label, before.label as label_before, before.start_on as start_before,
        earlier.label as label_last_year, earlier.start_on as start_last_year
    from ref.period
    left join ref.period as before
        on (before.calendar, before.kind, before.end_on) = (period.calendar, period.kind, period.start_on - 1)
    left join ref.period as earlier
        on (earlier.calendar, earlier.kind, earlier.last_month) = (period.calendar, period.kind, period.last_month - 12)
)
select
    kpi.*,
    neighbour.label_before as previous_label,
    before.numerator as previous_numerator,
    before.denominator as previous_denominator,
    before.rate as previous_rate,
    before.flags as previous_flags,
    remark.because[1] is null as previous_comparable,
    remark.because[1] as previous_remark,
    case when remark.because[1] is null then 100 * (
        kpi.numerator::numeric / nullif(kpi.denominator, 0) - before.numerator::numeric / nullif(before.denominator, 0)
    ) end::numeric(9, 4) as previous_points,
    neighbour.label_last_year as last_year_label,
    earlier.numerator as last_year_numerator,
    earlier.denominator as last_year_denominator,
    earlier.rate as last_year_rate,
    earlier.flags as last_year_flags,
    remark.because[2] is null as last_year_comparable,
    remark.because[2] as last_year_remark,
    case when remark.because[2] is null then 100 * (
        kpi.numerator::numeric / nullif(kpi.denominator, 0) - earlier.numerator::numeric / nullif(earlier.denominator, 0)
    ) end::numeric(9, 4) as last_year_points
from mart.kpi
join neighbour on (neighbour.calendar, neighbour.label) = (kpi.period_calendar, kpi.period_label)
-- both looked up row by row: joins would work out all figures once for each
left join lateral (
    select other.*
    from mart.kpi as other
    where (other.period_calendar, other.period_kind, other.period_label, other.unit_code, other.basis, other.field_code,
        other.metric_id, other.profile)
    = (kpi.period_calendar, kpi.period_kind, neighbour.label_before, kpi.unit_code, kpi.basis, kpi.field_code,
        kpi.metric_id, kpi.profile)
    offset 0
) as before on true
left join lateral (
    select other.*
    from mart.kpi as other
    where (other.period_calendar, other.period_kind, other.period_label, other.unit_code, other.basis, other.field_code,
        other.metric_id, other.profile)
    = (kpi.period_calendar, kpi.period_kind, neighbour.label_last_year, kpi.unit_code, kpi.basis, kpi.field_code,
        kpi.metric_id, kpi.profile)
    offset 0
) as earlier on true
cross join lateral (  -- why there is no difference, first for the period before, then for last year
    select array_agg(case
        when kpi.basis = 'as_reported' and exists (
            select from rollup.territory_change as change
            where change.unit_code = kpi.unit_code and change.changed_on > other.start_on and change.changed_on <= kpi.as_of
        ) then 'đơn vị được sắp xếp lại giữa hai kỳ; so trên địa giới hiện nay'
        when other.unit_code is null then 'không có số liệu kỳ đối chiếu'
        when kpi.numerator is null or other.numerator is null then 'số liệu bị tạm giữ'
        when kpi.status = 'interim' then 'kỳ chưa kết thúc, không so với cả kỳ'
        when kpi.status = 'provisional' or other.status = 'provisional' then 'chưa đủ đơn vị có dữ liệu'
        when kpi.definition_version <> other.definition_version then 'định nghĩa khác nhau'
        when (kpi.flags || other.flags) && array['split_unit', 'not_summed'] and kpi.unit_level <> 'province'
            then 'đơn vị bị chia tách'
        when 'from_summary' = any(kpi.flags) <> ('from_summary' = any(other.flags)) then 'một bên lấy từ biểu tổng hợp'
        when kpi.unit_level <> other.unit_level or 'code_reused' = any(kpi.flags || other.flags)
            then 'mã đơn vị dùng lại'
    end order by other.place) as because
    from (values
        (1, neighbour.start_before, before.unit_code, before.unit_level, before.numerator, before.status,
            before.definition_version, before.flags),
        (2, neighbour.start_last_year, earlier.unit_code, earlier.unit_level, earlier.numerator, earlier.status,
            earlier.definition_version, earlier.flags)
    ) as other (place, start_on, unit_code, unit_level, numerator, status, definition_version, flags)
) as remark;
