"""Tasks leave a trace in the warehouse when they begin and end: Airflow calls nobody when a task is killed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseNotifier, get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from tthc.domain.errors import TthcError
from tthc.settings import settings
from tthc_airflow.night import night_of

log = logging.getLogger(__name__)

_WATCHES_THE_OTHERS = "notify"


@contextmanager
def noted() -> Iterator[None]:
    """Note that the current task began, then that it ended or failed. Outside a task nothing is noted.

    What cannot be noted is logged and hinders nothing: before its first `prepare` a warehouse has no tables.
    """
    step = _step()
    if step is None:
        yield
        return
    from tthc.alerts import steps

    _try(lambda: steps.begin(settings(), *step))
    try:
        yield
    except AirflowSkipException:
        _try(lambda: steps.end(settings(), *step))
        raise
    except BaseException as error:
        failed_as = type(error.__cause__ if isinstance(error.__cause__, TthcError) else error).__name__
        _try(lambda: steps.end(settings(), *step, failed_as))
        raise
    _try(lambda: steps.end(settings(), *step))


class DispatcherHint(BaseNotifier):  # type: ignore[misc]  # Airflow is not followed by mypy here
    """A hint to the dispatcher that something happened: what is to be told stands in the warehouse, not here."""

    def notify(self, context: Any) -> None:
        """Send what waits; whatever goes wrong is for the watchdog."""
        from tthc import pipeline

        _try(lambda: log.info("%s", pipeline.notify(settings())))


def _step() -> tuple[Any, str, str] | None:
    try:
        context = get_current_context()
    except RuntimeError:
        return None
    task = context["ti"]
    if task.task_id == _WATCHES_THE_OTHERS:
        return None
    name = f"{task.task_id}[{task.map_index}]" if task.map_index >= 0 else task.task_id
    return night_of(context), name, f"{context['dag_run'].run_id}#{task.try_number}"


def _try(work: Callable[[], None]) -> None:
    try:
        work()
    except TthcError as error:
        log.warning("not noted: %s", error)
