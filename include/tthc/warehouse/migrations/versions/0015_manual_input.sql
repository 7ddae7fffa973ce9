-- What units are asked to state, and how it enters index 766.
create table ref.manual_indicator (
    indicator text primary key,
    version text not null,
    title text not null,
    levels text[] not null,
    summed boolean not null  -- the province is the sum of its units
);
alter table ref.index_component
    add column points_at_zero numeric(6, 3),  -- what a denominator of 0 earns; null: nothing, and no maximum
    add column not_for text[] not null default '{}';  -- levels that have all points because it does not apply to them
create table ref.index_band (
    band text primary key,
    from_share numeric(4, 3) not null
);
-- The reference data are read anew, with the columns above.
delete from ref.loaded;

-- What a unit stated, one row a line of its form; both counts null: an empty line, which states nothing.
create table core.manual_input (
    delivery_id bigint not null references core.delivery,
    sheet text not null,
    row_no int not null,
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    indicator text not null,
    numerator bigint,
    denominator bigint,
    on_record boolean not null,  -- the form showed a figure here: an empty line takes it back
    primary key (delivery_id, sheet, row_no),
    check ((numerator is null) = (denominator is null) and 0 <= numerator and numerator <= denominator)
);

-- Figures made of it, written only when they change, as rollup.counter is.
create table rollup.manual (
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    basis text not null check (basis in ('*', 'as_reported', 'current_boundary')),
    indicator text not null,
    version text not null,  -- of what the indicator counts
    first_publication bigint not null references rollup.publication,
    last_publication bigint references rollup.publication,
    flags text[] not null,
    numerator bigint not null,
    denominator bigint not null,
    units_expected int not null,
    units_reported int not null,
    primary key (calendar, kind, label, unit_code, basis, indicator, first_publication)
);

-- The statements behind the current publication; replaced by every publication.
create table rollup.manual_told (
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    current_code text not null,
    is_split boolean not null,
    indicator text not null,
    numerator bigint not null,
    denominator bigint not null,
    source_id text not null,
    night date not null,
    file_name text not null,
    delivery_id bigint not null references core.delivery,
    sheet text not null,
    row_no int not null,
    primary key (calendar, kind, label, unit_code, indicator)
);
