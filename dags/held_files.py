"""Every morning: each file that is held asks a person whether it may in.

Runs at 07:00 in Việt Nam, after the night. What the person decides is what `tthc files release` and `refuse` do, under
the name of whoever is signed in and with the reason they give. Nobody needs to answer: whatever is left for later, or
not answered within 23 hours, is asked again the next morning.

- `waiting` lists the held files.
- `file.ask` waits for the answer (Required Actions in Airflow's pages), one task a file; no worker waits with it.
- `file.decide` releases or refuses the file. A decision without a reason fails: clear `ask` with what follows it.
- `file.publish` publishes the figures that follow, each file by itself. It is skipped when nothing has moved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, task, task_group

from tthc_airflow import held_files
from tthc_airflow.assets import FIGURES
from tthc_airflow.steps import DispatcherHint
from tthc_airflow.tasks import publish

with DAG(
    "held_files",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 7 * * *", timezone="Asia/Ho_Chi_Minh"),
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
    },
    on_failure_callback=DispatcherHint(),
    tags=["tthc"],
):
    limited = {"execution_timeout": timedelta(hours=1)}  # not of `ask`: its waiting is no execution

    @task_group(group_id="file")
    def one(delivery_id: int, subject: str, body: str) -> None:
        """Ask, decide, publish."""
        ask = HITLOperator(
            task_id="ask",
            subject=subject,
            body=body,
            options=held_files.OPTIONS,
            defaults=held_files.LATER,
            params={"reason": Param("", type="string", title="Lý do / reason")},
            response_timeout=timedelta(hours=23),
        )
        decided = task(**limited)(held_files.decide)(delivery_id, ask.output)
        decided >> task(outlets=[FIGURES], **limited)(publish)()

    one.expand_kwargs(task(multiple_outputs=False, **limited)(held_files.waiting)())
