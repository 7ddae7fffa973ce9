-- A silence that has ended: what it covered is open again and told again.
with
woken as (
    update alerts.incident
    set state = 'open', snoozed_until = null
    where state = 'snoozed' and snoozed_until <= :now
    returning incident_id, turn, severity, subject, last_seen_on
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom)
    select incident_id, :now, 'woken', 'tthc' from woken
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, recorded_at)
select
    incident_id, 'woken', subject || '. Hết hạn tắt báo, chưa khắc phục / the silence has ended, it has not.', severity,
    cast(:now as timestamptz)::date, turn, :now
from woken
on conflict do nothing
