"""The order of trust between sources (`sources.toml`): when it changes, what several of them tell is chosen anew."""

from __future__ import annotations

import sqlalchemy as sa

from tthc.warehouse.connect import run_script
from tthc.warehouse.load import statement

_SEVERAL = """
create temporary table touched on commit drop as
select dossier_key from core.dossier_version group by dossier_key having count(distinct source_id) > 1;
analyze touched
"""


def order(connection: sa.Connection) -> list[str]:
    """The sources, the most trusted first."""
    return list(connection.execute(sa.text("select source_id from ref.source order by priority")).scalars())


def follow(connection: sa.Connection, before: list[str]) -> None:
    """Choose current states anew where the sources known `before` stand in another order now."""
    now = order(connection)
    if [source for source in before if source in now] == [source for source in now if source in before]:
        return
    run_script(connection, _SEVERAL)
    run_script(connection, statement("refresh_current"))
    run_script(connection, "drop table touched")
