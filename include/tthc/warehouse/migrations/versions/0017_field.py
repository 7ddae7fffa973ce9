"""One spelling of each field, for all figures."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("create table rollup.field (field_key text primary key, field_code text not null)")


def downgrade() -> None:
    op.execute("drop table rollup.field")
