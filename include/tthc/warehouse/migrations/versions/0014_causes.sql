-- Why a publication's figures differ from those before it: what came in since, by unit.
alter table rollup.publication
    add column newest_delivery bigint,
    add column newest_version bigint;

create table rollup.cause (
    publication_id bigint not null references rollup.publication,
    unit_code text not null,  -- '*': all units
    cause text not null check (cause in ('file', 'rule', 'geography', 'procedures', 'calendar')),
    cause_ref text not null,
    primary key (publication_id, unit_code, cause)
);

-- What the current publication rests on beside dossiers; related: the units whose figures follow it.
create table rollup.basis (
    part text not null check (part in ('procedures', 'calendar', 'geography')),
    unit_code text not null,
    related text[] not null,
    digest text not null,
    primary key (part, unit_code)
);

update rollup.publication
set newest_delivery = coalesce((select max(delivery_id) from core.delivery), 0),
    newest_version = coalesce((select max(version_id) from core.dossier_version), 0);
alter table rollup.publication
    alter column newest_delivery set not null,
    alter column newest_version set not null;
