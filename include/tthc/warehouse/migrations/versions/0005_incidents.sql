-- What becomes of an incident, and who did it.
alter table alerts.incident rename column recorded_at to opened_at;
alter table alerts.incident drop column decided_by;
alter table alerts.incident drop constraint incident_state_check;
alter table alerts.incident
    add constraint incident_state_check check (state in ('open', 'acknowledged', 'snoozed', 'resolved')),
    add column resolved_at timestamptz,
    add column turn int not null default 1,  -- one more whenever it comes back shortly after it was over
    add column nights int not null default 1,  -- on which it was seen
    add column severe_since date,  -- since when the severity is what it is
    add column snoozed_until timestamptz,
    add column is_group boolean not null default false,  -- one rule at many units or sources: stands for its members
    add column group_id bigint references alerts.incident;
update alerts.incident set severe_since = opened_on, resolved_at = case when state = 'resolved' then now() end;
alter table alerts.incident alter column severe_since set not null;
drop index alerts.incident_rule_id_source_id_unit_code_idx;
create unique index incident_alive on alerts.incident (rule_id, source_id, unit_code, is_group)
    where state <> 'resolved';
create index on alerts.incident (rule_id, source_id, unit_code, resolved_at);

create table alerts.incident_history (
    entry_id bigint generated always as identity primary key,
    incident_id bigint not null references alerts.incident,
    happened_at timestamptz not null,
    what text not null check (what in (
        'opened', 'continued', 'reopened', 'escalated', 'grouped', 'acknowledged', 'snoozed', 'woken', 'resolved'
    )),
    by_whom text not null,  -- 'tthc' where no person decided
    reason text
);
create index on alerts.incident_history (incident_id);
insert into alerts.incident_history (incident_id, happened_at, what, by_whom)
select incident_id, opened_at, 'opened', 'tthc' from alerts.incident;
insert into alerts.incident_history (incident_id, happened_at, what, by_whom)
select incident_id, now(), 'resolved', 'tthc' from alerts.incident where state = 'resolved';

-- The outbox: events to tell, written with what they tell of. `composed_at`: they stand in messages;
-- `sent_at`: the last of those messages has left; `withdrawn_at`: untrue before anybody was told.
alter table alerts.outbox rename column message_id to event_id;
alter table alerts.outbox drop constraint outbox_incident_id_kind_key, drop constraint outbox_kind_check;
alter table alerts.outbox
    drop column attempts,
    drop column next_try_at,
    drop column last_error,
    add constraint outbox_kind_check
        check (kind in ('opened', 'reopened', 'escalated', 'reminder', 'woken', 'resolved', 'report')),
    add column severity text not null default 'error' check (severity in ('warning', 'error', 'critical')),
    add column night date,
    add column turn int not null default 1,
    add column not_before timestamptz not null default '-infinity',
    add column composed_at timestamptz,
    add column withdrawn_at timestamptz;
update alerts.outbox set night = incident.last_seen_on, composed_at = sent_at
from alerts.incident where incident.incident_id = outbox.incident_id;
alter table alerts.outbox alter column night set not null;
create unique index on alerts.outbox (incident_id, kind, turn, night) where incident_id is not null;
create unique index on alerts.outbox (night) where kind = 'report';
create index on alerts.outbox (not_before) where composed_at is null and withdrawn_at is null;

-- One message is what one recipient gets at once; its key is the same however often it is sent.
create table alerts.message (
    message_id bigint generated always as identity primary key,
    message_key uuid not null unique default gen_random_uuid(),
    recipient text not null,
    kind text not null check (kind in ('digest', 'report')),
    severity text not null check (severity in ('warning', 'error', 'critical')),
    night date not null,
    subject text not null,
    body text not null,
    made_at timestamptz not null,
    way int not null default 0,  -- which of the recipient's channels is tried
    attempts int not null default 0,
    next_try_at timestamptz not null,
    sent_at timestamptz,
    sent_over text,
    last_error text
);
create index on alerts.message (next_try_at) where sent_at is null;

create table alerts.message_event (
    message_id bigint not null references alerts.message,
    event_id bigint not null references alerts.outbox,
    primary key (message_id, event_id)
);
create index on alerts.message_event (event_id);

-- When the dispatcher ran and what it left; with a night: at the end of that night's run.
create table alerts.dispatch (
    dispatch_id bigint generated always as identity primary key,
    ran_at timestamptz not null,
    night date,
    sent int not null,
    failed int not null,
    waiting int not null
);

-- Steps of a nightly run: one that began and neither ended nor failed was killed.
create table alerts.step (
    night date not null,
    name text not null,
    run text not null,
    began_at timestamptz not null,
    ended_at timestamptz,
    failed_as text,  -- class of the error, never its words
    primary key (night, name, run)
);
