-- Grain: period, place, field. The counters of open_row.
create temporary table open_cell on commit drop as
with stock as (
    select
        calendar,
        last_month,
        place_id,
        field_code,
        :counts_of(open)
    from open_row
    group by calendar, last_month, place_id, field_code
)
select
    told_by.calendar,
    told_by.kind,
    told_by.label,
    stock.place_id,
    stock.field_code,
    :counters_of(open)
from told_by
join stock using (calendar, last_month)
