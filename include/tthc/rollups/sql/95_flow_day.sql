-- Grain: day, unit, field. Flows by day as known tonight; only days whose counts changed are written.
with
fresh as (
    select day, unit_code, field_code, sum(received) as received, sum(early) as resolved_early,
        sum(on_time) as resolved_on_time, sum(late) as resolved_late
    from (
        select received_on as day, unit_code, coalesce(field_code, '') as field_code, 1 as received, 0 as early,
            0 as on_time, 0 as late
        from state
        union all
        select resolved_on, unit_code, coalesce(field_code, ''), 0, (timeliness = 'early')::int,
            (timeliness = 'on_time')::int, (timeliness = 'late')::int
        from state
        where resolved_on <= (select night from tonight)
    ) as event
    group by day, unit_code, field_code
),
gone as (
    delete from rollup.flow_day as held
    where not exists (
        select from fresh
        where (fresh.day, fresh.unit_code, fresh.field_code) = (held.day, held.unit_code, held.field_code)
    )
)
insert into rollup.flow_day as held
select * from fresh
on conflict (day, unit_code, field_code) do update
set received = excluded.received, resolved_early = excluded.resolved_early,
    resolved_on_time = excluded.resolved_on_time, resolved_late = excluded.resolved_late
where row(held.received, held.resolved_early, held.resolved_on_time, held.resolved_late)
    is distinct from
    row(excluded.received, excluded.resolved_early, excluded.resolved_on_time, excluded.resolved_late)
