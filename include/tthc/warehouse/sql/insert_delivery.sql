insert into core.delivery (
    source_id, night, file_sha256, file_name, layout_id, feed, verdict, reason, detail, rows_read, rows_accepted,
    rows_quarantined, rows_dropped, rows_duplicate, members, newest_on, only_status, shares,
    reference
)
values (
    :source_id, :night, :file_sha256, :file_name, :layout_id, :feed, :verdict, :reason, :detail, :rows_read,
    :rows_accepted, :rows_quarantined, :rows_dropped, :rows_duplicate, :members, :newest_on, :only_status,
    cast(:shares as jsonb),
    (select fingerprint from ref.loaded)
)
returning delivery_id
