-- Grain: source, layout, period, unit. The newest word of each summary report, and whether it has the same cut-off as the
-- figures.
create temporary table word on commit drop as
with heard as (
    select delivery.*, coalesce(delivery.same_as, delivery.delivery_id) as parsed_id
    from core.delivery
    where feed in ('summary_06a', 'summary') and night <= (select night from tonight)
)
select distinct on (heard.source_id, heard.layout_id, told.calendar, told.kind, told.label, told.unit_code)
    heard.source_id, heard.layout_id, told.calendar, told.kind, told.label, told.unit_code, heard.file_name,
    heard.night, heard.delivery_id, heard.parsed_id,
    heard.night >= period.end_on or heard.night = (select night from tonight) as is_of_this_cut_off
from (select distinct delivery_id, calendar, kind, label, unit_code from core.reported) as told
join heard on heard.parsed_id = told.delivery_id
join ref.period using (calendar, kind, label)
order by heard.source_id, heard.layout_id, told.calendar, told.kind, told.label, told.unit_code,
    heard.night desc, heard.file_name desc, heard.delivery_id desc
