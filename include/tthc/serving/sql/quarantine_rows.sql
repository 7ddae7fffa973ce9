-- Grain: refused row and rule of one owner; never a value of the row.
select source_id, file_name, sheet, row_no, cell, column_name, reason, expected, rule_id, night, first_night
from quarantine_open
where
    case
        when cast(:unit as text) is null then unit_code is null and source_id = :source
        else unit_code = :unit
    end
order by source_id, night, file_name, sheet, row_no, ordinal
