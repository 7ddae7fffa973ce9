"""Definitions of metrics by version, which registry a publication rests on, and counters variants choose between."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_COUNTERS = (
    "finished_undated", "paused", "index_withdrawn", "index_awaiting_payment", "index_undated",
    "index_in_time_withdrawn", "index_in_time_awaiting_payment", "index_in_time_undated", "index_in_time_open",
)  # fmt: skip


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("drop view if exists rollup.figure")
    op.execute(
        "alter table rollup.publication drop column registry_id, "
        "add column definition_version text not null default '2026.1'"
    )
    op.execute("alter table ref.loaded drop column registry_id")
    op.execute("drop table ref.registry_entry, ref.registry, ref.definition")
    op.execute("drop function ref.refuse_change")
    op.execute("alter table rollup.counter " + ", ".join(f"drop column {name}" for name in _COUNTERS))
