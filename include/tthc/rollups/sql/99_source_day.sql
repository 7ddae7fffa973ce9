-- Grain: day of receipt, unit, field. How many dossiers of the figures only one side tells, and of how many both tell which
-- differently.
with
fresh as (
    select
        received_on as day,
        unit_code,
        coalesce(field_code, '') as field_code,
        count(*) filter (where only_province) as only_province,
        count(*) filter (where only_nation) as only_nation,
        count(*) filter (where in_both) as in_both,
        count(*) filter (where differing) as differing,
        count(*) filter (where status_differs) as status_differs,
        count(*) filter (where unit_differs) as unit_differs,
        count(*) filter (where procedure_differs) as procedure_differs,
        count(*) filter (where received_differs) as received_differs,
        count(*) filter (where due_differs) as due_differs,
        count(*) filter (where finished_differs) as finished_differs
    from compared
    group by received_on, unit_code, coalesce(field_code, '')
),
gone as (
    delete from rollup.source_day as held
    where not exists (
        select from fresh
        where (fresh.day, fresh.unit_code, fresh.field_code) = (held.day, held.unit_code, held.field_code)
    )
)
insert into rollup.source_day as held
select * from fresh
on conflict (day, unit_code, field_code) do update
set only_province = excluded.only_province, only_nation = excluded.only_nation, in_both = excluded.in_both,
    differing = excluded.differing, status_differs = excluded.status_differs, unit_differs = excluded.unit_differs,
    procedure_differs = excluded.procedure_differs, received_differs = excluded.received_differs,
    due_differs = excluded.due_differs, finished_differs = excluded.finished_differs
where held is distinct from excluded
