-- Grain: source, expectation. What every rule said on a night.
select source_id, suite, position, rule_id, rows_judged, rows_failed
from mart.judgement
where night = :night
order by source_id = 'figures', source_id, array_position(array['dossier_row', 'dossier_sender', 'dossier_file'], suite), position
