"""What the tasks of the DAG `held_files` do: put the question, and carry out what a person answered."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from tthc.domain.errors import Misconfigured
from tthc.settings import settings
from tthc_airflow.failures import told_to_airflow

RELEASE, REFUSE, LATER = "Cho nạp / release", "Từ chối / refuse", "Để sau / later"
OPTIONS = [RELEASE, REFUSE, LATER]

log = logging.getLogger(__name__)


def waiting() -> list[dict[str, Any]]:
    """The held files, each with its question: delivery_id, subject, body. Nothing of the rows."""
    from tthc import pipeline
    from tthc.domain.text import without_person

    with told_to_airflow():
        held = pipeline.held(settings())
    return [
        {
            "delivery_id": file.delivery_id,
            "subject": f"{file.reason}, {file.source_id}, {without_person(file.file_name)}: cho nạp? / release it?",
            "body": without_person(
                f"Tệp {file.delivery_id}, đêm {file.night:%d/%m/%Y}, {file.rows_read} dòng, "
                f"{file.rows_quarantined} dòng bị cách ly / rows read and refused. {file.detail}"
            ),
        }
        for file in held
    ]


def decide(delivery_id: int, answer: dict[str, Any]) -> str:
    """Release or refuse the file as answered, under the name of whoever answered; skipped when left for later.

    A file that was decided in the meantime, or by an earlier try, is left as it is. Raises Misconfigured without a
    reason.
    """
    from tthc import pipeline

    (chosen,) = answer["chosen_options"]
    person = answer["responded_by_user"]
    if chosen == LATER or person is None:  # None: nobody answered in time
        raise AirflowSkipException("left for later; the file stays held and is asked about again")
    with told_to_airflow():
        reason = str((answer["params_input"] or {}).get("reason") or "").strip()
        if not reason:
            raise Misconfigured("a decision needs a reason; clear the task `ask` to answer again")
        if delivery_id not in {file.delivery_id for file in pipeline.held(settings())}:
            return f"delivery {delivery_id} was decided already"
        name = str(person["name"] or person["id"])
        pipeline.decide(settings(), delivery_id, release=chosen == RELEASE, by=name, reason=reason)
    log.info("delivery=%d decided=%s", delivery_id, "release" if chosen == RELEASE else "refuse")
    return f"delivery {delivery_id}: {chosen}"
