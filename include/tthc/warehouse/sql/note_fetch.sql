insert into core.fetch as known (
    source_id, unit_code, night, outcome, file_name, file_sha256, etag, last_modified, reason, detail
)
values (:source, :unit, :night, :outcome, :name, :sha, :etag, :modified, :reason, :detail)
on conflict (source_id, unit_code, night) do update
set outcome = excluded.outcome, file_name = excluded.file_name, file_sha256 = excluded.file_sha256,
    etag = excluded.etag, last_modified = excluded.last_modified, reason = excluded.reason, detail = excluded.detail,
    recorded_at = now()
