"""What a delivery's own past is judged by: the day of its newest event, and its status where it has only one."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("alter table core.delivery add column newest_on date, add column only_status smallint")


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("alter table core.delivery drop column newest_on, drop column only_status")
