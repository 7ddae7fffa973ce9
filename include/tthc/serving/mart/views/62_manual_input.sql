-- What units stated themselves: the word that counts of each unit, period and indicator, and the line it stands in.
create view mart.manual_input as
select
    told.calendar as period_calendar,
    told.kind as period_kind,
    told.label as period_label,
    told.unit_code,
    told.indicator as metric_id,
    told.numerator,
    told.denominator,
    told.source_id,
    told.night,
    told.file_name,
    delivery.file_sha256,
    nullif(told.sheet, '') as sheet,
    told.row_no,
    current_publication.publication_id,
    told.numerator_cell,
    told.denominator_cell
from rollup.current_publication
cross join rollup.manual_told as told
join core.delivery using (delivery_id);
