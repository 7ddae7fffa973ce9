"""Every night: what the portals delivered becomes figures, and whoever must act hears of it.

Runs at 01:00 for the day that has just ended in Việt Nam: the run of 22 November at 01:00 has the partition key
2026-11-21, the night under which files and figures are recorded. Exports are taken from `TTHC_DROP/<night>/<source>/`,
or `TTHC_DROP/<source>/` where no folder has that date, and from the portals of sources that have one. A manual run may
name another `night`.

- `prepare` brings the warehouse and its reference data up to date.
- `<source>.receive` lands a source's files, `<source>.load` commits them batch by batch, in the source's own pool. A
  source that delivered nothing is skipped. A held or rejected file, a portal that is down, a withheld figure, a channel
  that does not send: they fail nothing and are incidents in the warehouse. Failed is what must be mended in the run.
- `publish` and `notify` run when all sources are done, however they ended: one source's failure keeps neither the
  others' figures nor the messages back. `publish` is skipped when nothing has moved.
- `conclude` needs everything before it not to have failed: through it, a run in which any source failed ends failed,
  although its figures are out. Clear the failed tasks with those after them: what is known is not loaded twice.

Outside failures are tried three times; what only a person can mend fails at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronPartitionTimetable, Param, TaskGroup, TriggerRule, task

from tthc_airflow import tasks
from tthc_airflow.assets import DOSSIERS, FIGURES
from tthc_airflow.pools import source_pools
from tthc_airflow.steps import DispatcherHint

with DAG(
    "load_exports",
    doc_md=__doc__,
    schedule=CronPartitionTimetable("0 1 * * *", timezone="Asia/Ho_Chi_Minh", run_offset=-1, key_format="%Y-%m-%d"),
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")),
    catchup=False,
    max_active_runs=1,
    params={"night": Param(None, type=["null", "string"], format="date", title="Night, for a manual run")},
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=1),
    },
    on_failure_callback=DispatcherHint(),
    tags=["tthc"],
):
    night = task(tasks.prepare)()
    published = task(outlets=[FIGURES], trigger_rule=TriggerRule.ALL_DONE)(tasks.publish)()
    conclude = EmptyOperator(task_id="conclude", trigger_rule=TriggerRule.NONE_FAILED)
    for source, pool in source_pools().items():
        with TaskGroup(source):
            batches = task(pool=pool)(tasks.receive)(source, night)
            load = task(pool=pool, outlets=[DOSSIERS], map_index_template="{{ files }}", multiple_outputs=False)
            load(tasks.load).expand(batch=batches) >> [published, conclude]
    published >> task(trigger_rule=TriggerRule.ALL_DONE)(tasks.notify)(night) >> conclude
    published >> conclude
