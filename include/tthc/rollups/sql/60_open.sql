-- Grain: period, unit, field. Dossiers in progress at the cut-off. Stocks are taken at the end of each reporting month
-- (or on the night, in the month that is open); a longer period has the stock of its last month.
create temporary table open_cell on commit drop as
with
span as (  -- the reporting months at whose end a dossier was open
    select
        state.*,
        calendar.calendar,
        extract(year from received_on)::int * 12 + extract(month from received_on)::int - 1
            + (calendar.shifted and extract(day from received_on) >= 15)::int as first_month,
        extract(year from closing.day)::int * 12 + extract(month from closing.day)::int - 1
            + (calendar.shifted and extract(day from closing.day) >= 15)::int
            - (state.resolved_on <= (select night from tonight) is true)::int as last_month
    from state
    cross join (values ('VPCP_15_14', true), ('CALENDAR', false)) as calendar (calendar, shifted)
    cross join lateral (select least(coalesce(state.resolved_on, (select night from tonight)), (select night from tonight)) as day) as closing
),
month as (
    select calendar, last_month, least(end_on, (select night from tonight)) as cut_off
    from ref.period
    where kind = 'month' and start_on <= (select night from tonight)
),
stock as (
    select
        month.calendar,
        month.last_month,
        span.unit_code,
        span.current_code,
        span.is_split,
        span.field_code,
        count(*) as in_progress,
        count(*) filter (
            where span.due_on < month.cut_off
            and span.status <> 6
            and not (span.status = 5 and coalesce(span.supplement_requested_on <= month.cut_off, false))
            and not coalesce(span.stopped_on <= month.cut_off, false)
        ) as overdue,
        count(*) filter (where span.stopped_on <= month.cut_off) as stopped
    from span
    cross join lateral generate_series(span.first_month, span.last_month) as at (month)
    join month on month.calendar = span.calendar and month.last_month = at.month
    group by 1, 2, 3, 4, 5, 6
),
told_by as (  -- the reporting month whose stock is the stock of a period: its last one, or the one that is open
    select
        calendar, kind, label,
        least(last_month, max(last_month) filter (where kind = 'month') over (partition by calendar)) as last_month
    from ref.period
    where start_on <= (select night from tonight)
)
select
    told_by.calendar,
    told_by.kind,
    told_by.label,
    stock.unit_code,
    stock.current_code,
    stock.is_split,
    stock.field_code,
    stock.in_progress,
    stock.overdue,
    stock.stopped
from told_by
join stock using (calendar, last_month)
