-- The analyst reads mart and nothing else, cannot write or make temporary tables, and is stopped after 30 seconds.
do $$
begin
    if not exists (select from pg_roles where rolname = 'tthc_analyst') then
        create role tthc_analyst nologin;
    end if;
    execute format('revoke temporary, create on database %I from public', current_database());
    execute format('grant connect on database %I to tthc_analyst', current_database());
end
$$;
revoke create on schema public from public;
alter role tthc_analyst set search_path = mart;
alter role tthc_analyst set statement_timeout = '30s';
alter role tthc_analyst set lock_timeout = '2s';
alter role tthc_analyst set idle_in_transaction_session_timeout = '60s';
alter role tthc_analyst set default_transaction_read_only = on;
grant tthc_analyst to current_user;  -- the pages and workbooks read as the analyst does
grant usage on schema mart to tthc_analyst;
grant select on all tables in schema mart to tthc_analyst;
revoke execute on all functions in schema mart from public;
grant execute on all functions in schema mart to tthc_analyst;
-- What everybody may call of the server itself, but an analyst must not: locks that others could wait for, and large
-- objects. Only a superuser may take it away, as the embedded server's owner is; elsewhere see docs/runbook.md.
do $$
declare
    called regprocedure;
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        for called in
            select oid
            from pg_proc
            where pronamespace = 'pg_catalog'::regnamespace
            and proname ~ '^(pg_(try_)?advisory_|lo_|loread$|lowrite$)'
            and has_function_privilege('tthc_analyst', oid, 'execute')
        loop
            execute format('revoke execute on function %s from public', called);
        end loop;
    end if;
end
$$;
