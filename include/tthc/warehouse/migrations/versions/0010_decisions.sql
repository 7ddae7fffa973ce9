alter table alerts.outbox
    drop constraint outbox_kind_check,
    add constraint outbox_kind_check
        check (kind in ('opened', 'reopened', 'escalated', 'reminder', 'woken', 'decided', 'resolved', 'report'));
-- Several files of one incident are decided on one day.
drop index alerts.outbox_incident_id_kind_turn_night_idx;
create unique index outbox_incident_id_kind_turn_night_idx on alerts.outbox (incident_id, kind, turn, night)
    where incident_id is not null and kind <> 'decided';
alter table alerts.incident_history
    drop constraint incident_history_what_check,
    add constraint incident_history_what_check check (what in (
        'opened', 'continued', 'reopened', 'escalated', 'grouped', 'acknowledged', 'snoozed', 'woken', 'decided', 'resolved'
    ));
