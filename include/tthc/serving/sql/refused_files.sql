-- Grain: file that was not loaded and did not come again since. Who decided stays inside the house, why goes out.
select distinct on (delivery.source_id, delivery.file_name)
    delivery.source_id,
    delivery.file_name,
    delivery.night,
    min(delivery.night) over (partition by delivery.source_id, delivery.file_name) as first_night,
    delivery.verdict,
    concat_ws(': ', delivery.reason, coalesce(decision.reason, delivery.detail)) as reason
from core.delivery
left join core.decision using (delivery_id)
where delivery.verdict in ('held', 'rejected')
and not exists (
    select from core.delivery as later
    where later.source_id = delivery.source_id
    and later.file_name = delivery.file_name
    and later.verdict not in ('held', 'rejected')
    and (later.night, later.delivery_id) > (delivery.night, delivery.delivery_id)
)
order by delivery.source_id, delivery.file_name, delivery.night desc, delivery.delivery_id desc
