-- Grain: file of the newest night that was not loaded. Who decided stays inside the house, why goes out.
select
    delivery.source_id,
    delivery.file_name,
    delivery.night,
    delivery.verdict,
    concat_ws(': ', delivery.reason, coalesce(decision.reason, delivery.detail)) as reason
from quarantine_delivery as delivery
left join core.decision using (delivery_id)
where delivery.verdict in ('held', 'rejected')
order by delivery.source_id, delivery.file_name
