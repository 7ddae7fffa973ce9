"""Which units a list without rows speaks for: once it is believed, they have reported that there was nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from tthc.landing.store import Receipt
from tthc.staging.history import History
from tthc.staging.staged_file import StagedFile
from tthc.warehouse.fetches import asked_for


def name_units(
    connection: sa.Connection,
    receipts: Sequence[Receipt],
    staged: Sequence[StagedFile],
    history: History,
    names_of: Callable[[Receipt], set[str]],
) -> None:
    """Give empty lists their units, with no rows each: those the list itself states, else those a portal was asked for,
    else the one that earlier files of the name told of. Empty lists of several units are the same bytes under several
    names, `names_of` a receipt. Nobody is meant where none of these tells."""
    empty = [file for file in staged if file.is_empty]
    if not empty:
        return
    asked = asked_for(connection, receipts)
    receipt_of = {receipt.sha256: receipt for receipt in receipts}
    for file in empty:
        if file.stated_unit:
            units = {file.stated_unit}
        elif file.sha256 in asked:
            units = asked[file.sha256]
        else:
            named = {history.unit_of(name) for name in names_of(receipt_of[file.sha256])}
            units = {unit for unit in named if unit}
        file.units = dict.fromkeys(sorted(units), 0)
