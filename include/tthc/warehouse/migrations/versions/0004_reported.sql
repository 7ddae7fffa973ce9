-- What summary reports count, as reference data.
create table ref.measure (
    measure text primary key,
    title text not null,
    kind text not null check (kind in ('count', 'percent')),
    additive boolean not null,
    profile text,
    recomputed text  -- counters joined by + and -; null: our dossiers do not say it
);

-- What a summary report told: one row a cell. Never disguised as dossiers.
create table core.reported (
    delivery_id bigint not null references core.delivery,
    sheet text not null,
    row_no int not null,
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    field_name text not null,  -- '*' in a report that has no fields
    field_key text not null,
    measure text not null,
    value bigint not null,
    primary key (delivery_id, row_no, measure)
);

insert into core.reported (
    delivery_id, sheet, row_no, calendar, kind, label, unit_code, field_name, field_key, measure, value
)
select
    form.delivery_id, '', form.row_no, form.calendar, form.kind, form.label, form.unit_code, form.field_name,
    form.field_key, told.measure, told.value
from core.summary_06a as form
cross join lateral (values
    ('received_total', form.received_total),
    ('received_online', form.received_online),
    ('received_direct', form.received_direct),
    ('carried_over', form.carried_over),
    ('resolved_total', form.resolved_total),
    ('resolved_early', form.resolved_early),
    ('resolved_on_time', form.resolved_on_time),
    ('resolved_late', form.resolved_late),
    ('in_progress_total', form.in_progress_total),
    ('in_progress_in_time', form.in_progress_in_time),
    ('in_progress_overdue', form.in_progress_overdue)
) as told (measure, value);
drop table core.summary_06a;

-- The newest word of each report beside what the dossiers give; replaced by every publication.
create table rollup.reported (
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    field_code text not null,
    measure text not null,
    source_id text not null,
    layout_id text not null,
    file_name text not null,
    night date not null,
    delivery_id bigint not null references core.delivery,
    sheet text,
    row_no int,  -- null: a sum over rows, or a field the report does not name
    reported bigint not null,
    recomputed bigint,  -- null: there are no dossiers to compare with, or they do not say it
    primary key (unit_code, label, calendar, kind, field_code, measure, source_id, layout_id)
);
