create view mart.flow_day as
select day, unit_code, nullif(field_code, '') as field_code, received, resolved_early, resolved_on_time, resolved_late
from rollup.flow_day;

create view mart.dossier_status_day as
select night, unit_code, nullif(field_code, '') as field_code, open, overdue, due_within_3_working_days, paused
from rollup.status_day;
