-- Definitions of metrics by version, and the counters that variants choose between.

-- One version of one metric. Append-only: what was published under it stays readable. meaning: null where only the
-- formula is known, because it was published before versions were kept.
create table ref.definition (
    metric_id text not null,
    profile text not null,
    version text not null,
    fingerprint text not null,
    numerator text not null,
    denominator text,
    meaning jsonb,
    recorded_at timestamptz not null default now(),
    primary key (metric_id, profile, version)
);

create function ref.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'a definition that was kept is not changed: a change is a new version';
end
$$;
create trigger append_only before delete or truncate on ref.definition execute function ref.refuse_change();
create trigger is_kept before update on ref.definition
    for each row when (old.meaning is not null) execute function ref.refuse_change();

-- A registry as it was loaded: which versions it holds, for which days, in which words.
create table ref.registry (
    registry_id int generated always as identity primary key,
    fingerprint text not null unique,
    recorded_at timestamptz not null default now()
);
create table ref.registry_entry (
    registry_id int not null references ref.registry,
    position int not null,
    metric_id text not null,
    profile text not null,
    version text not null,
    valid_from date not null,
    valid_to date not null,
    title text not null,
    citation text not null,
    assumption text,
    primary key (registry_id, metric_id, profile, version),
    foreign key (metric_id, profile, version) references ref.definition
);

alter table ref.loaded add column registry_id int references ref.registry;
alter table rollup.publication add column registry_id int references ref.registry;

alter table rollup.counter
    add column finished_undated bigint not null default 0,
    add column paused bigint not null default 0,
    add column index_withdrawn bigint not null default 0,
    add column index_awaiting_payment bigint not null default 0,
    add column index_undated bigint not null default 0,
    add column index_in_time_withdrawn bigint not null default 0,
    add column index_in_time_awaiting_payment bigint not null default 0,
    add column index_in_time_undated bigint not null default 0,
    add column index_in_time_open bigint not null default 0;

-- What was published so far rests on the definitions that came with it.
insert into ref.definition (metric_id, profile, version, fingerprint, numerator, denominator)
select metric_id, profile, '2026.1', '', numerator, denominator
from (values
    ('received', 'TT01_06A', 'received', null),
    ('resolved', 'TT01_06A', 'resolved_early + resolved_on_time + resolved_late', null),
    ('in_progress', 'TT01_06A', 'in_progress', null),
    ('on_time', 'TT01_06A', 'resolved_early + resolved_on_time', 'resolved_early + resolved_on_time + resolved_late'),
    ('on_time', 'IDX766', 'index_in_time', 'dossiers_received'),
    ('on_time', 'DASH', 'dash_in_time', 'dash_finished'),
    ('overdue_open', 'TT01_06A', 'overdue', 'in_progress'),
    ('online_submission', '*', 'received_online', 'received'),
    ('online_submission', 'IDX766', 'online_with_result', 'dossiers_received'),
    ('online_submission_full', '*', 'full_online', 'full_received'),
    ('online_payment', '*', 'fee_paid_online', 'fee_received'),
    ('digitised_components', '*', 'components_digitised', 'dossiers_received'),
    ('digitised_result', '*', 'result_digitised', 'yielding_finished'),
    ('digitised_full', '*', 'fully_digitised', 'yielding_finished'),
    ('digitised_result_received', '*', 'yielding_received_digitised', 'yielding_received'),
    ('electronic_result', '*', 'result_electronic', 'yielding_finished'),
    ('reuse', '*', 'data_reused', 'dossiers_received')
) as shipped (metric_id, profile, numerator, denominator)
where exists (select from rollup.publication);

insert into ref.registry (fingerprint)
select 'published before versions were kept'
where exists (select from rollup.publication);

insert into ref.registry_entry (registry_id, position, metric_id, profile, version, valid_from, valid_to, title, citation)
select registry.registry_id, row_number() over (), metric_id, profile, version, '0001-01-01', '9999-12-31', metric_id, ''
from ref.definition
cross join ref.registry;

update rollup.publication set registry_id = (select registry_id from ref.registry);
alter table rollup.publication alter column registry_id set not null, drop column definition_version;
update ref.loaded set fingerprint = '';  -- the reference data are to be loaded anew
