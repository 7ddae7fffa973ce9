-- A held delivery is in: its file as it is understood now. Why it was held stays.
update core.delivery
set layout_id = :layout_id, feed = :feed, verdict = :verdict, rows_read = :rows_read, rows_accepted = :rows_accepted,
    rows_quarantined = :rows_quarantined, rows_dropped = :rows_dropped, rows_duplicate = :rows_duplicate,
    members = :members, newest_on = :newest_on, only_status = :only_status, shares = cast(:shares as jsonb),
    reference = (select fingerprint from ref.loaded)
where delivery_id = :id
returning source_id, night
