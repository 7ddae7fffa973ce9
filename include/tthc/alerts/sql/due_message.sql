-- The oldest message that is due and not being sent by somebody else; one recipient's messages go in their order.
select message.*
from alerts.message
where message.sent_at is null and message.next_try_at <= :now and message.message_id <> all(:tried)
and not exists (
    select
    from alerts.message as earlier
    where earlier.recipient = message.recipient and earlier.message_id < message.message_id
    and earlier.sent_at is null and earlier.attempts < :in_order
)
order by message.message_id
limit 1
for update skip locked
