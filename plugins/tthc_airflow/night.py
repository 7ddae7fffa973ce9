"""Which night a run of a DAG is about."""

from __future__ import annotations

from datetime import date
from typing import Any

from tthc.domain.errors import Misconfigured
from tthc.settings import LOCAL


def night_of(context: Any) -> date:
    """The night a run is about: its parameter `night`, else its partition key, else the day it was asked for.

    The same for every try of every task of a run. Raises Misconfigured when parameter or key is not a date.
    """
    run = context["dag_run"]
    text = context["params"].get("night") or run.partition_key
    if text is None:
        asked: date = run.run_after.astimezone(LOCAL).date()
        return asked
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misconfigured(f"the night of this run is {text!r}; it must be a date like 2026-06-30") from None
