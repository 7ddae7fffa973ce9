insert into core.delivery (
    source_id, night, file_sha256, file_name, layout_id, feed, verdict, reason, detail, rows_read, rows_accepted,
    rows_quarantined, rows_dropped, rows_duplicate, members
)
values (
    :source_id, :night, :file_sha256, :file_name, :layout_id, :feed, :verdict, :reason, :detail, :rows_read,
    :rows_accepted, :rows_quarantined, :rows_dropped, :rows_duplicate, :members
)
returning delivery_id
