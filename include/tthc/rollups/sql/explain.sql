-- Grain: dossier behind a figure. Which counters it is in, and the row of the file its counted state came from.
with behind as (
    select dossier_key, version_id, place_id, field_code, to_jsonb(received_row) as counters
    from received_row
    where calendar = :calendar and label = :label
    union all
    select dossier_key, version_id, place_id, field_code, to_jsonb(ended_row)
    from ended_row
    where calendar = :calendar and label = :label
    union all
    select dossier_key, version_id, place_id, field_code, to_jsonb(open_row)
    from open_row
    join told_by using (calendar, last_month)
    where calendar = :calendar and told_by.label = :label
),
counted as (
    select
        dossier_key,
        version_id,
        bool_or(
            exists (select from unnest(cast(:numerator as text[])) as name where counters ->> name = 'true')
            and not exists (select from unnest(cast(:numerator_less as text[])) as name where counters ->> name = 'true')
        ) as in_numerator,
        bool_or(
            exists (select from unnest(cast(:denominator as text[])) as name where counters ->> name = 'true')
            and not exists (select from unnest(cast(:denominator_less as text[])) as name where counters ->> name = 'true')
        ) as in_denominator
    from behind
    join place using (place_id)
    where (
        :unit = (select province from tonight)
        or :unit = case when :basis = 'current_boundary' then current_code else place.unit_code end
        or :unit = former_province and :basis = 'as_reported'
    )
    and (:field = '*' or field_code = :field)
    group by dossier_key, version_id
)
select
    counted.dossier_key,
    counted.in_numerator,
    counted.in_denominator,
    version.source_id,
    version.night,
    version.file_name,
    delivery.file_sha256,
    delivery.layout_id,
    version.sheet,
    version.row_no
from counted
join core.dossier_version as version using (version_id)
join core.delivery using (delivery_id)
where counted.in_numerator or counted.in_denominator
order by version.source_id, version.file_name, version.sheet, version.row_no, counted.dossier_key
