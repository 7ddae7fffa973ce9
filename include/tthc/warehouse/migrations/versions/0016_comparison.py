"""From how many dossiers on units are ranked."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("create table ref.comparison (ranking_minimum int not null)")


def downgrade() -> None:
    op.execute("drop table ref.comparison")
