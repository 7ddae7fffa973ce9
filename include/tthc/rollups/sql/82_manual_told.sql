-- Grain: period, unit, indicator. The word that counts of what units stated themselves: the newest filled line, unless a
-- later empty line took it back. An empty line takes back what its form showed as on record, and what a file of the
-- same name had said; another empty line states nothing. Adds today's unit of an indicator that sums up.
create temporary table manual_told on commit drop as
with
heard as (
    select *, coalesce(same_as, delivery_id) as parsed_id
    from core.delivery
    where feed = 'manual_input' and night <= (select night from tonight)
    and coalesce(delivery_id <= (select newest_delivery from tonight), true)  -- of a publication: what it knew
),
word as (
    select
        manual_input.calendar, manual_input.kind, manual_input.label, manual_input.unit_code, manual_input.indicator,
        manual_input.numerator, manual_input.denominator, manual_input.on_record, manual_input.sheet,
        manual_input.row_no, manual_input.numerator_cell, manual_input.denominator_cell, heard.source_id, heard.night, heard.file_name, heard.delivery_id
    from core.manual_input
    join heard on heard.parsed_id = manual_input.delivery_id
),
newest as (
    select distinct on (calendar, kind, label, unit_code, indicator) *
    from word
    where numerator is not null
    order by calendar, kind, label, unit_code, indicator, night desc, file_name desc, delivery_id desc
)
select
    newest.calendar,
    newest.kind,
    newest.label,
    newest.unit_code,
    case when manual_indicator.summed then coalesce(place.current_code, newest.unit_code) else newest.unit_code end
        as current_code,
    manual_indicator.summed and coalesce(place.is_split, false) as is_split,
    case when manual_indicator.summed then place.parts end as parts,
    manual_indicator.summed and coalesce(place.is_moved, false) as is_moved,
    not manual_indicator.summed and coalesce(place.is_moved or place.is_split, false) as is_unsummed,
    coalesce(place.reused_from <= least(period.end_on, (select night from tonight)), false) as is_reused,
    newest.indicator,
    manual_indicator.version,
    newest.numerator,
    newest.denominator,
    newest.source_id,
    newest.night,
    newest.file_name,
    newest.delivery_id,
    newest.sheet,
    newest.row_no,
    newest.numerator_cell,
    newest.denominator_cell
from newest
join ref.manual_indicator using (indicator)
join ref.period using (calendar, kind, label)
left join place
    on place.unit_code = newest.unit_code
    and not place.of_dossiers
    and period.end_on >= place.since and period.end_on < place.until
where not exists (
    select from word as later
    where (later.calendar, later.kind, later.label, later.unit_code, later.indicator)
        = (newest.calendar, newest.kind, newest.label, newest.unit_code, newest.indicator)
    and later.numerator is null
    and (later.on_record or later.file_name = newest.file_name)
    and (later.night, later.file_name, later.delivery_id) > (newest.night, newest.file_name, newest.delivery_id)
)
