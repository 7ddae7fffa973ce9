-- Grain: as 80_fresh, without former provinces. What must hold between a row and others, on every basis it stands for; null
-- where nothing can be said. 1 where it does not hold: sum_of_units, sum_of_parts, bases_differ. fields_over_total: by how
-- much the fields exceed the row, in the counter in which they do so most.
-- The sums are tables that PostgreSQL has looked at: of a part of one statement it believes that it is a single row.
create temporary table fields on commit drop as
select calendar, kind, label, unit_code, on_basis, :counter_sums
from by_basis
where field_code <> '*'
group by calendar, kind, label, unit_code, on_basis;
analyze fields;

create temporary table parts on commit drop as
with part as (  -- a longer period and the next shorter ones within it that have begun
    select
        whole.calendar, whole.kind, whole.label, part.kind as part_kind, part.label as part_label,
        part.end_on = max(part.end_on) over (partition by whole.calendar, whole.kind, whole.label) as is_last
    from ref.period as whole
    join ref.period as part
        on part.calendar = whole.calendar
        and part.kind = case whole.kind when 'quarter' then 'month' when 'year' then 'half' else 'quarter' end
        and part.start_on >= whole.start_on and part.end_on <= whole.end_on
    where whole.kind <> 'month' and part.start_on <= (select night from tonight)
)
select
    part.calendar, part.kind, part.label, by_basis.unit_code, by_basis.field_code, by_basis.on_basis,
    bool_or(by_basis.from_summary) as from_summary,
    :sums_of_adding(by_basis),
    :sums_of_last(by_basis)
from part
join by_basis
    on (by_basis.calendar, by_basis.kind, by_basis.label) = (part.calendar, part.part_kind, part.part_label)
group by part.calendar, part.kind, part.label, by_basis.unit_code, by_basis.field_code, by_basis.on_basis;
analyze parts;

create temporary table identity on commit drop as
with
units as (
    select calendar, kind, label, field_code, on_basis, :counter_sums
    from by_basis
    where not is_province
    group by calendar, kind, label, field_code, on_basis
),
other as (
    select calendar, kind, label, field_code, on_basis, :counters
    from by_basis
    where is_province
)
select
    own.calendar, own.kind, own.label, own.unit_code, own.field_code, own.basis,
    max(case when own.is_province then (row(:counters_in(own)) is distinct from row(:counters_in(units)))::int end)
        as sum_of_units,
    max(case when own.field_code = '*' and fields.unit_code is not null then greatest(:fields_over_own) end)
        as fields_over_total,
    max(case when own.kind <> 'month' and not own.from_summary and not coalesce(parts.from_summary, false) then
        (row(:over_time_in(own)) is distinct from row(:over_time_or_zero_in(parts)))::int
    end) as sum_of_parts,
    max(case when own.is_province then (row(:counters_in(own)) is distinct from row(:counters_in(other)))::int end)
        as bases_differ
from by_basis as own
left join units
    on own.is_province
    and (units.calendar, units.kind, units.label, units.field_code, units.on_basis)
    = (own.calendar, own.kind, own.label, own.field_code, own.on_basis)
left join fields
    on own.field_code = '*'
    and (fields.calendar, fields.kind, fields.label, fields.unit_code, fields.on_basis)
    = (own.calendar, own.kind, own.label, own.unit_code, own.on_basis)
left join parts
    on (parts.calendar, parts.kind, parts.label, parts.unit_code, parts.field_code, parts.on_basis)
    = (own.calendar, own.kind, own.label, own.unit_code, own.field_code, own.on_basis)
left join other
    on own.is_province
    and (other.calendar, other.kind, other.label, other.field_code)
    = (own.calendar, own.kind, own.label, own.field_code) and other.on_basis <> own.on_basis
group by own.calendar, own.kind, own.label, own.unit_code, own.field_code, own.basis
