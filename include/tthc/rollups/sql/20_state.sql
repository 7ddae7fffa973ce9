-- Grain: dossier that any figure counts (statuses 1 and 3 are in none). Adds what the definitions ask for: the field,
-- its place, the end under each profile, and working-day numbers.
create temporary table state on commit drop as
select
    known.dossier_key,
    known.version_id,
    known.unit_code,
    place.place_id,
    coalesce(field_of_code.field_code, procedure.field_code, procedure.field_name, field.field_code, known.field_name)
        as field_code,
    known.status,
    coalesce(known.channel, 1) as channel,
    coalesce(known.service_level, procedure.service_level) = 'toan_trinh' as is_full_service,
    coalesce(known.service_level, procedure.service_level) in ('mot_phan', 'toan_trinh') as is_offered_online,
    coalesce(procedure.yields_result, true) as yields_result,
    procedure.max_working_days,
    known.fee_amount > 0 as has_fee,
    known.payment_method = 'online' as paid_online,
    coalesce(known.components_digitised, false) as components_digitised,
    coalesce(known.result_digitised, false) as result_digitised,
    coalesce(known.result_electronic, false) as result_electronic,
    coalesce(known.data_reused, false) as data_reused,
    coalesce(known.supplement_count, 0) as supplement_count,
    known.supplement_requested_on,
    known.received_on,
    known.due_on,
    known.due_at,
    -- resolved under TT01_06A: finished, or withdrawn from its end date
    case when known.status in (7, 9, 10) then known.finished_on end as resolved_on,
    case
        when known.status in (7, 9, 10) and known.finished_on is not null then
            case
                when known.status = 7 or known.due_on is null then 'on_time'
                when known.finished_on < known.due_on then 'early'
                when known.finished_on = known.due_on then 'on_time'
                else 'late'
            end
    end as timeliness,
    case when known.status in (9, 10) then known.finished_on end as finished_on,
    case when known.status = 8 then known.finished_on end as stopped_on,
    -- the end under IDX766: finish, withdrawal, stop, else the supplement request
    case when known.status in (7, 8, 9, 10) then known.finished_on when known.status = 5 then known.supplement_requested_on
    end as index_end_on,
    case when known.status in (7, 8, 9, 10) then known.finished_at when known.status = 5 then known.supplement_requested_at
    end as index_end_at,
    received_day.working_index as received_index,
    end_day.working_index as index_end_index
from known
left join ref.procedure using (procedure_code)
left join rollup.field on field.field_key = known.field_key
left join rollup.field as field_of_code on field_of_code.field_key = procedure.field_key and procedure.field_code is null
join place
    on place.of_dossiers and place.unit_code = known.unit_code
    and known.received_on >= place.since and known.received_on < place.until
    and case when place.is_weighted then
        -- the dossier's own point between 0 and 2^32: the same on every night, whatever other dossiers come
        ('x' || left(md5(known.dossier_key || place.unit_code), 8))::bit(32)::bigint
            between place.share_from and place.share_to - 1
        else true end
left join ref.calendar as received_day on received_day.day = known.received_on
left join ref.calendar as end_day on end_day.day
    = case when known.status in (7, 8, 9, 10) then known.finished_on when known.status = 5 then known.supplement_requested_on
    end
where known.status not in (1, 3) and known.received_on is not null and known.received_on <= (select night from tonight)
