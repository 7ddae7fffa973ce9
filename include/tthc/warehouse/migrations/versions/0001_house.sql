-- Reference data as loaded from include/reference; replaced whole by every `tthc init`.
create schema ref;

create table ref.unit (
    unit_code text not null,
    level text not null check (level in ('province', 'commune', 'department')),
    kind text not null,
    name text not null,
    full_name text not null,
    sort_key text not null,
    parent_code text not null,
    province_code text not null,
    valid_from date not null,  -- 0001-01-01: before our records
    valid_to date not null,    -- 9999-12-31: still valid
    primary key (unit_code, valid_from)
);

-- What became of a unit that has ended: one row when the whole of it went into another, several when it was split.
create table ref.unit_succession (
    old_code text not null,
    new_code text not null,
    effective_date date not null,
    is_partial boolean not null,
    primary key (old_code, new_code, effective_date)
);

create table ref.procedure (
    procedure_code text primary key,
    procedure_name text not null,
    field_code text,
    field_name text,
    field_key text,  -- folded name, the key under which fields are compared
    service_level text,
    yields_result boolean,
    max_working_days int,
    origin text not null check (origin in ('registry', 'catalogue'))
);

create table ref.calendar (
    day date primary key,
    is_working boolean not null,
    working_index int not null  -- working days up to and including this one; a difference counts (from, to]
);

create table ref.period (
    calendar text not null,
    kind text not null,
    label text not null,
    start_on date not null,
    end_on date not null,
    last_month int not null,  -- year * 12 + month - 1 of the last reporting month
    primary key (calendar, kind, label)
);

create table ref.source (
    source_id text primary key,
    title text not null,
    priority int not null unique,
    delivery text not null
);

create table ref.target (
    target_id text primary key,
    document text not null,
    unit_code text,
    level_scope text not null,
    metric_id text,
    profile text,
    field_code text not null,
    comparator text not null check (comparator in ('>=', '>', '=')),
    target_value numeric(6, 5) not null,
    period_from date not null,
    period_to date not null,
    source_line int not null,
    indicator text not null,
    note text
);

-- Components of index 766; one without a metric cannot be told from dossiers.
create table ref.index_component (
    group_code text not null,
    component_id text primary key,
    title text not null,
    max_points numeric(6, 3) not null,
    metric_id text,
    profile text,
    full_at numeric(4, 3) not null  -- the share that earns all points
);

create table ref.loaded (
    singleton boolean primary key default true check (singleton),
    fingerprint text not null,
    loaded_at timestamptz not null default now()
);

-- What was received, understood and kept.
create table core.hmac_key (
    key_id int primary key,
    fingerprint text not null,
    province text not null,  -- part of every hash, so one warehouse holds one province
    first_used_at timestamptz not null default now()
);

-- The manifest: one row a delivery, written in the transaction that writes its rows.
create table core.delivery (
    delivery_id bigint generated always as identity primary key,
    source_id text not null,
    night date not null,
    file_sha256 text not null,
    file_name text not null,
    layout_id text,
    feed text,
    verdict text not null
        check (verdict in ('loaded', 'loaded_with_quarantine', 'held', 'rejected', 'already_known', 'deferred')),
    reason text,
    detail text,
    rows_read int not null default 0,
    rows_accepted int not null default 0,
    rows_quarantined int not null default 0,
    rows_dropped int not null default 0,
    rows_duplicate int not null default 0,
    same_as bigint references core.delivery,  -- the delivery of these bytes that was parsed
    members bytea,  -- what it contained: 8 bytes of each dossier key and 4 of its row number, see warehouse/late.py
    reference text,  -- fingerprint of the reference data the file was judged by
    recorded_at timestamptz not null default now(),
    check (verdict in ('rejected', 'held', 'deferred')
           or rows_read = rows_accepted + rows_quarantined + rows_dropped + rows_duplicate)
);
create index on core.delivery (file_sha256);
-- A delivery is judged once; a rejected one may be judged again when the reference data have changed.
create unique index on core.delivery (source_id, night, file_sha256) where verdict <> 'rejected';
create unique index on core.delivery (source_id, night, file_sha256, reference) where verdict = 'rejected';

