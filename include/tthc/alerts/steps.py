"""That a step of the nightly run began, and how it ended: one that did neither was killed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa

from tthc.settings import Settings
from tthc.warehouse.connect import transaction


def begin(settings: Settings, night: date, name: str, run: str, now: datetime | None = None) -> None:
    """A try of a step begins; `run` is another for each try. Raises OutsideSystemFailed."""
    _write(
        settings,
        "insert into alerts.step (night, name, run, began_at) values (:night, :name, :run, :now) "
        "on conflict (night, name, run) do update set began_at = excluded.began_at, ended_at = null, failed_as = null",
        {"night": night, "name": name, "run": run, "now": now or datetime.now(UTC)},
    )


def end(
    settings: Settings, night: date, name: str, run: str, failed_as: str | None = None, now: datetime | None = None
) -> None:
    """The try has ended; `failed_as`: the class of the error, never its words."""
    _write(
        settings,
        "update alerts.step set ended_at = :now, failed_as = :failed "
        "where (night, name, run) = (cast(:night as date), :name, :run)",
        {"night": night, "name": name, "run": run, "failed": failed_as, "now": now or datetime.now(UTC)},
    )


def _write(settings: Settings, words: str, terms: dict[str, object]) -> None:
    with transaction(settings) as connection:
        connection.execute(sa.text(words), terms)
