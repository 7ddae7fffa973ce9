-- Grain: day of receipt, unit, field. How many dossiers of the figures only one side tells, and of how many both tell which
-- differently. What only one of the two says of a dossier contradicts nothing.
with
fresh as (
    select
        state.received_on as day,
        state.unit_code,
        coalesce(state.field_code, '') as field_code,
        count(*) filter (where nation.dossier_key is null) as only_province,
        count(*) filter (where province.dossier_key is null) as only_nation,
        count(*) filter (where differs.told) as in_both,
        count(*) filter (where differs.status or differs.unit or differs.procedure or differs.received or differs.due
            or differs.finished) as differing,
        count(*) filter (where differs.status) as status_differs,
        count(*) filter (where differs.unit) as unit_differs,
        count(*) filter (where differs.procedure) as procedure_differs,
        count(*) filter (where differs.received) as received_differs,
        count(*) filter (where differs.due) as due_differs,
        count(*) filter (where differs.finished) as finished_differs
    from state
    left join source_side as province on province.dossier_key = state.dossier_key and province.level = 'province'
    left join source_side as nation on nation.dossier_key = state.dossier_key and nation.level = 'nation'
    cross join lateral (
        select
            province.dossier_key = nation.dossier_key as told,
            province.status <> nation.status as status,
            province.unit_code <> nation.unit_code as unit,
            province.procedure_code <> nation.procedure_code as procedure,
            province.received_on <> nation.received_on as received,
            province.due_on <> nation.due_on as due,
            province.finished_on <> nation.finished_on as finished
    ) as differs
    where exists (select from source_side)
    group by state.received_on, state.unit_code, coalesce(state.field_code, '')
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
