-- The public contract: views over counters, unpivoted and divided. Rebuilt whole by `tthc init`, in one transaction.
-- The metrics of kpis.toml are put in as lines (metric_id, profile, numerator, denominator).
drop schema if exists mart cascade;
create schema mart;
