-- Grain: dossier of the figures, while both the province's systems and the national portal have told dossiers. Which side
-- tells it, and what both tell differently. What only one of the two says of a dossier contradicts nothing.
create temporary view compared as
select
    state.dossier_key,
    state.version_id,
    state.received_on,
    state.unit_code,
    state.field_code,
    province.version_id as province_version,
    nation.version_id as nation_version,
    true as dossiers,
    nation.dossier_key is null as only_province,
    province.dossier_key is null as only_nation,
    differs.told as in_both,
    differs.status or differs.unit or differs.procedure or differs.received or differs.due or differs.finished as differing,
    differs.status as status_differs,
    differs.unit as unit_differs,
    differs.procedure as procedure_differs,
    differs.received as received_differs,
    differs.due as due_differs,
    differs.finished as finished_differs
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
