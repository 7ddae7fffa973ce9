alter table core.quarantine
    add dossier_key uuid,  -- keyed hash of the dossier code, where the row let it be read
    add cell text not null default '',  -- its address in the owner's file, such as I7
    add expected text not null default '',  -- what the cell should hold
    add state text not null default 'open' check (state in ('open', 'repaired', 'replaced', 'waived')),
    add ended_at timestamptz,
    add ended_by bigint references core.delivery,  -- the delivery whose rows ended it; its own when it was replayed
    add check ((state = 'open') = (ended_at is null));
create index on core.quarantine (dossier_key) where state = 'open';

-- A delivery judged again by changed rules, reference data or layouts; only what that changed is noted.
create table core.replay (
    replay_id bigint generated always as identity primary key,
    delivery_id bigint not null references core.delivery,
    reference text,
    rows_entered int not null,
    rows_waived int not null,
    replayed_at timestamptz not null default now()
);
