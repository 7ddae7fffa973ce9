-- What became of a delivery a portal was asked for: one row a source, unit and night, the last answer counts.
-- A delivery that did not come has no bytes, so it cannot stand in core.delivery.
create table core.fetch (
    source_id text not null,
    unit_code text not null,  -- '*' where the portal does not serve commune by commune
    night date not null,
    outcome text not null check (outcome in ('fetched', 'unchanged', 'empty', 'failed')),
    file_name text collate "C" not null,
    file_sha256 text,  -- what was landed; null when nothing was
    etag text not null default '',
    last_modified text not null default '',
    reason text,  -- why it failed: PORTAL_…
    detail text,
    recorded_at timestamptz not null default now(),
    primary key (source_id, unit_code, night),
    check ((outcome = 'failed') = (reason is not null)),
    check (outcome not in ('fetched', 'unchanged') or file_sha256 is not null)
);
create index on core.fetch (source_id, file_sha256);
