"""What a delivered list is made of, so that the next nights' lists can be compared with it."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("alter table core.delivery add column shares jsonb")


def downgrade() -> None:
    op.execute("drop schema if exists mart cascade")
    op.execute("alter table core.delivery drop column shares")
