"""What each task of the nightly DAG does: one call of tthc.pipeline. In and out go references and counts, never rows.

The pipeline is imported inside the functions: DAG files import this module whenever they are parsed.
"""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from tthc.domain.errors import PortalFailed
from tthc.reference.sources import read_sources
from tthc.settings import Settings, settings
from tthc_airflow.assets import FIGURES
from tthc_airflow.failures import told_to_airflow
from tthc_airflow.night import night_of

if TYPE_CHECKING:
    from tthc.landing.store import Receipt

log = logging.getLogger(__name__)

Reference = dict[str, str]  # source_id, night (yyyy-mm-dd), file_name, sha256


def prepare() -> str:
    """Bring the warehouse and its reference data up to date; the night of this run, yyyy-mm-dd."""
    from tthc import pipeline

    with told_to_airflow():
        night = night_of(get_current_context())
        pipeline.init(settings())
    return night.isoformat()


def receive(source_id: str, night: str) -> list[list[Reference]]:
    """Land what one source delivered for a night, into the drop folder and from its portal; its files, in batches.

    While tries are left, a portal that failed in passing is tried again for what is missing; then what came goes on,
    be it nothing: what a portal did not deliver is an incident of the portal, which nobody can mend in the run.
    """
    from tthc import pipeline

    with told_to_airflow():
        current, day = settings(), date.fromisoformat(night)
        folder, has_portal = folder_of(current, day), read_sources(current)[source_id].portal is not None
        receipts: list[Receipt] = []
        growing: list[str] = []
        if folder.is_dir() or not has_portal:
            receipts, growing = pipeline.receive(current, folder, day, only=source_id)
        if has_portal:
            receipts += _fetched(current, source_id, day)
        batches = [[_reference(receipt) for receipt in batch] for batch in pipeline.batches(current, receipts)]
    log.info("source=%s night=%s files=%d deferred=%d", source_id, night, len(receipts), len(growing))
    return batches


def _fetched(current: Settings, source_id: str, night: date) -> list[Receipt]:
    from tthc import pipeline
    from tthc_airflow.portal_access import access_of

    task = get_current_context()["ti"]
    came, failed = pipeline.fetch(
        current, source_id, night, access_of(source_id), again=task.try_number == 1, say=log.info
    )
    passing = [one for one in failed if one.passing]
    if passing and task.try_number <= task.max_tries:
        raise PortalFailed(
            passing[0].reason, f"{len(failed)} deliveries did not come: {passing[0].detail}", passing=True
        )
    if failed:
        log.warning("source=%s night=%s deliveries that did not come=%d", source_id, night, len(failed))
    return came


def load(batch: list[Reference]) -> dict[str, int]:
    """Stage and commit one batch; verdict → files, and the rows read, accepted and quarantined."""
    from tthc import pipeline
    from tthc.staging.reader_process import ReaderPool

    get_current_context()["files"] = f"{len(batch)} files from {batch[0]['file_name']} on"
    with told_to_airflow(), ReaderPool() as readers:
        outcome = pipeline.load(settings(), [_receipt(reference) for reference in batch], readers)
    return outcome.files | {
        "rows_read": outcome.rows_read,
        "rows_accepted": outcome.rows_accepted,
        "rows_quarantined": outcome.rows_quarantined,
    }


def publish() -> int:
    """Publish the figures; the publication's number. Skipped when nothing has moved since the last publication."""
    from tthc import pipeline

    with told_to_airflow():
        publication_id = pipeline.publish(settings())
    if publication_id is None:
        raise AirflowSkipException("nothing has moved since the last publication; its figures stay current")
    get_current_context()["outlet_events"][FIGURES].extra = {"publication_id": publication_id}
    return publication_id


def notify(night: str | None) -> str:
    """Send the messages that wait and the report of the night; how many left. A channel that fails fails no task.

    `night`: what `prepare` told. None when that failed: then there was no night, and none is reported as ended, so the
    watchdog tells of it.
    """
    from tthc import pipeline

    with told_to_airflow():
        told = pipeline.notify(settings(), None if night is None else date.fromisoformat(night))
        pipeline.write_data_docs(settings())
    (log.warning if told.degraded else log.info)("%s", told)
    return str(told)


def folder_of(current: Settings, night: date) -> Path:
    """TTHC_DROP/<night>/ where a folder of that name exists, else TTHC_DROP itself."""
    dated = current.drop / night.isoformat()
    return dated if dated.is_dir() else current.drop


def _reference(receipt: Receipt) -> Reference:
    return {
        "source_id": receipt.source_id,
        "night": receipt.night.isoformat(),
        "file_name": receipt.file_name,
        "sha256": receipt.sha256,
    }


def _receipt(reference: Reference) -> Receipt:
    from tthc.landing.store import Receipt

    return Receipt(
        source_id=reference["source_id"],
        night=date.fromisoformat(reference["night"]),
        file_name=reference["file_name"],
        sha256=reference["sha256"],
    )
