"""Dossiers of procedures that are offered online, in part or wholly: what a plan divides by."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute(
        "alter table rollup.counter add column offered_received bigint not null default 0, "
        "add column offered_online bigint not null default 0"
    )


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("alter table rollup.counter drop column offered_received, drop column offered_online")
