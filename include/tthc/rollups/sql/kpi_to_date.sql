-- A unit's figures of a period as far as a day, beside the same days of the period before and of last year; one row a
-- metric and profile. From what the dossiers tell now, as mart.explain; exact counts, ratios of sums. A period that had
-- ended by then is compared as a whole; an open one with as many days of the period before, and with the same date of last
-- year (28 February for the 29th). What nobody has published is NULL, not zero.
create function mart.kpi_to_date(
    unit_code text, period_label text, to_date date default null, period_calendar text default 'VPCP_15_14',
    basis text default 'as_reported', field_code text default '*'
)
returns table (
    metric_id text, profile text, definition_version text, period_start date, as_of date, status text, numerator bigint,
    denominator bigint, rate numeric, flags text[], previous_label text, previous_start date, previous_as_of date,
    previous_numerator bigint, previous_denominator bigint, previous_rate numeric, previous_flags text[],
    previous_comparable boolean,
    previous_remark text, previous_points numeric, last_year_label text, last_year_start date, last_year_as_of date,
    last_year_numerator bigint, last_year_denominator bigint, last_year_rate numeric, last_year_flags text[],
    last_year_comparable boolean,
    last_year_remark text, last_year_points numeric
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set jit = off
as $kpi_to_date$
#variable_conflict use_column
declare
    published record;
    asked ref.period;
    until date;
begin
    select publication.publication_id, publication.night, publication.registry_id into published
    from rollup.current_publication
    join rollup.publication using (publication_id);
    select * into asked from ref.period
    where (period.calendar, period.label) = (kpi_to_date.period_calendar, kpi_to_date.period_label);
    if kpi_to_date.basis not in ('as_reported', 'current_boundary') then
        raise invalid_parameter_value using message = 'basis is as_reported or current_boundary';
    elsif asked.label is null then
        raise invalid_parameter_value using message = format('no period %s in calendar %s', period_label, period_calendar);
    elsif not exists (select from ref.unit where unit.unit_code = kpi_to_date.unit_code) then
        raise invalid_parameter_value using message = format('no unit %s', kpi_to_date.unit_code);
    elsif kpi_to_date.field_code <> '*'
        and not exists (select from rollup.counter where counter.field_code = kpi_to_date.field_code)
    then
        raise invalid_parameter_value using message = format('no published figure has the field %s', field_code);
    end if;
    until := least(coalesce(kpi_to_date.to_date, published.night), asked.end_on);
    if until < asked.start_on or until > published.night
        or kpi_to_date.to_date not between asked.start_on and asked.end_on
    then
        raise invalid_parameter_value using message = format(
            'period %s runs from %s to %s, figures are published to the night of %s: choose a day in both',
            period_label, asked.start_on, asked.end_on, published.night
        );
    end if;
    return query
    with
    span as (  -- the period, the one before, and that of last year, each as far as it is counted
        select 1 as place, asked.label, asked.start_on, until as until
        union all
        select 2, before.label, before.start_on,
            case when until = asked.end_on then before.end_on
                else least(before.start_on + (until - asked.start_on), before.end_on) end
        from ref.period as before
        where (before.calendar, before.kind, before.end_on) = (asked.calendar, asked.kind, asked.start_on - 1)
        union all
        select 3, earlier.label, earlier.start_on,
            case when until = asked.end_on then earlier.end_on else (until - interval '1 year')::date end
        from ref.period as earlier
        where (earlier.calendar, earlier.kind, earlier.last_month) = (asked.calendar, asked.kind, asked.last_month - 12)
    ),
    side as (  -- what is published of the unit in each
        select
            span.place, span.label, span.start_on, span.until,
            coverage.units_reported < coverage.units_expected * (select floor from ref.coverage_floor) as is_thin,
            coalesce(told.flags, '{}') as published_flags,
            told.flags is not null or span.place = 1 and coverage.units_reported > 0 as is_told
        from span
        left join lateral (
            select string_to_array(string_agg(array_to_string(counter.flags, ','), ','), ',') as flags
            from rollup.counter
            where (counter.calendar, counter.label, counter.unit_code) = (asked.calendar, span.label, kpi_to_date.unit_code)
            and counter.field_code in ('*', kpi_to_date.field_code)
            and counter.basis in ('*', kpi_to_date.basis)
            and counter.first_publication <= published.publication_id
            and coalesce(counter.last_publication >= published.publication_id, true)
        ) as told on true
        left join rollup.coverage
            on (coverage.calendar, coverage.label, coverage.unit_code)
            = (asked.calendar, span.label, kpi_to_date.unit_code)
            and coverage.first_publication <= published.publication_id
            and coalesce(coverage.last_publication >= published.publication_id, true)
    ),
    figure as (
        select
            side.*, counted.metric_id, counted.profile, counted.version,
            case when known.is_known then counted.numerator end as numerator,
            case when known.is_known then counted.denominator end as denominator,
            counted.flags || array(
                select flag from unnest(side.published_flags) as flag where flag in ('withheld', 'from_summary')
            ) as flags
        from side
        join ref.period on (period.calendar, period.label) = (asked.calendar, side.label)
        cross join lateral rollup.counted_until(
            kpi_to_date.unit_code, asked.calendar, side.label, side.until, kpi_to_date.basis, kpi_to_date.field_code
        ) as counted
        join ref.registry_entry as entry
            on (entry.registry_id, entry.metric_id, entry.profile, entry.version)
            = (published.registry_id, counted.metric_id, counted.profile, counted.version)
            and period.end_on between entry.valid_from and entry.valid_to
        cross join lateral (
            select side.is_told and not side.published_flags && array['withheld', 'from_summary'] as is_known
        ) as known
    )
    select
        this.metric_id, this.profile, this.version, this.start_on, this.until,
        case when this.until < asked.end_on then 'interim' when this.is_thin then 'provisional' else 'final' end,
        this.numerator, this.denominator, round(this.numerator::numeric / nullif(this.denominator, 0), 6), this.flags,
        before.label, before.start_on, before.until, before.numerator, before.denominator,
        round(before.numerator::numeric / nullif(before.denominator, 0), 6), before.flags,
        remark.because[1] is null, remark.because[1],
        case when remark.because[1] is null then round(100 * (
            this.numerator::numeric / nullif(this.denominator, 0) - before.numerator::numeric / nullif(before.denominator, 0)
        ), 4) end,
        earlier.label, earlier.start_on, earlier.until, earlier.numerator, earlier.denominator,
        round(earlier.numerator::numeric / nullif(earlier.denominator, 0), 6), earlier.flags,
        remark.because[2] is null, remark.because[2],
        case when remark.because[2] is null then round(100 * (
            this.numerator::numeric / nullif(this.denominator, 0) - earlier.numerator::numeric / nullif(earlier.denominator, 0)
        ), 4) end
    from figure as this
    left join figure as before
        on before.place = 2 and (before.metric_id, before.profile) = (this.metric_id, this.profile)
    left join figure as earlier
        on earlier.place = 3 and (earlier.metric_id, earlier.profile) = (this.metric_id, this.profile)
    cross join lateral (  -- why there is no difference, first for the period before, then for last year
        select array_agg(case
            when kpi_to_date.basis = 'as_reported' and exists (
                select from rollup.territory_change as change
                where change.unit_code = kpi_to_date.unit_code and change.changed_on > other.start_on
                and change.changed_on <= this.until
            ) then 'đơn vị được sắp xếp lại giữa hai kỳ; so trên địa giới hiện nay'
            when other.is_told is not true then 'không có số liệu kỳ đối chiếu'
            when not this.is_told then 'đơn vị chưa có dữ liệu'
            when 'withheld' = any(this.flags || other.flags) then 'số liệu bị tạm giữ'
            when 'from_summary' = any(this.flags || other.flags) then 'biểu tổng hợp không tách được theo ngày'
            when this.is_thin or other.is_thin then 'chưa đủ đơn vị có dữ liệu'
            when this.version <> other.version then 'định nghĩa khác nhau'
            when (this.flags || other.flags) && array['split_unit', 'not_summed'] and not exists (
                select from ref.unit
                where unit.unit_code = kpi_to_date.unit_code and unit.level = 'province'
            ) then 'đơn vị bị chia tách'
            when 'code_reused' = any(this.flags || other.flags) then 'mã đơn vị dùng lại'
        end order by other.place) as because
        from (values
            (2, before.start_on, before.is_told, before.is_thin, before.version, before.flags),
            (3, earlier.start_on, earlier.is_told, earlier.is_thin, earlier.version, earlier.flags)
        ) as other (place, start_on, is_told, is_thin, version, flags)
    ) as remark
    where this.place = 1
    order by this.metric_id, this.profile;
end
$kpi_to_date$;