-- What a person decided about a held file.
create table core.decision (
    delivery_id bigint primary key references core.delivery,
    decision text not null check (decision in ('release', 'refuse')),
    decided_by text not null,
    reason text not null,
    decided_at timestamptz not null default now()
);

create table core.delivery_unit (
    delivery_id bigint not null references core.delivery,
    unit_code text not null,
    row_count int not null,
    primary key (delivery_id, unit_code)
);

-- How often each rule spoke in a file: refusals, warnings, reasons for dropping.
create table core.delivery_finding (
    delivery_id bigint not null references core.delivery,
    rule_id text not null,
    severity text not null check (severity in ('quarantine', 'warning', 'dropped', 'drift')),
    row_count int not null,
    detail text,
    primary key (delivery_id, rule_id)
);

create table core.quarantine (
    quarantine_id bigint generated always as identity primary key,
    delivery_id bigint not null references core.delivery,
    sheet text not null,
    row_no int not null,
    ordinal int not null,  -- 1 for the first rule a row failed, 2 for the next
    column_name text not null,
    rule_id text not null,
    reason text not null,
    unit_code text
);
create index on core.quarantine (delivery_id);

-- Every state of every dossier, as one source told it on one night. Append-only.
create table core.dossier_version (
    version_id bigint generated always as identity primary key,
    dossier_key uuid not null,
    delivery_id bigint not null references core.delivery,
    source_id text not null,
    night date not null,
    file_name text not null,
    sheet text not null,
    row_no int not null,
    changed boolean not null,  -- false: the first word of this source about this dossier
    content uuid not null,  -- md5 of everything below; equal content is the same state
    unit_code text not null,
    procedure_code text,
    field_name text,
    field_key text,
    status smallint not null,
    channel smallint,
    service_level text,
    submitted_on date,
    received_on date,
    due_on date,
    due_at timestamp,
    finished_on date,
    finished_at timestamp,
    returned_on date,
    returned_at timestamp,
    supplement_count bigint,
    supplement_requested_on date,
    supplement_requested_at timestamp,
    fee_amount bigint,
    payment_method text,
    paid_on date,
    components_digitised boolean,
    result_digitised boolean,
    result_electronic boolean,
    data_reused boolean,
    recorded_at timestamptz not null default now()
);
create index on core.dossier_version (dossier_key, source_id, night, file_name, delivery_id, row_no);
create index on core.dossier_version (delivery_id);
create index on core.dossier_version (source_id, night) where changed;

create function core.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'core.dossier_version is append-only: a correction is a new version';
end
$$;
create trigger append_only before update or delete or truncate on core.dossier_version
    execute function core.refuse_change();

-- The current state: of the source that ranks first, the newest night. Always what the versions rebuild.
create table core.dossier (
    dossier_key uuid primary key,
    version_id bigint not null,
    unit_code text not null,
    procedure_code text,
    field_name text,
    field_key text,
    status smallint not null,
    channel smallint,
    service_level text,
    received_on date,
    due_on date,
    due_at timestamp,
    finished_on date,
    finished_at timestamp,
    returned_on date,
    returned_at timestamp,
    supplement_count bigint,
    supplement_requested_on date,
    supplement_requested_at timestamp,
    fee_amount bigint,
    payment_method text,
    components_digitised boolean,
    result_digitised boolean,
    result_electronic boolean,
    data_reused boolean
);

-- Form II.06 as a unit filled it, one row a field (lĩnh vực): never disguised as dossiers.
create table core.summary_06a (
    delivery_id bigint not null references core.delivery,
    row_no int not null,
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    field_name text not null,
    field_key text not null,
    received_total bigint not null,
    received_online bigint not null,
    received_direct bigint not null,
    carried_over bigint not null,
    resolved_total bigint not null,
    resolved_early bigint not null,
    resolved_on_time bigint not null,
    resolved_late bigint not null,
    in_progress_total bigint not null,
    in_progress_in_time bigint not null,
    in_progress_overdue bigint not null,
    primary key (delivery_id, row_no)
);

