-- Figures of manual input that no longer hold end with the publication before this one, new ones begin; the statements
-- behind them are kept for whoever asks where a figure comes from.
with ended as (
    update rollup.manual as held
    set last_publication = tonight.publication_id - 1
    from tonight
    where held.last_publication is null
    and not exists (
        select from manual_fresh as fresh
        where row(fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.basis, fresh.indicator, fresh.version, fresh.flags,
            fresh.numerator, fresh.denominator, fresh.units_expected, fresh.units_reported)
            = row(held.calendar, held.kind, held.label, held.unit_code, held.basis, held.indicator, held.version, held.flags,
            held.numerator, held.denominator, held.units_expected, held.units_reported)
    )
    returning held.calendar, held.kind, held.label, held.unit_code, held.basis, held.indicator
)
insert into rollup.manual (
    calendar, kind, label, unit_code, basis, indicator, version, first_publication, flags, numerator, denominator,
    units_expected, units_reported
)
select
    fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.basis, fresh.indicator, fresh.version, tonight.publication_id,
    fresh.flags, fresh.numerator, fresh.denominator, fresh.units_expected, fresh.units_reported
from manual_fresh as fresh
cross join tonight
where not exists (
    select from rollup.manual as held
    where (held.calendar, held.kind, held.label, held.unit_code, held.basis, held.indicator)
        = (fresh.calendar, fresh.kind, fresh.label, fresh.unit_code, fresh.basis, fresh.indicator)
    and held.last_publication is null
    and not exists (
        select from ended
        where (ended.calendar, ended.kind, ended.label, ended.unit_code, ended.basis, ended.indicator)
            = (held.calendar, held.kind, held.label, held.unit_code, held.basis, held.indicator)
    )
);
delete from rollup.manual_told;
insert into rollup.manual_told (
    calendar, kind, label, unit_code, current_code, is_split, indicator, numerator, denominator, source_id, night,
    file_name, delivery_id, sheet, row_no, numerator_cell, denominator_cell
)
select
    calendar, kind, label, unit_code, current_code, is_split, indicator, numerator, denominator, source_id, night,
    file_name, delivery_id, sheet, row_no, numerator_cell, denominator_cell
from manual_told;
