-- The public contract: views over counters, unpivoted and divided. Rebuilt whole by `tthc init`, in one transaction.
-- Every version of every metric ever kept is put in as lines (metric_id, profile, version,
-- numerator, denominator).
drop schema if exists mart cascade;
drop function if exists rollup.counted_until;
drop view if exists rollup.figure;
drop view if exists rollup.manual_figure, rollup.manual_restatement, rollup.territory_change;
create schema mart;