-- Figures: counts once, wide, written only when they change.
create schema rollup;

create table rollup.publication (
    publication_id bigint generated always as identity primary key,
    published_at timestamptz not null default now(),
    night date not null,
    based_on text not null,
    definition_version text not null
);

create table rollup.current_publication (
    singleton boolean primary key default true check (singleton),
    publication_id bigint not null references rollup.publication
);

create table rollup.counter (
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    field_code text not null,
    basis text not null check (basis in ('*', 'as_reported', 'current_boundary')),  -- '*': both are equal
    first_publication bigint not null references rollup.publication,
    last_publication bigint references rollup.publication,  -- null: still holds
    flags text[] not null,
    received bigint not null,
    received_online bigint not null,
    resolved_early bigint not null,
    resolved_on_time bigint not null,
    resolved_late bigint not null,
    withdrawn bigint not null,
    in_progress bigint not null,
    overdue bigint not null,
    stopped bigint not null,
    dossiers_received bigint not null,
    index_in_time bigint not null,
    online_with_result bigint not null,
    full_received bigint not null,
    full_online bigint not null,
    fee_received bigint not null,
    fee_paid_online bigint not null,
    components_digitised bigint not null,
    data_reused bigint not null,
    yielding_received bigint not null,
    yielding_received_digitised bigint not null,
    yielding_finished bigint not null,
    result_digitised bigint not null,
    fully_digitised bigint not null,
    result_electronic bigint not null,
    dash_finished bigint not null,
    dash_in_time bigint not null,
    primary key (calendar, kind, label, unit_code, field_code, basis, first_publication)
);
create index on rollup.counter (unit_code, label) where last_publication is null;

create table rollup.coverage (
    calendar text not null,
    kind text not null,
    label text not null,
    unit_code text not null,
    first_publication bigint not null references rollup.publication,
    last_publication bigint references rollup.publication,
    units_expected int not null,
    units_reported int not null,
    primary key (calendar, kind, label, unit_code, first_publication)
);

-- By day, for charts; replaced where a day changed.
create table rollup.flow_day (
    day date not null,
    unit_code text not null,
    field_code text not null,
    received bigint not null,
    resolved_early bigint not null,
    resolved_on_time bigint not null,
    resolved_late bigint not null,
    primary key (day, unit_code, field_code)
);

create table rollup.status_day (
    night date not null,
    unit_code text not null,
    field_code text not null,
    open bigint not null,
    overdue bigint not null,
    due_within_3_working_days bigint not null,
    paused bigint not null,
    primary key (night, unit_code, field_code)
);

-- Alerts are state.
create schema alerts;

create table alerts.incident (
    incident_id bigint generated always as identity primary key,
    rule_id text not null,
    source_id text not null,
    unit_code text not null,  -- '*' where no single unit is meant
    severity text not null check (severity in ('warning', 'error', 'critical')),
    state text not null check (state in ('open', 'acknowledged', 'resolved')),
    opened_on date not null,
    last_seen_on date not null,
    resolved_on date,
    subject text not null,
    detail text not null,
    decided_by text,
    recorded_at timestamptz not null default now()
);
create unique index on alerts.incident (rule_id, source_id, unit_code) where state <> 'resolved';

create table alerts.outbox (
    message_id bigint generated always as identity primary key,
    incident_id bigint references alerts.incident,
    kind text not null check (kind in ('opened', 'resolved')),
    body text not null,
    attempts int not null default 0,
    next_try_at timestamptz not null default now(),
    sent_at timestamptz,
    last_error text,
    recorded_at timestamptz not null default now(),
    unique (incident_id, kind)
);
