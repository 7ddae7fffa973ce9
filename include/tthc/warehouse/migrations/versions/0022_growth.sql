-- How wide an incident was when it was last told: units, files, or members of a group.
alter table alerts.incident add column width int not null default 1;
-- That it grew graver or wider is told once.
alter table alerts.outbox
    drop constraint outbox_kind_check,
    add constraint outbox_kind_check check (kind in (
        'opened', 'reopened', 'grown', 'escalated', 'reminder', 'woken', 'decided', 'resolved', 'report'
    ));
alter table alerts.incident_history
    drop constraint incident_history_what_check,
    add constraint incident_history_what_check check (what in (
        'opened', 'continued', 'reopened', 'grown', 'escalated', 'grouped', 'acknowledged', 'snoozed', 'woken', 'decided',
        'resolved'
    ));
