"""What an error of ours means to Airflow: try again, or fail at once and let a person act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from tthc.domain.errors import TthcError
from tthc_airflow.steps import noted


@contextmanager
def told_to_airflow() -> Iterator[None]:
    """Let retryable errors pass, so that the task's retries apply; turn the others into AirflowFailException.

    A held or rejected file is neither: it is an outcome in the warehouse with an incident, and the task succeeds.
    Errors that are not ours pass as they are. That the task began and how it ended is noted in the warehouse.
    """
    with noted():
        try:
            yield
        except TthcError as error:
            if error.retryable:
                raise
            raise AirflowFailException(str(error)) from error
