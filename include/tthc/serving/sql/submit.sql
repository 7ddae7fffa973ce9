insert into core.submission (
    calendar, kind, label, unit_code, version, publication_id, as_of, is_interim, units_expected, units_reported, waiver,
    submitted_by, reason
)
values (
    :calendar, :kind, :label, :unit, :version, :publication, :as_of, :interim, :expected, :reported, :waiver, :by, :reason
)
returning submission_id
