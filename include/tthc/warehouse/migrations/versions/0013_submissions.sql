-- Grain: version of what was handed in (chốt số liệu) for a period and unit; of the province: with all its units.
create table core.submission (
    submission_id bigint generated always as identity primary key,
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    version int not null check (version >= 1),
    publication_id bigint not null references rollup.publication,
    as_of date not null,  -- the cut-off: the earlier of the period's end and the publication's night
    is_interim boolean not null,
    units_expected int,
    units_reported int,
    waiver text,  -- why it was handed in although units were missing
    submitted_by text not null,
    reason text not null,
    submitted_at timestamptz not null default now(),
    unique (calendar, label, unit_code, version)
);

-- Grain: row of a view of schema mart as it stood when it was handed in. Kept as a row, not computed again: neither
-- another definition nor another name of a unit changes what was told to others.
create table core.submitted_row (
    submission_id bigint not null references core.submission,
    view_name text not null check (view_name in ('kpi', 'kpi_vs_target', 'form_06a', 'ranking')),
    content jsonb not null
);
create index on core.submitted_row (submission_id, view_name);

create function core.refuse_change_of_submission() returns trigger language plpgsql as $$
begin
    raise exception 'what was handed in does not change: a correction is a new version';
end
$$;
create trigger append_only before update or delete or truncate on core.submission
    execute function core.refuse_change_of_submission();
create trigger append_only before update or delete or truncate on core.submitted_row
    execute function core.refuse_change_of_submission();
