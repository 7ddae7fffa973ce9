"""How many tasks may press on one portal at once: a pool for each source, of the size sources.toml gives it.

`python -m tthc_airflow.pools` makes Airflow's pools agree with the file; run it after a source was added, because tasks
of a pool that Airflow does not know are never started.
"""

from __future__ import annotations

from tthc.reference.sources import read_sources
from tthc.settings import settings


def source_pools() -> dict[str, str]:
    """Source id → name of its pool, in the order of sources.toml. Cheap enough for a DAG file."""
    return {source_id: f"source_{source_id}" for source_id in read_sources(settings())}


def create_pools() -> list[str]:
    """Create or resize the pool of every source in Airflow's metadata database; their names. Not for tasks."""
    from airflow.models.pool import Pool

    sources = read_sources(settings())
    for source_id, pool in source_pools().items():
        source = sources[source_id]
        Pool.create_or_update_pool(pool, source.pool_slots, source.title, include_deferred=True)
    return list(source_pools().values())


if __name__ == "__main__":
    print("\n".join(create_pools()))
