-- Grain: refused row and rule that is still open. A dossier refused on several nights is corrected once, in the newest
-- file that names it; a row without a code in the newest file of its name; `first_night` is the first of them. A file of one unit belongs to that unit even
-- where a row does not say whose it is.
create temporary table quarantine_open on commit drop as
with
single as (
    select delivery_id, min(unit_code) as unit_code
    from core.delivery_unit
    group by delivery_id
    having count(*) = 1
),
standing as (
    select
        delivery.source_id,
        delivery.file_name,
        delivery.night,
        coalesce(quarantine.unit_code, single.unit_code) as unit_code,
        quarantine.sheet,
        quarantine.row_no,
        quarantine.ordinal,
        quarantine.cell,
        quarantine.column_name,
        quarantine.reason,
        quarantine.expected,
        quarantine.rule_id,
        min(delivery.night) over refused_row as first_night,
        rank() over (refused_row order by delivery.night desc, delivery.delivery_id desc) as age
    from core.quarantine
    join core.delivery using (delivery_id)
    left join single using (delivery_id)
    where quarantine.state = 'open'
    window refused_row as (
        partition by delivery.source_id, quarantine.dossier_key,
            case when quarantine.dossier_key is null
                then row(delivery.file_name, quarantine.sheet, quarantine.row_no)::text end
    )
)
select * from standing where age = 1
