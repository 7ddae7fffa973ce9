-- Which side a source speaks for, and the counts of what the two sides tell of the same dossiers; replaced where they changed.
alter table ref.source add column level text not null default 'province' check (level in ('province', 'nation'));

create table rollup.source_day (
    day date not null,
    unit_code text not null,
    field_code text not null,  -- '': not known
    only_province bigint not null,
    only_nation bigint not null,
    in_both bigint not null,
    differing bigint not null,
    status_differs bigint not null,
    unit_differs bigint not null,
    procedure_differs bigint not null,
    received_differs bigint not null,
    due_differs bigint not null,
    finished_differs bigint not null,
    primary key (day, unit_code, field_code)
);

update ref.loaded set fingerprint = '';  -- the reference data are to be loaded anew
