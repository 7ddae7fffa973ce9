-- Grain: period, dossier, kind of row. What the three kinds of rows say of a dossier: every counter has its bit in `said`.
-- Only put into the functions of schema mart (functions.py); publications count the rows as they are.
create temporary view behind as
select calendar, kind, label, dossier_key, version_id, place_id, field_code, 'received' as row_kind, :bits_of(received) as said
from received_row
union all
select calendar, kind, label, dossier_key, version_id, place_id, field_code, 'ended', :bits_of(ended)
from ended_row
union all
select calendar, told_by.kind, told_by.label, dossier_key, version_id, place_id, field_code, 'open', :bits_of(open)
from open_row
join told_by using (calendar, last_month)
