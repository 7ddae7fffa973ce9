-- Grain: period, dossier, kind of row. What the three kinds of rows say of a dossier, as {counter: true}. Only put into
-- the functions of schema mart (lineage.py); publications count the rows as they are.
create temporary view behind as
select calendar, kind, label, dossier_key, version_id, place_id, field_code, to_jsonb(received_row) as counters
from received_row
union all
select calendar, kind, label, dossier_key, version_id, place_id, field_code, to_jsonb(ended_row)
from ended_row
union all
select calendar, told_by.kind, told_by.label, dossier_key, version_id, place_id, field_code, to_jsonb(open_row)
from open_row
join told_by using (calendar, last_month)
