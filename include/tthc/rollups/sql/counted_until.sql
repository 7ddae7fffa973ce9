-- Grain: metric. The figures of one unit, period and field as far as a day, from what the dossiers tell now: the texts that
-- build figures, with that day for the night. Forms II.06 are left out, no day can be seen in them. Only put into
-- mart.kpi_to_date (functions.py).
create function rollup.counted_until(
    unit_code text, calendar text, label text, until date, basis text, field_code text
)
returns table (metric_id text, profile text, version text, numerator bigint, denominator bigint, flags text[])
language plpgsql stable
set plan_cache_mode = force_custom_plan
set jit = off
set work_mem = '128MB'  -- as the figures are built
set enable_nestloop = off  -- as mart.explain
as $counted_until$
#variable_conflict use_column
begin
    return query
    with
    tonight as (
        select counted_until.until as night, hmac_key.province, null::bigint as publication_id,
            null::bigint as newest_delivery
        from (select province from core.hmac_key order by key_id limit 1) as hmac_key
    ),
    :as_cte(15_place),
    spot as (  -- where what is behind the figure was received, and the split units whose parts it lacks
        select place.unit_code
        from place
        where counted_until.unit_code in (
            (select province from tonight), place.unit_code, place.current_code, place.former_province
        )
        or counted_until.unit_code = any(place.parts)
    ),
    asked as (
        select start_on
        from ref.period
        where (period.calendar, period.label) = (counted_until.calendar, counted_until.label)
    ),
    known as (  -- no more than can be behind the figures of the period
        select dossier.*
        from core.dossier
        cross join asked
        where dossier.unit_code in (select spot.unit_code from spot)
        and dossier.received_on <= counted_until.until
        and (
            dossier.received_on >= asked.start_on or dossier.finished_on is null or dossier.finished_on >= asked.start_on
            or dossier.status not in (7, 9, 10)
        )
    ),
    :as_cte(20_state),
    :as_cte(30_period_day),
    :as_cte(40_received_row),
    :as_cte(45_received_cell),
    :as_cte(50_ended_row),
    :as_cte(55_ended_cell),
    :as_cte(60_open_row),
    :as_cte(61_told_by),
    :as_cte(65_open_cell),
    received_here as (
        select *
        from received_cell
        where (received_cell.calendar, received_cell.label) = (counted_until.calendar, counted_until.label)
    ),
    ended_here as (
        select *
        from ended_cell
        where (ended_cell.calendar, ended_cell.label) = (counted_until.calendar, counted_until.label)
    ),
    open_here as (
        select *
        from open_cell
        where (open_cell.calendar, open_cell.label) = (counted_until.calendar, counted_until.label)
    ),
    cell as (
        select calendar, kind, label, place_id, field_code, false as from_summary, :counters_or_zero
        from received_here
        full join ended_here using (calendar, kind, label, place_id, field_code)
        full join open_here using (calendar, kind, label, place_id, field_code)
    ),
    :as_cte(80_fresh),
    counter as (  -- one row, of zeros where nothing occurred
        select fresh.flags, :counters_or_zero
        from asked
        left join fresh
            on fresh.unit_code = counted_until.unit_code and fresh.field_code = counted_until.field_code
            and fresh.basis in ('*', counted_until.basis)
    )
    select metric.metric_id, metric.profile, metric.version, metric.numerator, metric.denominator,
        coalesce(counter.flags, '{}')
    from counter
    cross join lateral (values
        :metrics
    ) as metric (metric_id, profile, version, numerator, denominator);
end
$counted_until$;
