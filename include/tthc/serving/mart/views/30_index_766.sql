-- Index 766 as far as dossiers tell it; a component they cannot tell is missing, neither zero nor full.
create view mart.index_766 as
with told as (
    select distinct period_calendar, period_kind, period_label, unit_code, publication_id
    from mart.kpi
    where field_code = '*' and basis = 'as_reported'
)
select
    told.period_calendar,
    told.period_kind,
    told.period_label,
    told.unit_code,
    component.group_code,
    component.component_id,
    kpi.numerator,
    kpi.denominator,
    case when kpi.denominator > 0 then
        least(component.max_points, component.max_points * kpi.numerator / (kpi.denominator * component.full_at))
    end::numeric(6, 3) as points,
    component.max_points,
    kpi.numerator is null as missing,
    told.publication_id
from told
cross join ref.index_component as component
left join mart.kpi
    on kpi.field_code = '*'
    and kpi.basis = 'as_reported'
    and (kpi.period_calendar, kpi.period_kind, kpi.period_label, kpi.unit_code)
        = (told.period_calendar, told.period_kind, told.period_label, told.unit_code)
    and (kpi.metric_id, kpi.profile) = (component.metric_id, component.profile);
