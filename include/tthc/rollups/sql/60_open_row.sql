-- Grain: reporting month, dossier in progress at its end (or on the night, in the month that is open). One boolean a
-- counter. Stocks are taken month by month; a longer period has the stock of its last month.
create temporary view open_row as
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
)
select
    month.calendar,
    month.last_month,
    span.dossier_key,
    span.version_id,
    span.unit_code,
    span.place_id,
    span.field_code,
    true as in_progress,
    coalesce(span.due_on < month.cut_off, false) and not halted.paused and not halted.stopped as overdue,
    halted.paused,
    halted.stopped
from span
cross join lateral generate_series(span.first_month, span.last_month) as at (month)
join month on month.calendar = span.calendar and month.last_month = at.month
cross join lateral (
    select
        span.status = 6 or span.status = 5 and coalesce(span.supplement_requested_on <= month.cut_off, false) as paused,
        coalesce(span.stopped_on <= month.cut_off, false) as stopped
) as halted
