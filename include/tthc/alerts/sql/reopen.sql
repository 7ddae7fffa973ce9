-- What was over only a short while ago comes back as the same incident; it is told when the settling time has passed.
with
failure as (
    select distinct rule_id, source_id, unit_code, is_group, night
    from jsonb_to_recordset(cast(:failures as jsonb))
        as failure (rule_id text, source_id text, unit_code text, is_group boolean, night date)
),
again as (
    update alerts.incident as known
    set state = 'open', resolved_on = null, resolved_at = null, group_id = null, turn = turn + 1
    from failure
    where (known.rule_id, known.source_id, known.unit_code, known.is_group)
    = (failure.rule_id, failure.source_id, failure.unit_code, failure.is_group)
    and known.incident_id = (
        select max(incident_id)
        from alerts.incident as newest
        where (newest.rule_id, newest.source_id, newest.unit_code, newest.is_group)
        = (failure.rule_id, failure.source_id, failure.unit_code, failure.is_group)
    )
    and known.state = 'resolved'
    and known.resolved_at > cast(:now as timestamptz) - cast(:settling as interval)
    returning known.incident_id, known.turn, known.severity, known.subject, failure.night
),
noted as (
    insert into alerts.incident_history (incident_id, happened_at, what, by_whom)
    select incident_id, :now, 'reopened', 'tthc' from again
)
insert into alerts.outbox (incident_id, kind, body, severity, night, turn, not_before, recorded_at)
select
    incident_id, 'reopened', subject || '. Lại xảy ra / again.', severity, night, turn,
    cast(:now as timestamptz) + cast(:settling as interval), :now
from again
