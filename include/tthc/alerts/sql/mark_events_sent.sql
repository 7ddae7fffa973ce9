-- An event is sent when the last message that tells it is.
update alerts.outbox
set sent_at = :now
from alerts.message_event
where message_event.message_id = :id and outbox.event_id = message_event.event_id
and not exists (
    select
    from alerts.message_event as other
    join alerts.message using (message_id)
    where other.event_id = outbox.event_id and message.sent_at is null
)
