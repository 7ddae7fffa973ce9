-- Grain: file of the newest night that a person should look at; the gravest first.
select source_id, unit_code, file_name, verdict, reason, rows_read, rows_accepted, rows_quarantined
from mart.data_quality
where rule_id is null and night = (select max(night) from mart.data_quality)
    and (verdict in ('held', 'rejected', 'deferred') or rows_quarantined > 0)
order by array_position(array['rejected', 'held', 'deferred'], verdict), rows_quarantined desc, source_id, file_name
