-- Grain: period, unit (and the province, and provinces that were merged into it). How many units should have reported, and how many have: a unit has reported
-- for a period once a delivery of a night on or after the period's start holds a row of it. A portal's summary report
-- names every unit, whether its dossiers came or not, so it does not count; nor does manual input, which tells of none.
create temporary table coverage_fresh on commit drop as
with
heard as (
    select delivery_unit.unit_code, max(delivery.night) as night
    from core.delivery_unit
    join core.delivery using (delivery_id)
    where delivery.night <= (select night from tonight) and coalesce(delivery.feed, '') not in ('summary', 'manual_input')
    group by delivery_unit.unit_code
),
expected as (
    select
        period.calendar, period.kind, period.label, unit.unit_code,
        nullif(unit.parent_code, unit.province_code) as former_province,
        coalesce(heard.night >= period.start_on, false) as has_reported
    from ref.period
    join ref.unit
        on unit.level <> 'province'
        and unit.province_code = (select province from tonight)
        and least(period.end_on, (select night from tonight)) between unit.valid_from and unit.valid_to
    left join heard using (unit_code)
    where (period.calendar, period.kind, period.label) in (select distinct calendar, kind, label from fresh)
)
select
    calendar,
    kind,
    label,
    coalesce(unit_code, former_province, (select province from tonight)) as unit_code,
    count(*)::int as units_expected,
    count(*) filter (where has_reported)::int as units_reported
from expected
group by grouping sets (
    (calendar, kind, label, unit_code), (calendar, kind, label, former_province), (calendar, kind, label)
)
having not (grouping(former_province) = 0 and former_province is null)
